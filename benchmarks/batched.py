"""Batched: telemetry of many samples a record, as JSON arrays, Arrow and samples, from bytes through the fused stage.

The stage is that of a `keyed: true` source: decode, judge, a z-score of each sample, alerts out. One core, nothing but
the code itself; figures are samples in a second of CPU time, when all series are known. Ten producers take turns; a
record holds ten samples of each of a producer's series.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import orjson
import pyarrow as pa

from benchmarks import workload
from benchmarks.measure import STRETCHES, per_cpu_second
from benchmarks.row import Goal, Row
from schemas.config import Config, LimitsConfig, SourceConfig
from schemas.labels import METRIC, encode_labels, fingerprint_bytes, make_labels
from schemas.samples import SampleBatch, encode_batch
from schemas.topics import DEAD_LETTERS
from schemas.wire.interner import Identity, Interner
from schemas.wire.registry import make_decoder
from streams.detect.stage import FusedStage
from streams.transport.chunk import Chunk

UNIT = "samples/s/core"
START_MS = 1_760_000_000_000
PRODUCERS = 10
SAMPLES = 10 * workload.SERIES // PRODUCERS
"""In a record."""
SPAN_MS = 1_000
"""That a record covers."""
RECORDS = 4
"""In a chunk."""
CHUNKS = 60
WARM_CHUNKS = 30
"""Chunks after which every series is known, its detector has warmed up, and the rules have seen it at a tick."""
GOAL = 5e6
LIMITS = LimitsConfig(message_bytes=16_777_216, samples_per_second=1_000_000_000)
"""Over those of the workload: what it costs to keep within is measured, what is refused is not."""


class Part(NamedTuple):
    """The samples of one record."""

    rows: np.ndarray[tuple[int, ...], np.dtype[np.intp]]
    times: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def measure(seconds: float, command: str) -> Iterator[Row]:
    """Rows of the benchmark; each figure takes about `seconds`."""
    drawn = parts(RECORDS * CHUNKS)
    arrays = [as_native(part) for part in drawn[:RECORDS]]
    plain = per_cpu_second(lambda: sum(len(orjson.loads(value)) for value in arrays), seconds)
    against = ("orjson.loads of the arrays", plain)
    for name, encode in FORMS.items():
        values = [encode(part) for part in drawn]
        goal = None if name == "native" else Goal("value", ">=", GOAL)
        decoded = per_cpu_second(decoding(name, values[:RECORDS]), seconds)
        yield Row(f"batched.{name}.decode", decoded, UNIT, command, *against)
        through = fused(name, values, seconds)
        yield Row(f"batched.{name}.fused", through, UNIT, command, *against, goal)


def decoding(name: str, values: Sequence[bytes]) -> Callable[[], int]:
    """Decodes these records to columns; the number of samples."""
    decoder, interner = make_decoder(name, LIMITS), Interner(Identity(), LIMITS)
    return lambda: len(decoder.decode(values, interner).values)


def fused(name: str, values: Sequence[bytes], seconds: float) -> float:
    """Samples that a fused stage takes in a second of CPU time, once it knows all series."""
    source = SourceConfig(topic="telemetry", format=name, keyed=True)
    plain = workload.config("telemetry", keyed=True)
    config = Config(kafka=plain.kafka, sources=(source,), limits=LIMITS)
    chunks = [chunk_of(values, first) for first in range(0, len(values), RECORDS)]
    best = 0.0
    for _ in range(STRETCHES):
        done, spent = 0, 0.0
        while spent < seconds / STRETCHES:
            stage = FusedStage(config, workload.rules(), source, 0)
            for chunk in chunks[:WARM_CHUNKS]:
                stage.apply(chunk)
            began = time.process_time()
            sent = [record for chunk in chunks[WARM_CHUNKS:] for record in stage.apply(chunk)]
            spent += time.process_time() - began
            done += (len(chunks) - WARM_CHUNKS) * RECORDS * SAMPLES
            if refused := sum(record.topic == DEAD_LETTERS for record in sent):
                raise RuntimeError(f"{refused} samples were refused: not the same job")
        best = max(best, done / spent)
    return best


def chunk_of(values: Sequence[bytes], first: int) -> Chunk:
    """The records of a fetch, from number `first` on."""
    of_chunk = list(values[first : first + RECORDS])
    stamps = [START_MS + (first + at) // PRODUCERS * SPAN_MS for at in range(len(of_chunk))]
    return Chunk(
        "telemetry",
        0,
        fetch_offset=first,
        next_offset=first + len(of_chunk),
        values=list(of_chunk),
        timestamps=stamps,
    )


def parts(count: int, seed: int = 1) -> list[Part]:
    """Samples of `count` records, the producers in turn: noise around a level of each series."""
    draw = np.random.default_rng(seed)
    each = workload.SERIES // PRODUCERS
    levels = draw.uniform(200.0, 500.0, workload.SERIES)
    at = np.arange(SAMPLES)
    found = []
    for number in range(count):
        rows = number % PRODUCERS * each + at % each
        times = START_MS + number // PRODUCERS * SPAN_MS + at // each * SPAN_MS * each // SAMPLES
        noise = draw.normal(0.0, workload.NOISE, SAMPLES)
        found.append(Part(rows, times, (levels[rows] + noise).round(4)))
    return found


def labels(row: int) -> dict[str, str]:
    """Labels of a series."""
    return {"service": f"service-{row:04d}"}


def as_native(part: Part) -> bytes:
    """A JSON array."""
    samples = zip(part.rows.tolist(), part.times.tolist(), part.values.tolist(), strict=True)
    return orjson.dumps(
        [
            {"ts": time_ms, "metric": workload.METRIC, "value": value, "labels": labels(row)}
            for row, time_ms, value in samples
        ]
    )


def as_samples(part: Part) -> bytes:
    """A sample batch."""
    mine, series = np.unique(part.rows, return_inverse=True)
    encoded = [
        encode_labels(make_labels({METRIC: workload.METRIC, **labels(row)}))
        for row in mine.tolist()
    ]
    batch = SampleBatch(
        topic="",
        partition=0,
        watermark=0,
        record_time=0,
        fingerprints=np.array([fingerprint_bytes(text) for text in encoded], np.uint64),
        label_bytes=encoded,
        series=series.astype(np.uint32),
        times=part.times,
        values=part.values,
        offsets=np.zeros(len(series), np.int64),
    )
    return encode_batch(batch)


def as_arrow(part: Part) -> bytes:
    """An Arrow stream of one batch with dictionaries."""
    mine, series = np.unique(part.rows, return_inverse=True)
    services = pa.array([labels(row)["service"] for row in mine.tolist()])
    one = pa.array([workload.METRIC])
    batch = pa.record_batch(
        {
            "ts": pa.array(part.times, pa.timestamp("ms", "UTC")),
            "metric": pa.DictionaryArray.from_arrays(np.zeros(len(series), np.int8), one),
            "value": part.values,
            "service": pa.DictionaryArray.from_arrays(series.astype(np.int16), services),
        }
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


FORMS: dict[str, Callable[[Part], bytes]] = {
    "native": as_native,
    "arrow": as_arrow,
    "samples": as_samples,
}
