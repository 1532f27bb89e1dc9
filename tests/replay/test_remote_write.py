"""What the real Prometheus wrote, through the path: rules over it say what Prometheus says itself."""

import json
from collections.abc import Sequence

import numpy as np
import pytest

from schemas import topics
from schemas.alerts import Alert, Tick
from schemas.config import Config
from schemas.labels import TENANT
from schemas.reasons import AlertState
from schemas.records import decode_record
from streams.detect.stage import DetectStage, FusedStage
from streams.ingest.stage import IngestStage
from streams.replay.history import History
from streams.replay.pipeline import Pipeline, Recorded
from streams.rules.answer import answer
from streams.rules.load import parse_rules
from streams.rules.selectors import EVER_MS
from streams.stage import Outgoing, Stage
from streams.transport.chunk import Chunk
from streams.windows.series import SeriesStore
from tests.schemas.wire.remote_write.requests import GOLDEN, decode, prometheus

VERSIONS = pytest.mark.parametrize("version", [1, 2])
QUANTILE = "histogram_quantile(0.9, rate(request_seconds[6s]))"
LIMIT = 1.45
RULES = f"""
groups:
  - name: shop
    interval: 1s
    rules:
      - alert: Slow
        expr: {QUANTILE} > {LIMIT}
        annotations: {{value: "{{{{ $value }}}}"}}
      - {{alert: Gone, expr: up == 0}}
      - {{alert: HalfFull, expr: 'queue_ratio{{queue="half"}} == 0.5'}}
      - {{alert: Unlimited, expr: limit_bytes == Inf}}
"""


def groups() -> list:
    """The rules above."""
    found, faults = parse_rules(RULES, "rules.yml")
    assert [] == faults
    return found


def config(*, keyed: bool = False) -> Config:
    """One source that Prometheus writes to, one partition."""
    return Config.model_validate(
        {
            "kafka": {"partitions": 1},
            "time": {"tick": 1_000, "allowed_lateness": 2_000},
            "sources": [{"topic": "telemetry", "format": "remote_write", "keyed": keyed}],
        }
    )


def recorded(version: int) -> list[Recorded]:
    """What Prometheus wrote, as it would stand on the topic."""
    found = prometheus(version)
    return [Recorded("telemetry", 0, at, each.time, each.value) for at, each in enumerate(found)]


def told(out: Sequence[Outgoing]) -> list[Alert]:
    """The transitions among what goes out."""
    records = (decode_record(each.value or b"", Alert | Tick) for each in out if each.key)
    return [each for each in records if isinstance(each, Alert)]


def run(version: int, size: int = 1_000) -> list[Alert]:
    """Transitions of the two hops, the records cut in chunks of this size."""
    settings = config()
    source = settings.sources[0]
    pipeline = Pipeline(
        {
            "telemetry": lambda topic, p: IngestStage(settings, source, topic, p),
            topics.SAMPLES: lambda _, p: DetectStage(settings, groups(), p),
        },
        watch=(topics.ALERTS,),
    )
    records = recorded(version)
    out: list[Outgoing] = []
    for first in range(0, len(records), size):
        out += pipeline.feed(records[first : first + size])
    return told(out)


@VERSIONS
def test_expressions_say_what_prometheus_says(version: int) -> None:
    """Quantiles, fractions, sums and counts of native histograms, rates, stale series, NaN and infinity."""
    columns, interner = decode(*(each.value for each in prometheus(version)))
    history = History(SeriesStore(max_series=1_000, retention_ms=EVER_MS))
    ids, index = np.unique(columns.series, return_inverse=True)
    codes = [interner.label_bytes[at] for at in ids.tolist()]
    history.add(
        interner.fingerprints(ids), codes, index, columns.times, columns.values, columns.histograms
    )
    history.settle()
    compared = 0
    for each in json.loads(GOLDEN.read_text())["answers"]:
        if version == 1 and "answer_seconds" in each["expr"]:
            continue  # 1.0 has no histograms with custom buckets
        found = [
            ([list(pair) for pair in sample.labels if pair[0] != TENANT], sample.value)
            for sample in answer(history.store, each["expr"], each["time"])
        ]
        expected = [(labels, float(value)) for labels, value in each["series"]]
        assert [labels for labels, _ in expected] == [labels for labels, _ in found]
        np.testing.assert_allclose(
            [value for _, value in found], [value for _, value in expected], rtol=1e-13
        )
        compared += len(expected)

    assert compared > 100


@VERSIONS
def test_a_rule_fires_where_prometheus_says_so(version: int) -> None:
    """A quantile of a native histogram passes its limit: at a time at which Prometheus says so, with its value."""
    alerts = run(version)
    (fired,) = (a for a in alerts if a.rule.endswith("Slow") and a.state is AlertState.FIRING)
    answers = {
        each["time"]: float(each["series"][0][1])
        for each in json.loads(GOLDEN.read_text())["answers"]
        if each["expr"] == QUANTILE and each["series"]
    }
    before = [t for t, value in answers.items() if value <= LIMIT]
    after = [t for t, value in answers.items() if value > LIMIT]

    assert max(before) < fired.time <= min(after)
    assert min(answers.values()) < fired.value <= max(answers.values())


@VERSIONS
def test_a_stale_marker_ends_an_alert(version: int) -> None:
    """When the target goes away its series are gone at the next tick, not five minutes later; infinity fires."""
    moments = {(a.rule.split("/")[-1], a.state): a.time for a in run(version)}
    gone = moments["Gone", AlertState.FIRING]

    assert gone == moments["HalfFull", AlertState.RESOLVED]
    assert gone == moments["Unlimited", AlertState.RESOLVED]
    assert gone > moments["Unlimited", AlertState.FIRING]


@VERSIONS
@pytest.mark.parametrize("size", [1, 3])
def test_how_the_input_is_cut_changes_nothing(version: int, size: int) -> None:
    """The same transitions in chunks of any size."""
    assert run(version) == run(version, size)


def chunk(records: Sequence[Recorded]) -> Chunk:
    """These records of the source as fetched."""
    return Chunk(
        "telemetry",
        0,
        fetch_offset=records[0].offset,
        next_offset=records[-1].offset + 1,
        values=[each.value for each in records],
        timestamps=[each.timestamp_ms for each in records],
    )


@VERSIONS
@pytest.mark.parametrize("cut", [3, 8, 12])
def test_a_restart_and_the_fused_path_change_nothing(version: int, cut: int) -> None:
    """Histograms that are held, and those in the store, are in the snapshot; without the hop it is the same."""
    settings = config(keyed=True)
    records = recorded(version)

    def fused() -> Stage:
        return FusedStage(settings, groups(), settings.sources[0], 0)

    first, second = fused(), fused()
    out = first.apply(chunk(records[:cut]))
    second.restore(first.snapshot())
    out += second.apply(chunk(records[cut:]))

    assert run(version) == told(out)
