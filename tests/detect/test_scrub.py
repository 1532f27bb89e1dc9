"""Personal data in alerts: annotations are scrubbed when an alert is told, on both paths."""

import json

import pytest

from schemas import topics
from schemas.alerts import Alert
from schemas.config import Config
from schemas.records import decode_record
from streams.detect.stage import DetectStage, FusedStage
from streams.ingest.reader import Reader
from streams.ingest.stage import IngestStage
from streams.poison import isolate
from streams.rules.load import parse_rules
from streams.stage import Outgoing
from streams.transport.chunk import Chunk

NOW = 1_767_225_600_000
RULES = """
groups:
  - name: g
    interval: 1s
    rules:
      - alert: Down
        expr: up == 0
        evaluate: on_arrival
        annotations:
          summary: "{{ $labels.instance }} of {{ $labels.owner }} is down: tell eve@example.com, 203.0.113.9"
"""


def telemetry() -> Chunk:
    labels = {"service": "s", "instance": "10.0.0.1:80", "owner": "bob@example.com"}
    value = json.dumps({"ts": NOW, "metric": "up", "value": 0, "labels": labels}).encode()
    return Chunk("telemetry", 0, fetch_offset=0, next_offset=1, values=[value], timestamps=[NOW])


def chunk_of(sent: list[Outgoing], topic: str) -> Chunk:
    found = [o for o in sent if o.topic == topic]
    values = [o.value for o in found]
    stamps = [o.timestamp_ms or 0 for o in found]
    return Chunk(topic, 0, fetch_offset=0, next_offset=len(found), values=values, timestamps=stamps)


@pytest.mark.parametrize("kind", [IngestStage, FusedStage])
def test_the_letter_of_a_record_that_made_a_stage_raise_holds_nothing_personal(
    kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is set aside because a stage failed on it is scrubbed as what ingest refuses is."""
    keyed = kind is FusedStage
    config = Config.model_validate({"kafka": {"partitions": 1}, "sources": [{"keyed": keyed}]})

    def fresh() -> IngestStage | FusedStage:
        source = config.sources[0]
        if kind is IngestStage:
            return IngestStage(config, source, "telemetry", 0)
        return FusedStage(config, [], source, 0)

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Reader, "read", fail)
    (letter,) = isolate(fresh(), telemetry(), fresh).letters

    assert b"bob@" not in letter.head
    assert b'"owner": "<email:' in letter.head


@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize("enabled", [True, False])
def test_an_alert_tells_nothing_personal(keyed: bool, enabled: bool) -> None:
    """What templates wrote and what labels held are hashes; the machine's address, which its label shows, stays."""
    config = Config.model_validate(
        {
            "kafka": {"partitions": 1},
            "sources": [{"keyed": keyed}],
            "scrub": {"enabled": enabled, "secret": "x"},
        }
    )
    groups, problems = parse_rules(RULES, "rules.yml")
    assert [] == problems
    if keyed:
        fused = FusedStage(config, groups, config.sources[0], 0)
        sent, figures = fused.apply(telemetry()), fused.figures()
    else:
        ingest = IngestStage(config, config.sources[0], "telemetry", 0)
        detect = DetectStage(config, groups, 0)
        sent = detect.apply(chunk_of(ingest.apply(telemetry()), topics.SAMPLES))
        figures = [*ingest.figures(), *detect.figures()]
    alerts = [o.value or b"" for o in sent if o.topic == topics.ALERTS and o.key is not None]
    (alert,) = (decode_record(value, Alert) for value in alerts)
    summary = alert.annotations["summary"]
    counted = {f.reason: f.total for f in figures if f.name == "scrubbed"}

    assert summary.startswith("10.0.0.1:80 of ")
    assert (
        (not enabled) == ("bob@example.com" in summary) == ("bob@example.com" in str(alert.labels))
    )
    assert (not enabled) == ("eve@example.com" in summary) == ("203.0.113.9" in summary)
    expected = {"email/owner": 1, "email/annotations": 1, "ip/annotations": 1}
    assert (expected if enabled else {}) == counted
