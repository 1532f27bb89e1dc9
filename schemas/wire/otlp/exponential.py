"""Exponential: points of exponential histograms as native histograms.

Bucket i holds what lies in (base**i, base**(i+1)] there and in (base**(i-1), base**i] here. A scale finer than
Prometheus has is made coarser by putting buckets together. Source: `exponentialToNativeHistogram` of Prometheus's
storage/remote/otlptranslator, and the data model of OpenTelemetry's metrics.

Refuses scales coarser than Prometheus has, and more buckets than `MOST_BUCKETS`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from schemas.errors import DecodeError
from schemas.histograms import LEAST_SCHEMA, MOST_SCHEMA, NativeHistogram
from schemas.reasons import DeadLetterReason
from schemas.wire.otlp.histogram import COUNT, NO_VALUE, START, SUM, TIME
from schemas.wire.otlp.protobuf import (
    Span,
    broken,
    double,
    last_of,
    message,
    packed,
    span_of,
    uint64,
    zigzag,
)

_ATTRIBUTES, _SCALE, _ZERO_COUNT = 0x0A, 0x30, 0x39
_POSITIVE, _NEGATIVE, _FLAGS, _EXEMPLARS, _ZERO_THRESHOLD = 0x42, 0x4A, 0x50, 0x5A, 0x71
_OFFSET, _COUNTS, _COUNT = 0x08, 0x12, 0x10
MOST_BUCKETS = 20_000
LEAST_ZERO_THRESHOLD = 1e-128
"""Prometheus's width of the bucket around zero where none is told."""


@dataclass(frozen=True, slots=True)
class Exponential:
    """A point.

    Attributes:
        time_ns: its time, 0 for none.
        start_ns: the time at which counting began.
        attributes: where they stand.
        histogram: what was counted.
        stale: whether it says that there is no value.
        exemplars: how many it has.

    """

    time_ns: int
    start_ns: int
    attributes: Sequence[Span]
    histogram: NativeHistogram
    stale: bool
    exemplars: int


def exponential(data: bytes, at: int, end: int) -> Exponential:
    """The point that stands there; raises DecodeError where it is none."""
    found = message(data, at, end)
    scale = zigzag(last_of(found, _SCALE))
    if scale < LEAST_SCHEMA:
        detail = f"scale {scale}, the coarsest is {LEAST_SCHEMA}"
        raise DecodeError(DeadLetterReason.MALFORMED, detail)
    down = max(0, scale - MOST_SCHEMA)
    positive, negative = (
        _coarser(_buckets(data, *span_of(found, side)), down) for side in (_POSITIVE, _NEGATIVE)
    )
    return Exponential(
        uint64(data, found, TIME),
        uint64(data, found, START),
        found.get(_ATTRIBUTES, ()),
        NativeHistogram(
            schema=scale - down,
            count=float(uint64(data, found, COUNT)),
            sum=double(data, found, SUM),
            zero_threshold=double(data, found, _ZERO_THRESHOLD) or LEAST_ZERO_THRESHOLD,
            zero_count=float(uint64(data, found, _ZERO_COUNT)),
            positive=positive,
            negative=negative,
        ),
        bool(last_of(found, _FLAGS) & NO_VALUE),
        len(found.get(_EXEMPLARS, ())),
    )


def _buckets(data: bytes, at: int, end: int) -> dict[int, float]:
    """Counts by the index that Prometheus has for them, empty ones left out."""
    found = message(data, at, end)
    offset = zigzag(last_of(found, _OFFSET))
    counts = [count for count, _ in found.get(_COUNT, ())]  # not packed, as it may be too
    counts += islice(packed(data, found.get(_COUNTS, ())), MOST_BUCKETS + 1)
    if len(counts) > MOST_BUCKETS:
        raise broken(f"over {MOST_BUCKETS} buckets")
    return {offset + index: float(count) for index, count in enumerate(counts, 1) if count}


def _coarser(buckets: Mapping[int, float], steps: int) -> dict[int, float]:
    """The same counts where `2**steps` buckets are one; bucket i is that up to base**i."""
    if not steps:
        return dict(buckets)
    found: Counter[int] = Counter()
    for index, count in buckets.items():
        found[((index - 1) >> steps) + 1] += count  # type: ignore[assignment]  # a Counter adds floats as well
    return dict(found)


def added(one: NativeHistogram, other: NativeHistogram) -> NativeHistogram:
    """Both together, as coarse as the coarser of them; the wider bucket around zero takes what lies within it."""
    schema = min(one.schema, other.schema)
    threshold = max(one.zero_threshold, other.zero_threshold)
    zero = one.zero_count + other.zero_count
    sides: list[dict[int, float]] = []
    for side in ("positive", "negative"):
        both: dict[int, float] = {}
        for each in (one, other):
            for index, count in _coarser(getattr(each, side), each.schema - schema).items():
                both[index] = both.get(index, 0.0) + count
        sides.append(both)
    if one.zero_threshold != other.zero_threshold:
        for both in sides:
            for index in [i for i in both if _bound(i, schema) <= threshold]:
                zero += both.pop(index)
    return NativeHistogram(
        schema=schema,
        count=one.count + other.count,
        sum=one.sum + other.sum,
        zero_threshold=threshold,
        zero_count=zero,
        positive=sides[0],
        negative=sides[1],
    )


def _bound(index: int, schema: int) -> float:
    """Upper bound of a bucket."""
    try:
        return float(2.0 ** (index * 2.0**-schema))
    except OverflowError:
        return float("inf")
