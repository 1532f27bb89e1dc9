"""What is left in memory of series that have fallen silent."""

import gc
import json
import tracemalloc
from collections.abc import Iterator

import pytest

from schemas.config import Config
from streams import compile_ahead
from streams.detect.stage import FusedStage
from streams.ingest.stage import IngestStage
from streams.rules.load import parse_rules
from streams.transport.chunk import Chunk

RULES = """
groups:
  - name: g
    interval: 10s
    rules:
      - {alert: Odd, expr: m, evaluate: on_arrival, detect: {detector: gaussian, false_alarms: 1 per week}}
      - {alert: Drift, expr: "rate(m[1m])", detect: {detector: robust, false_alarms: 1 per week}}
      - {alert: Share, expr: "sum by (service) (m + m) / count by (service) (m) > 1e9"}
      - {record: "m:mean", expr: "avg by (service) (m)"}
"""
START_MS = 1_700_000_000_000
FLOOD = 3_000


@pytest.fixture
def traced() -> Iterator[None]:
    """Count what Python and numpy allocate, but for what compiles, which is there before or comes in between."""
    compile_ahead.main()
    tracemalloc.start()
    yield
    tracemalloc.stop()


def stage(kind: type[FusedStage] | type[IngestStage]) -> FusedStage | IngestStage:
    """One partition; series are forgotten after two minutes."""
    config = Config.model_validate(
        {
            "kafka": {"partitions": 1},
            "sources": [{"topic": "telemetry", "keyed": kind is FusedStage}],
            "limits": {"series_idle": "2m"},
            "locality": ["tenant"],
        }
    )
    if kind is IngestStage:
        return IngestStage(config, config.sources[0], "telemetry", 0)
    groups, faults = parse_rules(RULES, "rules.yml")
    assert [] == faults
    return FusedStage(config, groups, config.sources[0], 0)


def read(reader: FusedStage | IngestStage, seconds: range, names: list[str]) -> int:
    """A sample of each of these services at each of these times; bytes in use afterwards."""
    for second in seconds:
        reader.apply(chunk(second, names))
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def chunk(second: int, names: list[str]) -> Chunk:
    """One sample of each of these services."""
    values: list[bytes | None] = [
        json.dumps(
            {"ts": START_MS // 1000 + second, "metric": "m", "value": 1, "labels": {"service": s}}
        ).encode()
        for s in names
    ]
    first = second * 100_000
    return Chunk(
        "telemetry",
        0,
        fetch_offset=first,
        next_offset=first + 100_000,
        values=values,
        timestamps=[START_MS + second * 1000] * len(values),
        offsets=range(first, first + len(values)),
    )


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("kind", [FusedStage, IngestStage])
def test_series_that_fall_silent_give_their_memory_back(
    kind: type[FusedStage] | type[IngestStage],
) -> None:
    """Of what thousands of series took, a twentieth at most is left once they have been forgotten."""
    few = ["stays-0", "stays-1"]
    flood = [f"goes-{n}" for n in range(FLOOD)]
    # what the interpreter itself keeps of so many names, such as the table of its texts, is there from now on
    read(stage(IngestStage), range(5), flood)
    reader = stage(kind)
    base = read(reader, range(0, 60, 10), few)
    peak = read(reader, range(60, 75, 5), few + flood)
    assert reader.series >= len(few) + FLOOD
    after = read(reader, range(100, 400, 20), few)

    assert reader.series < 20
    assert peak - base > 100 * FLOOD
    assert 20 * (after - base) < peak - base
