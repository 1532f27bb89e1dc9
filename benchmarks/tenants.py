"""Tenants: what one tenant that sends ever new series costs twenty others, in CPU time and in memory.

The others send 500 series each, a sample a second; the flood is as many samples a second, each of a series of its own.
A tenant may have 5,000 series. All share one partition. CPU time is that of the stage alone, read with and without the
flood in turns; memory is that of a process of its own, beside that of one where a tenant sends as many samples of the
5,000 series that it may have. Run as a module, it is such a process.
"""

import argparse
import gc
import resource
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from benchmarks import workload
from benchmarks.measure import Measured, measured_in_process, report
from benchmarks.row import Goal, Row
from schemas.config import Config, LimitsConfig
from schemas.reasons import DeadLetterReason
from streams.detect.stage import FusedStage
from streams.ingest.stage import IngestStage
from streams.transport.chunk import Chunk
from streams.transport.heap import trim_heap

Flood = Literal["none", "calm", "random", "full"]
StageName = Literal["fused", "ingest"]

TENANTS = 20
SERIES = 500
LIMIT = 5_000
CHUNKS_A_SECOND = 5
VARIANTS = 8
START_MS = 1_760_000_000_000
WARM_UP_SECONDS = 20
"""Long enough for the flood to reach its limit."""
FLOOD_A_SECOND = 500_000
"""Samples of the flood for each second that the benchmark is given: two make a million."""
TIMED: tuple[Flood, ...] = ("none", "calm", "random")
UNIT = "samples/s/core"
MEMORY_GOAL = 1.1
"""Of what as many good series take: an allocator is never the same twice."""


def measure(seconds: float, command: str) -> Iterator[Row]:
    """Rows of the benchmark."""
    length = WARM_UP_SECONDS + int(seconds * FLOOD_A_SECOND) // SERIES
    for stage in get_args(StageName):
        together = _run(stage, TIMED, length)
        alone, calm, flood = (
            together.messages / together.notes[f"{kind}_cpu_us"] * 1e6 for kind in TIMED
        )
        kinds: tuple[Flood, ...] = ("none", "full", "random")
        without, full, with_flood = (_run(stage, [kind], length) for kind in kinds)
        may, took = (
            (run.notes["rss_bytes"] - without.notes["rss_bytes"]) / 1e6
            for run in (full, with_flood)
        )
        goal = Goal("ratio", ">=", 0.91)
        others = "the twenty without the flood"
        yield Row(f"tenants.{stage}", flood, UNIT, command, others, alone, goal)
        behaves = "a twenty-first tenant that behaves"
        yield Row(f"tenants.{stage}_calm", flood, UNIT, command, behaves, calm)
        yield Row(
            f"tenants.{stage}_memory",
            took,
            "MB more than without",
            command,
            f"a tenant with {LIMIT:,} series",
            may,
            Goal("ratio", "<=", MEMORY_GOAL),
        )
        yield Row(
            f"tenants.{stage}_growth",
            with_flood.notes["grown_bytes"] / 1e6,
            f"MB while {with_flood.notes['refused']:,} series were refused",
            command,
            others,
            without.notes["grown_bytes"] / 1e6,
        )


def _run(stage: StageName, floods: Sequence[Flood], length: int) -> Measured:
    arguments = ["--stage", stage, "--floods", *floods, "--seconds", str(length)]
    return measured_in_process("benchmarks.tenants", arguments)


class Senders:
    """The records of all tenants, second by second."""

    def __init__(self, flood: Flood) -> None:
        draw = np.random.default_rng(1)
        names = [
            (f"tenant-{t:02d}".encode(), f"service-{n:04d}".encode())
            for n in range(SERIES)
            for t in range(TENANTS)
        ]
        noise = draw.normal(300.0, workload.NOISE, (VARIANTS, len(names))).tolist()
        self._tails = [
            [_tail(value, *name) for value, name in zip(row, names, strict=True)] for row in noise
        ]
        self._flood = flood

    def second(self, number: int) -> list[bytes]:
        """What they send in this second; of the flood one record after each twenty."""
        head = b'{"ts":%d,' % (START_MS + 1000 * number)
        good = [head + tail for tail in self._tails[number % VARIANTS]]
        if self._flood == "none":
            return good
        first = SERIES * number
        size = LIMIT if self._flood == "full" else SERIES
        # an odd number times 0 to 2**32 - 1 is every number once, in no order
        names = (
            b"%08x" % ((at * 2_654_435_761) % 2**32)
            if self._flood == "random"
            else b"service-%04d" % (at % size)
            for at in range(first, first + SERIES)
        )
        bad = [head + _tail(300.0, b"tenant-20", name) for name in names]
        rows = zip(*(good[at::TENANTS] for at in range(TENANTS)), bad, strict=True)
        return list(chain.from_iterable(rows))


def _tail(value: float, tenant: bytes, service: bytes) -> bytes:
    return b'"metric":"%b","value":%.4f,"labels":{"tenant":"%b","service":"%b"}}' % (
        workload.METRIC.encode(),
        value,
        tenant,
        service,
    )


def _stage(name: StageName) -> FusedStage | IngestStage:
    config: Config = workload.config("telemetry", keyed=name == "fused").model_copy(
        update={"limits": LimitsConfig(series_per_tenant=LIMIT)}
    )
    if name == "fused":
        return FusedStage(config, workload.rules(), config.sources[0], 0)
    return IngestStage(config, config.sources[0], "telemetry", 0)


class Lane:
    """A stage and what is sent to it; `spent_seconds` is the CPU time of the stage."""

    def __init__(self, stage: StageName, flood: Flood) -> None:
        self.stage, self.senders = _stage(stage), Senders(flood)
        self.spent_seconds = 0.0
        self._offset = 0

    def read(self, second: int) -> None:
        """Read a second of log."""
        records = self.senders.second(second)
        size = len(records) // CHUNKS_A_SECOND
        for first in range(0, len(records), size):
            chunk = _chunk(records[first : first + size], self._offset, second)
            self._offset = chunk.next_offset
            before = time.process_time()
            self.stage.apply(chunk)
            self.spent_seconds += time.process_time() - before

    def refused(self) -> int:
        """Samples of the flood that were refused.

        Raises:
            RuntimeError: something else was refused too.

        """
        found = {f.reason: f.total for f in self.stage.figures() if f.name == "refused"}
        if found.keys() - {DeadLetterReason.TOO_MANY_SERIES.value}:
            raise RuntimeError(f"more was refused than the flood: {found}")
        return sum(found.values())


def run(stage: StageName, floods: Sequence[Flood], length: int) -> Measured:
    """Read that many seconds of log, with each flood in turn, so that whatever else runs here slows all alike.

    Messages are those of the twenty after the warm-up.
    """
    lanes = {flood: Lane(stage, flood) for flood in floods}
    began, rss_bytes = time.perf_counter(), 0
    for second in range(length):
        if second == WARM_UP_SECONDS:
            began, rss_bytes = time.perf_counter(), _rss_bytes()
            for lane in lanes.values():
                lane.spent_seconds = 0.0
        for lane in lanes.values():
            lane.read(second)
    grown_bytes = _rss_bytes() - rss_bytes
    return Measured(
        (length - WARM_UP_SECONDS) * TENANTS * SERIES,
        sum(lane.spent_seconds for lane in lanes.values()),
        time.perf_counter() - began,
        {f"{flood}_cpu_us": int(lane.spent_seconds * 1e6) for flood, lane in lanes.items()}
        | {
            "rss_bytes": _rss_bytes(),
            "grown_bytes": grown_bytes,
            "refused": sum(lane.refused() for lane in lanes.values()),
        },
    )


def _chunk(records: list[bytes], offset: int, second: int) -> Chunk:
    return Chunk(
        "telemetry",
        0,
        fetch_offset=offset,
        next_offset=offset + len(records),
        values=list(records),
        timestamps=[START_MS + 1000 * second] * len(records),
    )


def _rss_bytes() -> int:
    """Memory of this process now, without the free pages that the C library keeps by chance."""
    gc.collect()
    trim_heap()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def main() -> None:
    """Run one combination and report it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", choices=get_args(StageName), required=True)
    parser.add_argument("--floods", choices=get_args(Flood), nargs="+", required=True)
    parser.add_argument("--seconds", type=int, required=True, help="of log")
    given = parser.parse_args()
    report(run(given.stage, given.floods, given.seconds))


if __name__ == "__main__":
    main()
