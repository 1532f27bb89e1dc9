"""Churn: resident memory before many series come, with all of them, and after all have been silent and were retired.

One partition of ingest, or fused with the workload's rules or with none. A few series send all the time, so that time
goes on; the others send for twenty seconds, twice, and are retired after the configured time. Run as a module, it is
the process that is measured.
"""

import argparse
import gc
import time
from collections.abc import Iterator
from typing import Literal, get_args

from benchmarks import workload
from benchmarks.cardinality import resident_bytes
from benchmarks.measure import Measured, measured_in_process, report
from benchmarks.row import Row
from benchmarks.setting import Setting
from schemas.config import Config, LimitsConfig
from streams.detect.stage import FusedStage
from streams.ingest.stage import IngestStage
from streams.transport.chunk import Chunk
from streams.transport.heap import trim_heap

StageName = Literal["ingest", "fused_without_rules", "fused"]

SERIES = 200_000
STAYING = 100
RECORDS = 2_000
STRETCH_SECONDS = 20
IDLE_MS = 300_000
AFTER_SECONDS = 1_200
"""The staying series send for so long after the others have ended: by then those have been retired."""
START_MS = 1_760_000_000_000


def measure(setting: Setting, command: str) -> Iterator[Row]:
    """Rows of the benchmark."""
    series = SERIES // 10 if setting.quick else SERIES
    for stage in get_args(StageName):
        setting.say(f"churn: {series:,} series in {stage}")
        notes = measured_in_process("benchmarks.churn", [stage, str(series)]).notes
        base, peak, after = (notes[f"{when}_bytes"] / 1e6 for when in ("base", "peak", "after"))
        yield Row(f"churn.{stage}_peak", peak, "MB", command, "before the series came", base)
        yield Row(f"churn.{stage}_after", after, "MB", command, "before the series came", base)


def _stage(name: StageName) -> FusedStage | IngestStage:
    config: Config = workload.config("telemetry", keyed=name != "ingest").model_copy(
        update={"limits": LimitsConfig(series_idle=IDLE_MS)}
    )
    if name == "ingest":
        return IngestStage(config, config.sources[0], "telemetry", 0)
    rules = workload.rules() if name == "fused" else []
    return FusedStage(config, rules, config.sources[0], 0)


def chunks(series: int) -> Iterator[tuple[str, Chunk]]:
    """What is sent, and the phase that it belongs to."""
    offset = 0

    def chunk(services: range, prefix: bytes, at_ms: int) -> Chunk:
        nonlocal offset
        values: list[bytes | None] = [
            workload.encode(at_ms, 300.0 + n % 11, prefix + b"%06d" % n) for n in services
        ]
        offset += len(values)
        return Chunk(
            "telemetry",
            0,
            fetch_offset=offset - len(values),
            next_offset=offset,
            values=values,
            timestamps=[at_ms] * len(values),
        )

    now = START_MS
    for _ in range(30):
        now += 1_000
        yield "base", chunk(range(STAYING), b"stays-", now)
    for _ in range(2):
        for first in range(0, series, RECORDS):
            now += STRETCH_SECONDS * 1_000 * RECORDS // series
            yield "peak", chunk(range(first, min(first + RECORDS, series)), b"goes-", now)
    for _ in range(AFTER_SECONDS):
        now += 1_000
        yield "after", chunk(range(STAYING), b"stays-", now)


def run(name: StageName, series: int) -> Measured:
    """Resident memory at the end of each phase."""
    stage = _stage(name)
    done, notes = 0, {}
    began, spent = time.perf_counter(), time.process_time()
    for phase, chunk in chunks(series):
        stage.apply(chunk)
        done += len(chunk)
        notes[f"{phase}_bytes"] = max(notes.get(f"{phase}_bytes", 0), resident_bytes())
    gc.collect()
    # as a worker does after a checkpoint
    trim_heap()
    notes["after_bytes"] = resident_bytes()
    spent = time.process_time() - spent
    return Measured(done, spent, time.perf_counter() - began, notes)


def main() -> None:
    """Measure one stage, and report it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=get_args(StageName))
    parser.add_argument("series", type=int)
    given = parser.parse_args()
    report(run(given.stage, given.series))


if __name__ == "__main__":
    main()
