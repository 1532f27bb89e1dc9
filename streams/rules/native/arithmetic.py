"""Arithmetic of native histograms: scaled, added, taken away; and whether a counter was reset between two.

As in Prometheus 3 (model/histogram/float_histogram.go): exponential histograms are brought to the coarser schema
and the wider zero bucket, custom ones to the bounds that both have. Exponential and custom ones do not add up.
"""

import math
from collections.abc import Iterable

from msgspec.structs import replace

from schemas.histograms import Hint, NativeHistogram
from streams.rules.native.buckets import bound, negative, positive

Counts = dict[int, float]


class IncompatibleError(ValueError):
    """One histogram has exponential buckets, the other custom ones."""


def scaled(histogram: NativeHistogram, factor: float) -> NativeHistogram:
    """All counts and the sum times a factor; what a negative one makes is a gauge."""
    return replace(
        histogram,
        count=histogram.count * factor,
        sum=histogram.sum * factor,
        zero_count=0.0 if histogram.is_custom else histogram.zero_count * factor,
        positive=_times(histogram.positive, factor),
        negative=_times(histogram.negative, factor),
        hint=Hint.GAUGE if factor < 0 else histogram.hint,
    )


def divided(histogram: NativeHistogram, by: float) -> NativeHistogram:
    """All counts and the sum divided; by zero no bucket is left."""
    if by:
        return replace(
            histogram,
            count=histogram.count / by,
            sum=histogram.sum / by,
            zero_count=0.0 if histogram.is_custom else histogram.zero_count / by,
            positive={index: count / by for index, count in histogram.positive.items()},
            negative={index: count / by for index, count in histogram.negative.items()},
            hint=Hint.GAUGE if by < 0 else histogram.hint,
        )
    numbers = (histogram.count, histogram.sum, histogram.zero_count)
    count, total, zero = (math.copysign(math.inf, each) if each else math.nan for each in numbers)
    zero = 0.0 if histogram.is_custom else zero
    return replace(histogram, count=count, sum=total, zero_count=zero, positive={}, negative={})


def _times(buckets: Counts, factor: float) -> Counts:
    return _filled((index, count * factor) for index, count in buckets.items())


def _filled(buckets: Iterable[tuple[int, float]]) -> Counts:
    return {index: count for index, count in buckets if count}


def coarser(buckets: Counts, schema: int, target: int) -> Counts:
    """Counts by index in a coarser schema."""
    if schema == target:
        return buckets
    merged: Counts = {}
    for index, count in buckets.items():
        at = ((index - 1) >> (schema - target)) + 1
        merged[at] = merged.get(at, 0.0) + count
    return merged


def at_schema(histogram: NativeHistogram, schema: int) -> NativeHistogram:
    """The histogram in a coarser schema."""
    if histogram.schema == schema:
        return histogram
    return replace(
        histogram,
        schema=schema,
        positive=coarser(histogram.positive, histogram.schema, schema),
        negative=coarser(histogram.negative, histogram.schema, schema),
    )


def widened(histogram: NativeHistogram, threshold: float) -> tuple[float, float]:
    """Count of a zero bucket of at least this width, and its width: no populated bucket is cut."""
    if threshold == histogram.zero_threshold:
        return histogram.zero_count, threshold
    while True:
        count, redo = histogram.zero_count, False
        for bucket in positive(histogram):
            if bucket.lower >= threshold:
                break
            count += bucket.size
            if bucket.upper > threshold:
                threshold = bucket.upper
                break
        for bucket in negative(histogram):
            if bucket.upper <= -threshold:
                break
            count += bucket.size
            if bucket.lower < -threshold:
                threshold, redo = -bucket.lower, True
                break
        if not redo:
            return count, threshold


def _with_zero(histogram: NativeHistogram, threshold: float) -> NativeHistogram:
    """The histogram with a wider zero bucket, which swallows the buckets within it."""
    count, reached = widened(histogram, threshold)
    return replace(
        histogram,
        zero_count=count,
        zero_threshold=reached,
        positive=_outside(histogram, histogram.positive, reached),
        negative=_outside(histogram, histogram.negative, reached),
    )


def _outside(histogram: NativeHistogram, buckets: Counts, threshold: float) -> Counts:
    return {i: count for i, count in buckets.items() if bound(histogram, i - 1) >= threshold}


def _same_zero(
    one: NativeHistogram, other: NativeHistogram
) -> tuple[NativeHistogram, NativeHistogram]:
    while one.zero_threshold != other.zero_threshold:
        if one.zero_threshold > other.zero_threshold:
            other = _with_zero(other, one.zero_threshold)
        else:
            one = _with_zero(one, other.zero_threshold)
    return one, other


def _hint(one: Hint, other: Hint) -> Hint:
    if one == other or one is Hint.GAUGE:
        return one
    return Hint.GAUGE if other is Hint.GAUGE else Hint.UNKNOWN


def _at_bounds(histogram: NativeHistogram, bounds: tuple[float, ...]) -> Counts:
    """Counts by index of coarser custom bounds."""
    if histogram.bounds == bounds:
        return histogram.positive
    merged: Counts = {}
    for index, count in histogram.positive.items():
        upper = bound(histogram, index)
        at = next((i for i, each in enumerate(bounds) if each >= upper), len(bounds))
        merged[at] = merged.get(at, 0.0) + count
    return merged


def added(one: NativeHistogram, other: NativeHistogram, sign: float = 1.0) -> NativeHistogram:
    """Their sum, or with the sign -1 their difference.

    Raises:
        IncompatibleError: only one of them has custom bounds.

    """
    if one.is_custom != other.is_custom:
        raise IncompatibleError("exponential and custom buckets")
    hint = _hint(one.hint, other.hint)
    bounds: tuple[float, ...] = ()
    sides: tuple[tuple[Counts, Counts], tuple[Counts, Counts]]
    if one.is_custom:
        bounds = one.bounds
        if one.bounds != other.bounds:
            bounds = tuple(each for each in one.bounds if each in other.bounds)
        schema = one.schema
        sides = (_at_bounds(one, bounds), _at_bounds(other, bounds)), ({}, {})
    else:
        one, other = _same_zero(one, other)
        schema = min(one.schema, other.schema)
        one, other = at_schema(one, schema), at_schema(other, schema)
        sides = (one.positive, other.positive), (one.negative, other.negative)
    above, below = (_summed(left, right, sign) for left, right in sides)
    return NativeHistogram(
        schema=schema,
        count=one.count + sign * other.count,
        sum=one.sum + sign * other.sum,
        zero_threshold=one.zero_threshold,
        zero_count=one.zero_count + sign * other.zero_count,
        positive=above,
        negative=below,
        bounds=bounds,
        hint=hint,
    )


def _summed(left: Counts, right: Counts, sign: float) -> Counts:
    return _filled(
        (index, left.get(index, 0.0) + sign * right.get(index, 0.0))
        for index in sorted({*left, *right})
    )


def total(histograms: Iterable[NativeHistogram]) -> NativeHistogram:
    """Their sum; at least one.

    Raises:
        IncompatibleError: some have custom bounds, some have not.

    """
    result, *others = histograms
    for each in others:
        result = added(result, each)
    return result


def average(histograms: list[NativeHistogram]) -> NativeHistogram:
    """Their mean; finite where their sum is not.

    Raises:
        IncompatibleError: some have custom bounds, some have not.

    """
    result = total(histograms)
    numbers = [result.count, result.sum, result.zero_count]
    numbers += [*result.positive.values(), *result.negative.values()]
    if any(map(math.isinf, numbers)):
        return total(divided(each, len(histograms)) for each in histograms)
    return divided(result, len(histograms))


def same(one: NativeHistogram, other: NativeHistogram) -> bool:
    """Whether they hold the same, whatever their hints; NaN is like NaN."""

    def content(each: NativeHistogram) -> tuple[object, ...]:
        numbers = (each.count, each.sum, each.zero_count)
        buckets = (sorted(each.positive.items()), sorted(each.negative.items()))
        return each.schema, each.zero_threshold, each.bounds, *map(repr, numbers), *buckets

    return content(one) == content(other)


def is_reset(now: NativeHistogram, before: NativeHistogram) -> bool:
    """Whether a counter was reset between two samples: something that was counted is gone."""
    if now.hint in (Hint.RESET, Hint.NOT_RESET):
        return now.hint is Hint.RESET
    if now.count < before.count or (now.is_custom and not before.is_custom):
        return True
    if now.is_custom:
        bounds = tuple(each for each in now.bounds if each in before.bounds)
        return _fallen(_at_bounds(now, bounds), _at_bounds(before, bounds))
    if before.is_custom or now.schema > before.schema:
        return True
    if now.zero_threshold < before.zero_threshold:
        return True
    zero_count, threshold = widened(before, now.zero_threshold)
    if threshold != now.zero_threshold or now.zero_count < zero_count:
        return True
    before = at_schema(before, now.schema)
    return any(
        _fallen(_outside(now, mine, threshold), _outside(now, theirs, threshold))
        for mine, theirs in ((now.positive, before.positive), (now.negative, before.negative))
    )


def _fallen(now: Counts, before: Counts) -> bool:
    return any(now.get(index, 0.0) < count for index, count in before.items())
