"""Checkpoints: what one of 100,000 series costs, and what writing only what has changed would save.

One fused partition with the workload's rules, each series known by 30 samples. A checkpoint holds up the event loop
while the state is frozen, once for each partition that it has: `pause_each` is that of a quarter of the series, as many
as each of four partitions has. Checksums, compression and writing go on beside it. Then five seconds of telemetry come,
once of all series and once of one in twelve, as with a scrape each minute, and the two snapshots are laid side by side:
what share of their blocks of 4 KiB differ is what an incremental checkpoint would have to write at the least.
"""

import time
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks import workload
from benchmarks.row import Goal, Row
from benchmarks.setting import Setting
from schemas.config import Config
from streams.detect.stage import FusedStage
from streams.state.codec import decode
from streams.state.packing import compress
from streams.transport.chunk import Chunk

SERIES = 100_000
KNOWN_BY = 30
INTERVAL_SECONDS = 5
ONE_IN = 12
BLOCK = 4_096
START_MS = 1_760_000_000_000
RECORDS = 5_000
PAUSE_MS = 50.0
"""The longest that an event loop may be held up where an alert has 50 ms (`latency`)."""


def measure(setting: Setting, command: str) -> Iterator[Row]:
    """Rows of the benchmark."""
    series = SERIES // 10 if setting.quick else SERIES
    config = workload.config("telemetry", keyed=True)
    setting.say(f"checkpoints: {series:,} series")
    goal = Goal("value", "<=", PAUSE_MS)
    share, _ = _known(config, series // workload.PARTITIONS)
    yield Row("checkpoints.pause_each", _least_ms(share.freeze), "ms of CPU", command, goal=goal)
    stage, sender = _known(config, series)
    before = stage.snapshot()
    pause = _least_ms(stage.freeze)
    packed = compress(before)
    packing = _least_ms(lambda: compress(before))
    restoring = _least_ms(
        lambda: FusedStage(config, workload.rules(), config.sources[0], 0).restore(before)
    )
    yield Row("checkpoints.pause", pause, "ms of CPU", command, goal=goal)
    yield Row("checkpoints.compression", packing, "ms of CPU beside it", command)
    yield Row("checkpoints.restore", restoring, "ms of CPU", command)
    yield Row("checkpoints.bytes", len(packed) / 1e6, "MB", command, "plain", len(before) / 1e6)
    for name, each in (("all", 1), ("one_in_twelve", ONE_IN)):
        first = stage.snapshot()
        for second in range(INTERVAL_SECONDS):
            sender.second(range(second % each, series, each))
        changed, total = differing(first, stage.snapshot())
        yield Row(f"checkpoints.changed_{name}", changed / 1e6, "MB", command, "whole", total / 1e6)


def _known(config: Config, series: int) -> tuple[FusedStage, "Sender"]:
    """A stage that knows so many series, and who feeds it."""
    stage = FusedStage(config, workload.rules(), config.sources[0], 0)
    sender = Sender(stage)
    for _ in range(KNOWN_BY):
        sender.second(range(series))
    return stage, sender


class Sender:
    """Feeds a stage."""

    def __init__(self, stage: FusedStage) -> None:
        self._stage = stage
        self._offset = 0
        self._now_ms = START_MS
        self._draw = np.random.default_rng(1)

    def second(self, services: range) -> None:
        """One sample of each of these series, a second after the last."""
        self._now_ms += 1_000
        for first in range(0, len(services), RECORDS):
            some = services[first : first + RECORDS]
            levels = self._draw.normal(300.0, workload.NOISE, len(some)).tolist()
            values: list[bytes | None] = [
                workload.encode(self._now_ms, level, b"service-%06d" % n)
                for n, level in zip(some, levels, strict=True)
            ]
            begin = self._offset
            self._offset += len(values)
            stamps = [self._now_ms] * len(values)
            self._stage.apply(
                Chunk(
                    "telemetry",
                    0,
                    fetch_offset=begin,
                    next_offset=self._offset,
                    values=values,
                    timestamps=stamps,
                )
            )


def differing(first: bytes, second: bytes) -> tuple[int, int]:
    """Bytes of the blocks of all columns in the second snapshot that are not those of the first, and of all blocks."""
    old, new = decode(first).columns, decode(second).columns
    changed = total = 0
    for name, column in new.items():
        now, then = _raw(column), _raw(old.get(name, b""))
        for at in range(0, len(now), BLOCK):
            block = now[at : at + BLOCK]
            total += len(block)
            if block != then[at : at + BLOCK]:
                changed += len(block)
    return changed, total


def _raw(column: object) -> bytes:
    return column.tobytes() if isinstance(column, np.ndarray) else bytes(column)  # type: ignore[call-overload]  # a column is an array or bytes


def _least_ms(work: Callable[[], object], times: int = 3) -> float:
    """CPU time of the fastest of some runs: what else the machine does is not in it."""
    found = []
    for _ in range(times):
        began = time.process_time()
        work()
        found.append((time.process_time() - began) * 1000)
    return min(found)
