"""Cardinality: what a sample costs with a thousand to a million live series, and what memory a series takes.

The workload's job in memory, from bytes to alerts, through four fused partitions: each series sends a sample every two
seconds, so that a tick every ten sees five of each. Memory is that of two hops, ingest and detect in one process, with
a sample of each series every ten seconds, beside what the process takes with hardly any; what the label sets' canonical
text takes is shown beside it. Run as a module, it is the process that is measured.
"""

import argparse
import gc
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import workload
from benchmarks.measure import Measured, measured_in_process, report
from benchmarks.row import Goal, Row
from benchmarks.setting import Setting
from schemas.config import Config, LimitsConfig
from schemas.labels import METRIC, TENANT, encode_labels, make_labels
from schemas.topics import SAMPLES
from streams import compile_ahead
from streams.detect.stage import DetectStage, FusedStage
from streams.ingest.stage import IngestStage
from streams.stage import Outgoing
from streams.transport.chunk import Chunk
from streams.transport.heap import trim_heap

SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000, "1M": 1_000_000}
LIVE = 100_000
"""Series of the memory's measurement."""
MOST_BYTES = 600
"""That a live series may take beside the text of its labels."""
PERIOD_MS = 2_000
SPARSE_MS = 10_000
FEW = 400
WARM_UP_ROUNDS = 80
LEAST_SAMPLES = 500_000
RECORDS = 7_500
"""In a chunk: what a fetch of a megabyte brings."""
START_MS = 1_760_000_000_000
LIMITS = LimitsConfig(
    series=2_000_000, series_per_tenant=2_000_000, samples_per_second=1_000_000_000
)


def measure(setting: Setting, command: str) -> Iterator[Row]:
    """Rows of the benchmark."""
    first: float | None = None
    sizes = dict(list(SIZES.items())[:3]) if setting.quick else SIZES
    for name, size in sizes.items():
        setting.say(f"cardinality: {size:,} series")
        measured = measured_in_process("benchmarks.cardinality", ["cost", str(size)])
        cost = measured.cpu_seconds / measured.messages * 1e9
        if first is None:
            first = cost
            yield Row(f"cardinality.cost_{name}", cost, "ns/sample", command)
            continue
        goal = Goal("ratio", "<=", 3.0) if name == "1M" else None
        against = f"with {SIZES['1k']:,} series"
        yield Row(f"cardinality.cost_{name}", cost, "ns/sample", command, against, first, goal)
    setting.say(f"cardinality: memory of {LIVE:,} series")
    found = measured_in_process("benchmarks.cardinality", ["memory", str(LIVE)]).notes
    text = len(_labels(0))
    beside = f"{MOST_BYTES} bytes and the {text} of the label text"
    goal = Goal("ratio", "<=", 1.0)
    yield Row(
        "cardinality.memory",
        found["series_bytes"] / LIVE,
        "bytes/series",
        command,
        beside,
        MOST_BYTES + text,
        goal,
    )
    yield Row("cardinality.memory_total", found["rss_bytes"] / 1e6, "MB", command)
    yield Row("cardinality.longest_chunk", found["longest_us"] / 1e3, "ms", command)


def _config(*, keyed: bool) -> Config:
    return workload.config("telemetry", keyed=keyed).model_copy(update={"limits": LIMITS})


def _service(number: int) -> bytes:
    return b"service-%06d" % number


def _labels(number: int) -> bytes:
    """Canonical label set of a series."""
    names = {METRIC: workload.METRIC, TENANT: "default", "service": _service(number).decode()}
    return encode_labels(make_labels(names))


def chunks(size: int, period_ms: int, first: int, rounds: int) -> Iterator[Chunk]:
    """Every series once a round, from the round `first` on; chunks are equally long whatever the number of series."""
    count = size // workload.PARTITIONS
    for at in range(first * count, (first + rounds) * count, RECORDS):
        places = range(at, min(at + RECORDS, (first + rounds) * count))
        times = [START_MS + place * period_ms // count for place in places]
        for partition in range(workload.PARTITIONS):
            values: list[bytes | None] = []
            for place, time_ms in zip(places, times, strict=True):
                turn, n = divmod(place, count)
                service = _service(n * workload.PARTITIONS + partition)
                values.append(workload.encode(time_ms, 300.0 + (n * 7 + turn) % 11, service))
            yield Chunk(
                "telemetry",
                partition,
                fetch_offset=at,
                next_offset=at + len(values),
                values=values,
                timestamps=times,
            )


def cost(size: int) -> Measured:
    """CPU time of all samples after the first rounds, whole windows of them."""
    warm_up()
    config = _config(keyed=True)
    groups, source = workload.rules(), config.sources[0]
    stages = [FusedStage(config, groups, source, p) for p in range(workload.PARTITIONS)]
    window = workload.WINDOW_SECONDS * 1000 // PERIOD_MS
    for chunk in chunks(size, PERIOD_MS, 0, 2 * window):
        stages[chunk.partition].apply(chunk)
    gc.collect()
    gc.freeze()
    rounds = window * max(1, LEAST_SAMPLES // (size * window))
    spent, done, began = 0.0, 0, time.perf_counter()
    for chunk in chunks(size, PERIOD_MS, 2 * window, rounds):
        at = time.process_time()
        stages[chunk.partition].apply(chunk)
        spent += time.process_time() - at
        done += len(chunk)
    return Measured(done, spent, time.perf_counter() - began)


def memory(size: int) -> Measured:
    """Resident memory that the series took, after six rounds, beside that of all else in the process."""
    warm_up()
    began, before = time.perf_counter(), resident_bytes()
    hops = TwoHops()
    done = hops.fill(size, 6)
    gc.collect()
    # as a worker does after a checkpoint
    trim_heap()
    whole = resident_bytes()
    notes = {
        "series_bytes": whole - before,
        "rss_bytes": whole,
        "longest_us": round(hops.longest * 1e6),
    }
    return Measured(done, 0.0, time.perf_counter() - began, notes)


class TwoHops:
    """Ingest and detect of the job.

    Attributes:
        longest: the longest CPU time of a stage with one chunk, in seconds.

    """

    def __init__(self) -> None:
        config, partitions = _config(keyed=False), range(workload.PARTITIONS)
        source, groups = config.sources[0], workload.rules()
        self._ingest = [IngestStage(config, source, "telemetry", p) for p in partitions]
        self._detect = [DetectStage(config, groups, p) for p in partitions]
        self._sent = [0 for _ in partitions]
        self.longest = 0.0

    def fill(self, size: int, rounds: int) -> int:
        """A sample of each series a round; how many that were."""
        done = 0
        for chunk in chunks(size, SPARSE_MS, 0, rounds):
            done += len(chunk)
            for record in self._apply(self._ingest[chunk.partition], chunk):
                if record.topic != SAMPLES:
                    raise RuntimeError(f"a sample was refused: {record}")
                at = record.partition or 0
                offset = self._sent[at]
                self._sent[at] += 1
                values: list[bytes | None] = [record.value]
                one = Chunk(
                    SAMPLES,
                    at,
                    fetch_offset=offset,
                    next_offset=offset + 1,
                    values=values,
                    timestamps=[0],
                )
                self._apply(self._detect[at], one)
        return done

    def _apply(self, stage: IngestStage | DetectStage, chunk: Chunk) -> list[Outgoing]:
        at = time.process_time()
        found = stage.apply(chunk)
        self.longest = max(self.longest, time.process_time() - at)
        return found


def warm_up() -> None:
    """Let the process have what it takes whatever its series are, compiled code among it."""
    compile_ahead.main()
    for _ in range(2):
        TwoHops().fill(FEW, WARM_UP_ROUNDS)
    gc.collect()
    trim_heap()


def resident_bytes() -> int:
    """Memory of this process now."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def main() -> None:
    """Measure one thing, and report it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["cost", "memory"])
    parser.add_argument("series", type=int)
    given = parser.parse_args()
    report((cost if given.what == "cost" else memory)(given.series))


if __name__ == "__main__":
    main()
