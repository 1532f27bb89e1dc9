"""`tocsin incident why` and `tocsin alert why`, as people ask."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from schemas.decisions import Decision
from schemas.labels import METRIC, TENANT, make_labels
from schemas.reasons import Gate
from schemas.records import rfc3339
from schemas.samples import encode_batch, make_batch
from schemas.topics import SAMPLES
from sinks.record import History
from streams.transport.embedded import EmbeddedBroker
from tests.cli.conftest import Cli
from tests.kafka.reading import produce
from tests.sinks.sample import T0, make_alert, make_incident

CONFIG = """\
rules: [r.yml]

correlate:
  storm:
    pages: 3
"""
RULES = """\
groups:
  - name: checkout
    interval: 1m
    rules:
      - alert: Slow
        expr: latency > 0.3
"""


@pytest.fixture
def history(folder: Path) -> Path:
    """A configuration with a rule, and an incident whose page was held."""
    (folder / "tocsin.yaml").write_text(CONFIG)
    (folder / "r.yml").write_text(RULES)
    held = Decision(
        time=T0,
        gate=Gate.STORM,
        passed=False,
        reason="over_budget",
        text="page 4",
        by="correlate.storm.pages",
    )
    with History(folder / "tocsin.db") as history:
        history.record([msgspec.structs.replace(make_incident("a"), decisions=(held,))])
    return folder / "tocsin.db"


def test_incident_why_names_the_lines(cli: Cli, history: Path) -> None:
    """The rule's file and line with its expression, and that of the setting that held the page."""
    said = cli("incident", "why", make_incident("a").id[:6]).stdout

    assert "r.yml:5: latency > 0.3" in said
    assert "over_budget: page 4" in said
    assert "tocsin.yaml:5: correlate.storm.pages" in said


def test_why_shows_what_the_rule_looked_at(cli: Cli, history: Path) -> None:
    """The window of samples with the watermark; of an alert on arrival, that nothing was waited for."""
    item = make_alert()
    ticked = msgspec.structs.replace(item.alert, window=(T0 - 60_000, T0), watermark=T0)
    arrived = msgspec.structs.replace(item.alert, window=(T0, T0), urgent=True)
    with History(history) as opened:
        opened.record(
            [
                make_incident(name, alerts=(msgspec.structs.replace(item, alert=alert),))
                for name, alert in (("t", ticked), ("u", arrived))
            ]
        )
    by_tick = cli("incident", "why", make_incident("t").id).stdout
    on_arrival = cli("incident", "why", make_incident("u").id).stdout
    window = f"looked at samples from {rfc3339(T0 - 60_000)} to {rfc3339(T0)}"

    assert f"{window}, watermark {rfc3339(T0)}" in by_tick
    assert "on arrival, before the watermark" in on_arrival


def test_alert_why_finds_the_incident(cli: Cli, history: Path) -> None:
    """By labels and time; another time or label finds nothing, exit code 1."""
    labels = "alertname=Slow,service=orders"
    found = cli("alert", "why", labels, "--at", rfc3339(T0 + 1_000))
    as_json = cli("alert", "why", labels, "--at", rfc3339(T0), "--output", "json")
    early = cli("alert", "why", labels, "--at", rfc3339(T0 - 1_000))

    assert (0, True) == (found.exit_code, "page 4" in found.stdout)
    assert ["storm"] == [d["gate"] for d in json.loads(as_json.stdout)[0]["decisions"]]
    assert (1, True) == (early.exit_code, "name files with its samples" in early.stderr)


def test_alert_why_asks_the_rule_over_files(cli: Cli, folder: Path, history: Path) -> None:
    """For an alert that never fired: value, condition, and the line of the rule."""
    (folder / "t.jsonl").write_text(
        f'{{"ts":{T0 - 40_000},"metric":"latency","value":0.2,"labels":{{"service":"cart"}}}}\n'
    )
    words = ("alert", "why", "alertname=Slow,service=cart", "t.jsonl", "--at", rfc3339(T0))
    found, as_json = cli(*words), cli(*words, "--output", "json")

    assert "the value is 0.2, the condition is > 0.3" in found.stdout
    assert [("condition_false", 0.2)] == [
        (a["reason"], a["value"]) for a in json.loads(as_json.stdout)["absent"]
    ]


@pytest.mark.embedded
@pytest.mark.parametrize("keyed", [False, True])
def test_alert_why_asks_the_rule_over_the_broker(cli: Cli, history: Path, *, keyed: bool) -> None:
    """Without files, over what the rules looked at: samples as ingest wrote them, or a keyed source."""
    config = history.parent / "tocsin.yaml"
    config.write_text(f"{CONFIG}sources: [{{topic: telemetry, keyed: {str(keyed).lower()}}}]\n")
    labels = make_labels({METRIC: "latency", TENANT: "default", "service": "cart"})
    batch = make_batch(
        "telemetry", 0, watermark=0, record_time=0, samples=[(labels, T0 - 40_000, 0.2, 0)]
    )
    sample = {"ts": T0 - 40_000, "metric": "latency", "value": 0.2, "labels": {"service": "cart"}}
    topic, value = (
        ("telemetry", json.dumps(sample).encode()) if keyed else (SAMPLES, encode_batch(batch))
    )
    words = ("alert", "why", "alertname=Slow,service=cart", "--at", rfc3339(T0))
    with EmbeddedBroker() as broker:
        broker.create_topics([topic])
        asyncio.run(produce(broker.bootstrap, topic, [value]))
        found = cli(*words, "--broker", broker.bootstrap)

    assert "the value is 0.2, the condition is > 0.3" in found.stdout, found.output


def test_bad_labels_are_one_line(cli: Cli, history: Path) -> None:
    """Exit code 2."""
    result = cli("alert", "why", "alertname", "--at", rfc3339(T0))

    assert (2, 1) == (result.exit_code, len(result.stderr.splitlines()))
