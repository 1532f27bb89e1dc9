"""Codec: samples to bytes and back, and native JSON to columns, each against orjson doing the same.

One core, nothing but the code itself; figures are samples in a second of CPU time.
"""

from collections.abc import Iterator
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
    batch = as_batch(records)
    objects = orjson.loads(b"[" + b",".join(records) + b"]")
    ours, theirs = encode_batch(batch), orjson.dumps(objects)
    yield Row(
        "codec.encode",
        per_cpu_second(lambda: _did(encode_batch(batch)), seconds),
        UNIT,
        command,
        "orjson.dumps of the same samples",
        per_cpu_second(lambda: _did(orjson.dumps(objects)), seconds),
        Goal("value", ">=", 5e6),
    )
    yield Row(
        "codec.decode",
        per_cpu_second(lambda: _did(decode_batch(ours)), seconds),
        UNIT,
        command,
        "orjson.loads of the same samples",
        per_cpu_second(lambda: _did(orjson.loads(theirs)), seconds),
        Goal("value", ">=", 20e6),
    )
    chunks = [records[at : at + CHUNK] for at in range(0, SAMPLES, CHUNK)]
    interner = new_interner()
    decoder = NativeJson(message_bytes=1_048_576, samples_per_message=100_000)
    known: dict[Any, int] = {}
    yield Row(
        "codec.ingest",
        per_cpu_second(
            lambda: sum(len(decoder.decode(list(c), interner).values) for c in chunks), seconds
        ),
        UNIT,
        command,
        "orjson.loads of each, a walk over its dict",
        per_cpu_second(lambda: sum(len(walk(c, known)[0]) for c in chunks), seconds),
    )


def as_batch(records: list[bytes]) -> SampleBatch:
    """The samples of these records as ingest puts them on tocsin.samples."""
    config = workload.config("telemetry", keyed=False)
    alone = config.model_copy(update={"kafka": config.kafka.model_copy(update={"partitions": 1})})
    stage = IngestStage(alone, config.sources[0], "telemetry", 0)
    chunk = Chunk(
        "telemetry",
        0,
        fetch_offset=0,
        next_offset=len(records),
        values=list(records),
        timestamps=[START_MS] * len(records),
    )
    batches, _ = stage.batches(chunk)
    return batches[0]


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


def _did(_: object) -> int:
    return SAMPLES
