"""Walk: the records of whole Kafka batches as places in their bytes, by compiled code.

Record batches of version 2, opened (https://kafka.apache.org/documentation/#recordbatch). A record is a row of four
columns: where its value begins and ends, its time and its offset. Keys and headers are passed over.

It refuses a chunk of which one record is not as it should be: then somebody who can name the fault has to read it.
"""

import numpy as np
from numpy.typing import NDArray

from schemas.compiled import Int, compiled
from schemas.spans import NULL

_START, _END, _COUNT, _BASE_OFFSET, _NEXT_OFFSET, _TIME, _TIME_STEP = range(7)
"""Columns of a table of batches: where its records begin and end, how many there are, offsets, and the time of a record
without its own difference in time, and how often that is added: never, where the log's time counts."""
_MORE = 128
_MOST_SHIFT = 63
_ASCII_END = 128


@compiled
def _varint(text: NDArray[np.uint8], at: Int, end: Int) -> tuple[Int, Int]:
    """A number with its sign in its lowest bit, and where it ends; -1 where there is none, or before it was none."""
    number = np.uint64(0)
    shift = np.uint64(0)
    while 0 <= at < end and shift <= _MOST_SHIFT:
        byte = np.uint64(text[at])
        at += 1
        number |= (byte & np.uint64(_MORE - 1)) << shift
        if byte < _MORE:
            half = np.int64(number >> np.uint64(1))
            return (~half if number & np.uint64(1) else half), at
        shift += np.uint64(7)
    return 0, -1


@compiled
def _field(text: NDArray[np.uint8], at: Int, end: Int) -> tuple[Int, Int, Int]:
    """Where a key or a value begins and ends, `NULL` twice for a null, and where what follows begins, or -1."""
    length, at = _varint(text, at, end)
    if at < 0 or length < NULL or length > end - at:
        return NULL, NULL, -1
    if length < 0:
        return NULL, NULL, at
    return at, at + length, at + length


@compiled
def _headers_end(text: NDArray[np.uint8], at: Int, end: Int) -> Int:
    """Where the headers end that begin here; -1 where they are not plain."""
    count, at = _varint(text, at, end)
    if at < 0 or not 0 <= count <= end - at:
        return -1
    for _ in range(count):
        start, stop, at = _field(text, at, end)
        if start == NULL or (text[start:stop] >= _ASCII_END).any():
            return -1
        _, _, at = _field(text, at, end)
    return at


@compiled
def _record(text: NDArray[np.uint8], at: Int, end: Int) -> tuple[Int, Int, Int, Int, Int]:
    """Difference in time and in offset, where the value begins and ends, and the next record, or -1."""
    length, at = _varint(text, at, end)
    if at < 0 or not 0 < length <= end - at or text[at] >= _MORE:
        return 0, 0, NULL, NULL, -1
    end = at + length
    time, at = _varint(text, at + 1, end)
    offset, at = _varint(text, at, end)
    _, _, at = _field(text, at, end)
    start, stop, at = _field(text, at, end)
    return time, offset, start, stop, (end if _headers_end(text, at, end) == end else -1)


@compiled
def walk(
    text: NDArray[np.uint8],
    batches: NDArray[np.int64],
    from_offset: int,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    times: NDArray[np.int64],
    offsets: NDArray[np.int64],
) -> int:
    """Fill the columns with the records from an offset on; how many rows there are, -1 where one is not plain."""
    row = 0
    before = np.int64(-1)
    for batch in batches:
        at = batch[_START]
        for _ in range(batch[_COUNT]):
            time, offset, start, end, at = _record(text, at, batch[_END])
            offset += batch[_BASE_OFFSET]
            if at < 0 or not max(before + 1, batch[_BASE_OFFSET]) <= offset < batch[_NEXT_OFFSET]:
                return -1
            before = offset
            if offset >= from_offset:
                starts[row], ends[row], offsets[row] = start, end, offset
                times[row] = batch[_TIME] + batch[_TIME_STEP] * time
                row += 1
        if at != batch[_END]:
            return -1
    return row


_NOTHING = np.zeros(0, np.int64)
walk(np.frombuffer(b"", np.uint8), np.zeros((0, 7), np.int64), 0, *[_NOTHING] * 4)  # compiles it
