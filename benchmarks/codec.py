"""Codec: samples to bytes and back, and native JSON to columns, each against orjson doing the same.

One core, nothing but the code itself; figures are samples in a second of CPU time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson

from benchmarks import workload
from benchmarks.measure import per_cpu_second
from benchmarks.row import Goal, Row
from schemas.config import LimitsConfig
from schemas.samples import SampleBatch, decode_batch, encode_batch
from schemas.wire.interner import Identity, Interner
from schemas.wire.native import NativeJson
from streams.ingest.stage import IngestStage
from streams.transport.chunk import Chunk

SAMPLES = 20_000
CHUNK = 2_000
"""Records that a fetch of 256 KB brings of this workload."""
UNIT = "samples/s/core"
START_MS = 1_760_000_000_000

Walked = tuple[list[int], list[int], list[float]]


def measure(seconds: float, command: str) -> Iterator[Row]:
    """Rows of the benchmark; each figure takes about `seconds`."""
    records = [m.value for m in workload.messages(SAMPLES, START_MS)]
    chunks = [records[at : at + CHUNK] for at in range(0, SAMPLES, CHUNK)]
    yield from _batches("", batches(records, 1), records, seconds, command)
    # what the two hops really send: a fetch, spread over the detect partitions
    spread = batches(chunks[0], workload.PARTITIONS)
    yield from _batches("_fetch", spread, chunks[0], seconds, command)
    interner = new_interner()
    decoder = NativeJson(message_bytes=1_048_576, samples_per_message=100_000)
    values: list[list[bytes | None]] = [list(chunk) for chunk in chunks]
    known: dict[Any, int] = {}
    yield Row(
        "codec.ingest",
        per_cpu_second(
            lambda: sum(len(decoder.decode(c, interner).values) for c in values), seconds
        ),
        UNIT,
        command,
        "orjson.loads of each, a walk over its dict",
        per_cpu_second(lambda: sum(len(walk(c, known)[0]) for c in chunks), seconds),
    )


def _batches(
    suffix: str,
    given: Sequence[SampleBatch],
    records: Sequence[bytes],
    seconds: float,
    command: str,
) -> Iterator[Row]:
    objects = orjson.loads(b"[" + b",".join(records) + b"]")
    ours, theirs = list(map(encode_batch, given)), orjson.dumps(objects)
    count = len(records)

    def rate(work: Callable[[], object]) -> float:
        def run() -> int:
            work()
            return count

        return per_cpu_second(run, seconds)

    yield Row(
        f"codec.encode{suffix}",
        rate(lambda: list(map(encode_batch, given))),
        UNIT,
        command,
        "orjson.dumps of the same samples",
        rate(lambda: orjson.dumps(objects)),
        Goal("value", ">=", 5e6),
    )
    yield Row(
        f"codec.decode{suffix}",
        rate(lambda: list(map(decode_batch, ours))),
        UNIT,
        command,
        "orjson.loads of the same samples",
        rate(lambda: orjson.loads(theirs)),
        Goal("value", ">=", 20e6),
    )


def batches(records: Sequence[bytes], partitions: int) -> list[SampleBatch]:
    """The samples of these records as ingest puts them on tocsin.samples."""
    config = workload.config("telemetry", keyed=False, partitions=partitions)
    stage = IngestStage(config, config.sources[0], "telemetry", 0)
    chunk = Chunk(
        "telemetry",
        0,
        fetch_offset=0,
        next_offset=len(records),
        values=list(records),
        timestamps=[START_MS] * len(records),
    )
    found = [decode_batch(sent.value or b"") for sent in stage.apply(chunk)]
    # as ingest has them when it encodes: cut into pieces already
    return [replace(batch, label_bytes=list(batch.label_bytes)) for batch in found]


def new_interner() -> Interner:
    """An interner that knows nothing yet."""
    return Interner(Identity(), LimitsConfig())


def walk(records: list[bytes], known: dict[Any, int]) -> Walked:
    """Columns in the plain way: one dict a record, series found by a tuple of their labels."""
    series: list[int] = []
    times: list[int] = []
    values: list[float] = []
    for record in records:
        sample = orjson.loads(record)
        name = (sample["metric"], tuple(sorted(sample["labels"].items())))
        series.append(known.setdefault(name, len(known)))
        times.append(sample["ts"])
        values.append(sample["value"])
    return series, times, values
