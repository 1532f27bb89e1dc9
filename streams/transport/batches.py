"""Batches: what a fetch brought of one partition, with its bytes, and its records as places in them.

aiokafka parses in C and hides the bytes that it was given, so they are kept beside its batches. Where there are many
records, compiled code tells where their values lie (see `walk`): a tenth of what it costs to make an object of each.

It refuses whatever is not plain: batches of an older version, a codec that is not installed, records with a fault.
"""

import struct
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np
from aiokafka import codec
from aiokafka.consumer import fetcher
from aiokafka.record.memory_records import MemoryRecords
from numpy.typing import NDArray

from schemas.compiled import Lazily
from schemas.spans import Spans

Walk = Callable[..., int]
WALK = Lazily[Walk]("streams.transport.walk", "walk")

_HEADER = struct.Struct(">qiibIhiqqqhii")
"""Of a record batch of version 2 (https://kafka.apache.org/documentation/#recordbatch)."""
_VERSION, _VERSION_AT, _ATTRIBUTES_AT = 2, 16, 22
_CODEC, _TIME_OF_LOG = 0x07, 0x08
"""Bits of its attributes."""
_BEFORE_LENGTH = struct.Struct(">qi")
_UNPACKED = 0
_CODECS: dict[int, Callable[[bytes], bytes]] = {_UNPACKED: bytes} | {
    number: decode
    for number, has, decode in (
        (1, codec.has_gzip, codec.gzip_decode),
        (2, codec.has_snappy, codec.snappy_decode),
        (3, codec.has_lz4, codec.lz4_decode),
        (4, codec.has_zstd, codec.zstd_decode),
    )
    if has()
}


class KeptRecords(MemoryRecords):  # type: ignore[misc]  # aiokafka chooses it when it is imported
    """Batches of a partition, with their bytes."""

    def __init__(self, kept: bytes) -> None:
        super().__init__(kept)
        self.kept = kept


fetcher.MemoryRecords = KeptRecords


class Batch(NamedTuple):
    """A batch as aiokafka has it, and where it lies among the bytes of its fetch."""

    records: Any
    kept: bytes
    start: int
    end: int


def end_of(kept: bytes, start: int) -> int:
    """Where the batch ends that begins here."""
    _, length = _BEFORE_LENGTH.unpack_from(kept, start)
    return start + _BEFORE_LENGTH.size + int(length)


class Places(NamedTuple):
    """Records of several batches: their values, their times and their offsets, int64[n]."""

    values: Spans
    times: NDArray[np.int64]
    offsets: NDArray[np.int64]


def find_places(batches: Sequence[Batch], from_offset: int, next_offset: int) -> Places | None:
    """The records from an offset up to another, which is the end of all; None where they are few, or not plain."""
    walk = WALK.get(next_offset - from_offset)
    if walk is None or not batches:
        return None
    if any(batch.kept[batch.start + _VERSION_AT] != _VERSION for batch in batches):
        return None
    headers = [_HEADER.unpack_from(batch.kept, batch.start) for batch in batches]
    found = _opened(batches, {header[5] & _CODEC for header in headers})
    if found is None:
        return None
    buffer, bounds = found
    table = np.empty((len(batches), 7), np.int64)
    for row, (header, (start, end)) in enumerate(zip(headers, bounds, strict=True)):
        base, _, _, _, _, attributes, last, first_time, newest_time, *_, count = header
        if not 0 <= count <= end - start:
            return None
        timing = (newest_time, 0) if attributes & _TIME_OF_LOG else (first_time, 1)
        table[row] = start, end, count, base, base + last + 1, *timing
    rows = sum(header[-1] for header in headers)
    columns = [np.empty(rows, np.int64) for _ in range(4)]
    rows = walk(np.frombuffer(buffer, np.uint8), table, from_offset, *columns)
    if rows < 0:
        return None
    starts, ends, times, offsets = (column[:rows] for column in columns)
    return Places(Spans(buffer, starts, ends), times, offsets)


def _opened(
    batches: Sequence[Batch], codecs: set[int]
) -> tuple[bytes, Sequence[tuple[int, int]]] | None:
    """Bytes that have the records of all batches, and where those of each lie; None where a codec is not here."""
    if codecs == {_UNPACKED}:
        return batches[0].kept, [(batch.start + _HEADER.size, batch.end) for batch in batches]
    if not codecs <= _CODECS.keys():
        return None
    pieces = []
    for batch in batches:
        packing = batch.kept[batch.start + _ATTRIBUTES_AT] & _CODEC
        pieces.append(_CODECS[packing](batch.kept[batch.start + _HEADER.size : batch.end]))
    ends = list(accumulate(map(len, pieces)))
    return b"".join(pieces), list(pairwise([0, *ends]))
