"""Telemetry that comes late, on its way through ingest and detect, cut and interleaved as one likes."""

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise, zip_longest
from typing import NamedTuple

import msgspec

from schemas import topics
from schemas.alerts import Alert, AlertRecord, Tick
from schemas.config import Config
from schemas.reasons import AlertState
from streams.detect.merge import MergeStage
from streams.detect.stage import DetectStage
from streams.ingest.stage import IngestStage
from streams.rules.load import parse_rules
from streams.stage import Outgoing
from streams.transport.chunk import Chunk

START = 1_700_000_000_000 - 1_700_000_000_000 % 60_000
SECOND = 1_000

RULES = """
groups:
  - name: g
    interval: 5s
    rules:
      - record: service:heat:max
        expr: max by (service) (max_over_time(heat[10s]))
      - alert: Hot
        expr: heat > 50
        for: 10s
      - alert: Warm
        expr: avg_over_time(heat[20s]) > 40
        keep_firing_for: 10s
      - alert: Recorded
        expr: service:heat:max > 60
  - name: slow
    interval: 20s
    rules:
      - alert: Many
        expr: count by (service) (heat > 30) > 1
"""


class Sent(NamedTuple):
    """One sample of a room as it stands in a source partition; seconds after the start."""

    partition: int
    second: int
    room: str
    value: float
    tenant: str = ""
    service: str = "house"


def make_config(**time: int) -> Config:
    """Two partitions, two seconds of lateness, and half a minute within which late samples amend."""
    limits = {"allowed_lateness": 2_000, "amend_within": 30_000, "tick": 1_000, **time}
    return Config.model_validate({"kafka": {"partitions": 2}, "time": limits})


def _record(sent: Sent) -> bytes:
    labels = {"service": sent.service, "room": sent.room, "tenant": sent.tenant}
    time = START + sent.second * SECOND
    return json.dumps(
        {"ts": time, "metric": "heat", "value": sent.value, "labels": labels}
    ).encode()


def _chunk(topic: str, partition: int, first: int, values: Sequence[bytes | None]) -> Chunk:
    stamps = [START + 3_600_000] * len(values)
    return Chunk(
        topic,
        partition,
        fetch_offset=first,
        next_offset=first + len(values),
        values=list(values),
        timestamps=stamps,
    )


class Line:
    """Both stages; `samples` is what stands on tocsin.samples, by detect partition."""

    def __init__(self, rules: str = RULES, **time: int) -> None:
        self.config = make_config(**time)
        self.groups, faults = parse_rules(rules, "rules.yml")
        assert faults == []
        source = self.config.sources[0]
        self._ingest = [IngestStage(self.config, source, source.topic, p) for p in range(2)]
        self._read = [0, 0]
        self.samples: list[list[bytes]] = [[], []]

    def feed(self, partition: int, sent: Iterable[Sent]) -> None:
        """One chunk of a source partition through ingest."""
        values = [_record(each) for each in sent]
        chunk = _chunk("telemetry", partition, self._read[partition], values)
        self._read[partition] += len(values)
        for record in self._ingest[partition].apply(chunk):
            if record.topic == topics.SAMPLES:
                assert record.partition is not None
                assert record.value is not None
                self.samples[record.partition].append(record.value)

    def stage(self, partition: int) -> DetectStage:
        """A fresh detect stage."""
        return DetectStage(self.config, self.groups, partition)

    def merge(self, partition: int) -> MergeStage:
        """A fresh second stage."""
        return MergeStage(self.config, self.groups, partition)


def detect(line: Line, cuts: Sequence[int] = (), restarts: Sequence[int] = ()) -> list[Alert]:
    """Transitions of both partitions, whose input is cut before these records, and that restart at these cuts."""
    found: list[Alert] = []
    for partition, values in enumerate(line.samples):
        out = _through(line.stage, topics.SAMPLES, partition, values, (cuts, restarts))
        found += alerts_of(r.value for part in out for r in part if r.topic == topics.ALERTS)
    return found


def detect_wide(line: Line, cuts: Sequence[int] = (), restarts: Sequence[int] = ()) -> list[Alert]:
    """Transitions of the second stage; both stages are cut and restarted so, the detect partitions in turns."""
    how = cuts, restarts
    told = [
        _through(line.stage, topics.SAMPLES, partition, values, how)
        for partition, values in enumerate(line.samples)
    ]
    partials: list[list[bytes | None]] = [[], []]
    for parts in zip_longest(*told, fillvalue=()):
        for record in (record for part in parts for record in part):
            if record.topic == topics.PARTIALS:
                assert record.partition is not None
                partials[record.partition].append(record.value)
    found: list[Alert] = []
    for partition, values in enumerate(partials):
        out = _through(line.merge, topics.PARTIALS, partition, values, how)
        found += alerts_of(r.value for part in out for r in part if r.topic == topics.ALERTS)
    return found


def through(stage: DetectStage, values: Sequence[bytes | None]) -> list[Alert]:
    """Transitions of all of a detect partition's input, a record at a time."""
    out = [stage.apply(_chunk(topics.SAMPLES, 0, at, [each])) for at, each in enumerate(values)]
    return alerts_of(r.value for part in out for r in part if r.topic == topics.ALERTS)


def _through(
    make: Callable[[int], DetectStage | MergeStage],
    topic: str,
    partition: int,
    values: Sequence[bytes | None],
    how: tuple[Sequence[int], Sequence[int]],
) -> list[Sequence[Outgoing]]:
    """What a stage says to each chunk of its partition."""
    cuts, restarts = how
    stage = make(partition)
    out: list[Sequence[Outgoing]] = []
    edges = sorted({0, len(values), *(c for c in cuts if c < len(values))})
    for first, last in pairwise(edges):
        if first in restarts:
            blob, stage = stage.snapshot(), make(partition)
            stage.restore(blob)
        out.append(stage.apply(_chunk(topic, partition, first, values[first:last])))
    return out


def alerts_of(values: Iterable[bytes | None]) -> list[Alert]:
    """The alerts among records, each once, without ticks."""
    decoded = [msgspec.json.decode(value or b"", type=AlertRecord) for value in values]
    return [record for record in decoded if not isinstance(record, Tick)]  # type: ignore[misc]  # no commands here


def run(sent: Sequence[Sent], *, rules: str = RULES, **time: int) -> list[Alert]:
    """What comes of telemetry, a record at a time."""
    line = Line(rules, **time)
    for each in sent:
        line.feed(each.partition, [each])
    return detect(line, range(10_000))


def in_order(sent: Iterable[Sent]) -> list[Sent]:
    """The same telemetry as if nothing had been late; of two samples for one time the first stays the first."""
    return sorted(sent, key=lambda each: each.second)


def standing(alerts: Iterable[Alert]) -> dict[str, tuple[int, float | None]]:
    """The alerts that fire in the end: since when their condition holds, and the value with which they fired."""
    fires: dict[str, tuple[int, float | None]] = {}
    for alert in sorted(alerts, key=lambda a: a.time):
        if alert.state is AlertState.FIRING:
            fires[alert.fingerprint] = alert.active_at, alert.value
        elif alert.state is AlertState.RESOLVED:
            fires.pop(alert.fingerprint, None)
    return fires
