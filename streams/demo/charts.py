"""Charts of the demo: each service's latency, errors, traffic and memory, with the band that a detector expected.

The telemetry that was sent is put through the same pure stages once more, with the rules of charts.yml; what they see
at each tick is what is drawn.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from schemas import topics
from schemas.config import Config
from schemas.labels import TENANT, get_label
from streams.demo.report import Chart
from streams.detect.stage import DetectStage
from streams.ingest.stage import IngestStage
from streams.produce.telemetry import Record
from streams.replay.pipeline import Pipeline, Recorded
from streams.rules.alerting import Evaluated
from streams.rules.rule import RuleGroup

Key = tuple[str, str, str, str]
Point = tuple[int, float, float | None, float | None, float | None]

CHUNK = 500


class _Drawing:
    """Points by (title, unit, tenant, entity), as the evaluations come in."""

    def __init__(self) -> None:
        self.points: dict[Key, list[Point]] = {}

    def take(self, found: Evaluated) -> None:
        """Note one evaluation."""
        verdict = found.verdict
        for at, (row, value) in enumerate(
            zip(found.vector.rows.tolist(), found.vector.values.tolist(), strict=True)
        ):
            labels = found.space.labels[row]
            entity = get_label(labels, "host") or get_label(labels, "service")
            key = (found.rule.name, found.rule.labels["unit"], get_label(labels, TENANT), entity)
            low = expected = high = None
            if verdict is not None:
                low, expected, high = (
                    _finite(column[at]) for column in (verdict.low, verdict.expected, verdict.high)
                )
            self.points.setdefault(key, []).append((found.time, value, expected, low, high))


def _finite(value: float) -> float | None:
    return float(value) if abs(value) < float("inf") else None


def draw(config: Config, groups: list[RuleGroup], sent: Iterable[Record]) -> list[Chart]:
    """A chart for each series of each rule, gaps where nothing was heard."""
    drawing = _Drawing()

    def detect(_topic: str, partition: int) -> DetectStage:
        stage = DetectStage(config, groups, partition)
        stage.core.engine.trace(drawing.take)
        return stage

    source = config.sources[0]
    pipeline = Pipeline(
        {source.topic: lambda t, p: IngestStage(config, source, t, p), topics.SAMPLES: detect},
        watch=(),
    )
    records = _placed(sent, source.topic, config.kafka.partitions)
    while chunk := list(islice(records, CHUNK)):
        pipeline.feed(chunk)
    interval = groups[0].interval_ms
    return [_chart(key, points, interval) for key, points in sorted(drawing.points.items())]


def _placed(sent: Iterable[Record], topic: str, partitions: int) -> Iterator[Recorded]:
    offsets: Counter[int] = Counter()
    for turn, record in enumerate(sent):
        partition = turn % partitions
        yield Recorded(topic, partition, offsets[partition], record.timestamp_ms, record.value)
        offsets[partition] += 1


def _chart(key: Key, points: list[Point], interval: int) -> Chart:
    title, unit, tenant, entity = key
    by_time: Mapping[int, Point] = {p[0]: p for p in points}
    times = list(range(points[0][0], points[-1][0] + 1, interval))
    rows = [by_time.get(t, (t, None, None, None, None)) for t in times]
    _, values, expected, low, high = zip(*rows, strict=True)
    banded = any(e is not None for e in expected)
    return Chart(
        title,
        unit,
        tenant,
        entity,
        times,
        values,
        expected if banded else None,
        low if banded else None,
        high if banded else None,
    )
