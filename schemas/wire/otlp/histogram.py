"""Histogram: points of histograms and summaries as the series of them that Prometheus has.

A histogram is `_bucket` by `le`, running counts, and `_sum` and `_count`; a summary is one series by `quantile`, `_sum`
and `_count`. Bounds are written as Go writes them with format `f`, as Prometheus does.

Refuses counts that do not fit their bounds.
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason
from schemas.wire.otlp.layout import Number
from schemas.wire.otlp.protobuf import FIXED64, Message, Span, double, last_of, message, span_of

START, TIME, COUNT, SUM = 0x11, 0x19, 0x21, 0x29
NO_VALUE = 1
"""Bit of the flags: "no recorded value"."""
_COUNTS, _BOUNDS = 0x32, 0x3A
_HISTOGRAM_EXEMPLARS, _HISTOGRAM_ATTRIBUTES, _HISTOGRAM_FLAGS = 0x42, 0x4A, 0x50
_QUANTILES, _SUMMARY_ATTRIBUTES, _SUMMARY_FLAGS = 0x32, 0x3A, 0x40
_QUANTILE, _VALUE = 0x09, 0x11
_WIDTH = 8
NOWHERE = -1
"""Place of what is not written."""
REMEMBERED = 1024
_LONG = 4096
"""Bytes of bounds that are not remembered."""


@dataclass(slots=True)
class Point:
    """A point: where its numbers stand, and what its series are besides its attributes.

    Attributes:
        time_at: first byte of its time, -1 where it has none.
        start_at: the same of the time at which counting began.
        attributes: where they stand.
        series: suffix of the metric's name, a label of its own with its value, for each sample.
        values: first byte of each sample's value, -1 for one that is not written and so is 0, and how it is read.
        moving: first byte of each number of fixed width.
        stale: whether it says that there is no value.
        exemplars: how many it has.

    """

    time_at: int = NOWHERE
    start_at: int = NOWHERE
    attributes: Sequence[Span] = field(default_factory=list)
    series: list[tuple[str, str, str]] = field(default_factory=list)
    values: list[tuple[int, Number]] = field(default_factory=list)
    moving: list[int] = field(default_factory=list)
    stale: bool = False
    exemplars: int = 0


def histogram(data: bytes, at: int, end: int) -> Point:
    """The point that stands there; raises DecodeError where it is none."""
    found = message(data, at, end)
    point = _point(found, _HISTOGRAM_ATTRIBUTES, _HISTOGRAM_FLAGS)
    point.exemplars = len(found.get(_HISTOGRAM_EXEMPLARS, ()))
    first, last = span_of(found, _COUNTS)
    places = range(first, last, _WIDTH)
    point.moving += places
    packed = data[slice(*span_of(found, _BOUNDS))]
    limits = _bounds(packed) if len(packed) < _LONG else _bounds.__wrapped__(packed)
    if (last - first) % _WIDTH or (places and len(places) != len(limits) + 1):
        detail = f"{len(places)} counts for {len(limits)} bounds"
        raise DecodeError(DeadLetterReason.MALFORMED, detail)
    for place, limit in zip(places, limits, strict=False):
        point.series.append(("_bucket", "le", limit))
        point.values.append((place, Number.BUCKET))
    point.series.append(("_bucket", "le", "+Inf"))
    point.values.append((last_of(found, COUNT, NOWHERE), Number.COUNT))
    _add_totals(point, found, always=False)
    return point


def summary(data: bytes, at: int, end: int) -> Point:
    """The same of a summary."""
    found = message(data, at, end)
    point = _point(found, _SUMMARY_ATTRIBUTES, _SUMMARY_FLAGS)
    for first, last in found.get(_QUANTILES, ()):
        pair = message(data, first, last)
        value = last_of(pair, _VALUE, NOWHERE)
        point.series.append(("", "quantile", as_bound(double(data, pair, _QUANTILE))))
        point.values.append((value, Number.DOUBLE))
        if value != NOWHERE:
            point.moving.append(value)
    _add_totals(point, found, always=True)
    return point


def _point(found: Message, attributes: int, flags: int) -> Point:
    return Point(
        time_at=last_of(found, TIME, NOWHERE),
        start_at=last_of(found, START, NOWHERE),
        attributes=list(found.get(attributes, ())),
        moving=[at for tag, spans in found.items() if tag & 7 == FIXED64 for at, _ in spans],
        stale=bool(last_of(found, flags) & NO_VALUE),
    )


def _add_totals(point: Point, found: Message, *, always: bool) -> None:
    """Count and sum; a histogram of what may be negative has no sum, a summary always has one."""
    point.series.append(("_count", "", ""))
    point.values.append((last_of(found, COUNT, NOWHERE), Number.COUNT))
    if SUM in found or always:
        point.series.append(("_sum", "", ""))
        point.values.append((last_of(found, SUM, NOWHERE), Number.DOUBLE))


@lru_cache(REMEMBERED)
def _bounds(packed: bytes) -> tuple[str, ...]:
    count, rest = divmod(len(packed), _WIDTH)
    if rest:
        raise DecodeError(DeadLetterReason.MALFORMED, f"{len(packed)} bytes of bounds")
    return tuple(map(as_bound, struct.unpack(f"<{count}d", packed)))


def as_bound(number: float) -> str:
    """A number without exponent, as `strconv.FormatFloat(number, 'f', -1, 64)` has it."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    return f"{Decimal(repr(number)).normalize():f}"
