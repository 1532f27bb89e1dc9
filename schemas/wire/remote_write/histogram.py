"""Native histograms of remote write: one message to one `NativeHistogram` and its time.

Fields as in Prometheus's prompb/types.proto, message Histogram; those of 2.0 are the same. Spans say which buckets have
counts; integer counts are written as differences from the bucket before.

Refuses a histogram that contradicts itself, with the reason.
"""

import struct
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from schemas.errors import DecodeError
from schemas.histograms import Hint, NativeHistogram, find_fault, find_miscount
from schemas.reasons import DeadLetterReason
from schemas.samples import STALE_BITS
from schemas.wire.remote_write.message import (
    Value,
    malformed,
    read_doubles,
    read_message,
    read_varints,
    signed,
    unfolded,
)

_STALE = struct.pack("<q", STALE_BITS)
_COUNT, _FLOAT_COUNT, _SUM, _SCHEMA, _ZERO_THRESHOLD, _ZERO_COUNT, _FLOAT_ZERO_COUNT = range(1, 8)
_NEGATIVE, _POSITIVE = 8, 11
"""Number of the field with spans; those with differences and with counts follow."""
_HINT, _TIME, _BOUNDS = 14, 15, 16


class TimedHistogram(NamedTuple):
    """A histogram, None for a stale marker, and its event time in ms."""

    histogram: NativeHistogram | None
    time: int


def read_histogram(data: bytes) -> TimedHistogram:
    """Histogram of a message.

    Raises:
        DecodeError: it is no message, or the histogram is bad.

    """
    one: dict[int, Value] = {}
    many: dict[int, list[Value]] = {}
    for tag, value in read_message(data):
        one[tag >> 3] = value
        many.setdefault(tag >> 3, []).append(value)
        if tag >> 3 in _OTHER:  # of two that exclude each other the later counts
            one.pop(_OTHER[tag >> 3], None)
    time = signed(_whole(one.get(_TIME, 0)))
    if one.get(_SUM) == _STALE:
        return TimedHistogram(None, time)
    is_float = _FLOAT_COUNT in one
    schema = unfolded(_whole(one.get(_SCHEMA, 0)) & 0xFFFFFFFF)
    hint = _whole(one.get(_HINT, 0))
    if hint not in set(Hint):
        raise _bad(f"reset hint {hint}")
    found = NativeHistogram(
        schema=schema,
        count=_number(one.get(_FLOAT_COUNT if is_float else _COUNT, 0)),
        sum=_number(one.get(_SUM, 0)),
        zero_threshold=_number(one.get(_ZERO_THRESHOLD, 0)),
        zero_count=_number(one.get(_FLOAT_ZERO_COUNT if is_float else _ZERO_COUNT, 0)),
        positive=_buckets(many, _POSITIVE, is_float=is_float),
        negative=_buckets(many, _NEGATIVE, is_float=is_float),
        bounds=tuple(_doubles(many.get(_BOUNDS, ()))),
        hint=Hint(hint),
    )
    fault = find_fault(found) or (None if is_float else find_miscount(found))
    if fault is not None:
        raise _bad(fault)
    return TimedHistogram(found, time)


_OTHER = {
    _COUNT: _FLOAT_COUNT,
    _FLOAT_COUNT: _COUNT,
    _ZERO_COUNT: _FLOAT_ZERO_COUNT,
    _FLOAT_ZERO_COUNT: _ZERO_COUNT,
}


def _bad(detail: str) -> DecodeError:
    return DecodeError(DeadLetterReason.BAD_HISTOGRAM, f"histogram: {detail}")


def _buckets(many: dict[int, list[Value]], field: int, *, is_float: bool) -> dict[int, float]:
    """Counts of one side by index, empty ones left out."""
    counts: Sequence[float]
    if is_float:
        counts = _doubles(many.get(field + 2, ()))
    else:
        counts = [float(n) for n in accumulate(map(unfolded, _wholes(many.get(field + 1, ()))))]
    indexes: list[int] = []
    index = 0
    for number, span in enumerate(many.get(field, ())):
        offset, length = _span(span)
        if number and offset < 0:
            raise _bad(f"span {number + 1} begins before the end of the one before it")
        index += offset
        if len(indexes) + length > len(counts):
            break
        indexes += range(index, index + length)
        index += length
    else:
        if len(indexes) == len(counts):
            return {at: count for at, count in zip(indexes, counts, strict=True) if count}
    raise _bad(f"spans do not fit {len(counts)} buckets")


def _span(value: Value) -> tuple[int, int]:
    offset = length = 0
    for tag, number in read_message(_bytes(value)):
        if tag >> 3 == 1:
            offset = unfolded(_whole(number) & 0xFFFFFFFF)
        elif tag >> 3 == 2:
            length = _whole(number) & 0xFFFFFFFF
    return offset, length


def _whole(value: Value) -> int:
    if isinstance(value, int):
        return value
    raise malformed("histogram: a field of another type")


def _bytes(value: Value) -> bytes:
    if isinstance(value, bytes):
        return value
    raise malformed("histogram: a field of another type")


def _number(value: Value) -> float:
    """A count, or a number of eight bytes."""
    if isinstance(value, int):
        return float(value)
    (number, *more) = read_doubles(value) or [0.0, 0.0]
    if more:
        raise malformed("histogram: a field of another type")
    return number


def _doubles(values: Sequence[Value]) -> list[float]:
    return [number for value in values for number in read_doubles(_bytes(value))]


def _wholes(values: Sequence[Value]) -> list[int]:
    found: list[int] = []
    for value in values:
        found += [value] if isinstance(value, int) else read_varints(value)
    return found
