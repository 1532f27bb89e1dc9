"""Pack: samples on their way to records, each of one partition, in the form of a source's `format`.

A series goes to the partition that is its home by locality, as ingest would send it, so that a source may say
`keyed: true`. A record's time is the latest event time in it. Samples keep their order. A record that
would be larger than the brokers take is cut in halves; a single sample that is too large is left out and counted.
"""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import numpy as np

from schemas.samples import SampleBatch, encode_batch
from streams.produce.buffer import Taken
from streams.produce.telemetry import Sample, encode_samples

Form = Literal["samples", "native"]


class Packed(NamedTuple):
    """A record, or None for its value where that is too large, and how many samples it holds."""

    partition: int
    value: bytes | None
    timestamp_ms: int
    samples: int


def encode_columns(taken: Taken) -> bytes:
    """The binary form of tocsin.samples; what only ingest can say (topic, watermark, offsets) stands at 0."""
    numbers, series = np.unique(taken.numbers, return_inverse=True)
    rows = [taken.table.rows[number] for number in numbers.tolist()]
    batch = SampleBatch(
        topic="",
        partition=0,
        watermark=0,
        record_time=0,
        fingerprints=np.array([row.fingerprint for row in rows], np.uint64),
        label_bytes=[row.encoded for row in rows],
        series=series.astype(np.uint32),
        times=taken.times,
        values=taken.values,
        offsets=np.zeros(len(series), np.int64),
    )
    return encode_batch(batch)


def encode_native(taken: Taken) -> bytes:
    """An array of native JSON."""
    rows = [taken.table.rows[number] for number in taken.numbers.tolist()]
    times, values = taken.times.tolist(), taken.values.tolist()
    return encode_samples(
        [
            Sample(row.metric, row.labels, time_ms, value)
            for row, time_ms, value in zip(rows, times, values, strict=True)
        ]
    )


ENCODERS: dict[Form, Callable[[Taken], bytes]] = {
    "native": encode_native,
    "samples": encode_columns,
}


def pack(taken: Taken, form: Form, *, partitions: int, most_bytes: int) -> Iterator[Packed]:
    """Yield the records of these samples, those of a partition in the order of the samples."""
    homes = taken.table.homes(taken.numbers, partitions)
    for partition in np.unique(homes).tolist():
        mine = _keep(taken, np.flatnonzero(homes == partition))
        for part, value in _fitting(mine, ENCODERS[form], most_bytes):
            yield Packed(partition, value, int(part.times.max()), len(part.times))


def _fitting(
    taken: Taken, encode: Callable[[Taken], bytes], most_bytes: int
) -> Iterator[tuple[Taken, bytes | None]]:
    value = encode(taken)
    count = len(taken.times)
    if len(value) <= most_bytes:
        yield taken, value
    elif count == 1:
        yield taken, None
    else:
        for half in (np.arange(count // 2), np.arange(count // 2, count)):
            yield from _fitting(_keep(taken, half), encode, most_bytes)


def _keep(taken: Taken, at: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> Taken:
    return Taken(taken.table, taken.numbers[at], taken.times[at], taken.values[at])
