"""The buckets of a native histogram as intervals, and what is estimated from them: quantile, fraction, variance.

Formulas as in Prometheus 3 (promql/quantile.go, histogramVariance in promql/functions.go): within a bucket observations
are spread evenly, on a logarithmic scale for exponential buckets, linearly in the zero bucket and with custom bounds.
"""

import math
import sys
from collections.abc import Iterator
from typing import NamedTuple

from schemas.histograms import NativeHistogram, short
from streams.rules.native.bounds import OCTAVES

LAST_EXPONENT = 1024
HALF = 0.5


class Bucket(NamedTuple):
    """Observations in (lower, upper]; mirrored for negative ones."""

    lower: float
    upper: float
    size: float


def bound(histogram: NativeHistogram, index: int) -> float:
    """Upper bound of a bucket; the largest finite number is one."""
    if histogram.is_custom:
        if index < 0:
            return -math.inf
        return histogram.bounds[index] if index < len(histogram.bounds) else math.inf
    if histogram.schema <= 0:
        exponent, fraction = (index << -histogram.schema) + 1, HALF
    else:
        octave, rest = divmod(index, 1 << histogram.schema)
        exponent, fraction = octave + 1, OCTAVES[histogram.schema][rest]
    if exponent > LAST_EXPONENT:
        is_last = (exponent, fraction) == (LAST_EXPONENT + 1, HALF)
        return sys.float_info.max if is_last else math.inf
    return math.ldexp(fraction, exponent)


def positive(histogram: NativeHistogram) -> Iterator[Bucket]:
    """Positive buckets, ascending."""
    for index in sorted(histogram.positive):
        lower, upper = bound(histogram, index - 1), bound(histogram, index)
        yield Bucket(lower, upper, histogram.positive[index])


def negative(histogram: NativeHistogram) -> Iterator[Bucket]:
    """Negative buckets, from zero downwards."""
    for index in sorted(histogram.negative):
        lower, upper = -bound(histogram, index), -bound(histogram, index - 1)
        yield Bucket(lower, upper, histogram.negative[index])


def ascending(histogram: NativeHistogram) -> list[Bucket]:
    """All buckets from the lowest to the highest; none reaches into the zero bucket."""
    width = histogram.zero_threshold
    below = [
        each._replace(upper=-width) if -width < each.upper < 0 else each
        for each in negative(histogram)
    ]
    zero = [Bucket(-width, width, histogram.zero_count)] if histogram.zero_count > 0 else []
    above = [
        each._replace(lower=width) if 0 < each.lower < width else each
        for each in positive(histogram)
    ]
    return [*reversed(below), *zero, *above]


def _one_sided(histogram: NativeHistogram, bucket: Bucket) -> Bucket:
    """The zero bucket of a histogram that has observations on one side only reaches to that side only."""
    if histogram.positive and not histogram.negative:
        return bucket._replace(lower=0.0)
    if histogram.negative and not histogram.positive:
        return bucket._replace(upper=0.0)
    return bucket


def quantile(phi: float, histogram: NativeHistogram) -> float:
    """Estimated quantile; NaN without observations."""
    if phi < 0 or phi > 1:
        return math.copysign(math.inf, phi)
    if histogram.count == 0 or math.isnan(phi):
        return math.nan
    forwards = math.isnan(histogram.sum) or phi < HALF
    rank = (phi if forwards else 1 - phi) * histogram.count
    buckets = ascending(histogram)
    seen, bucket = 0.0, Bucket(0.0, 0.0, 0.0)
    for bucket in buckets if forwards else reversed(buckets):
        seen += bucket.size
        if seen >= rank:
            break
    if histogram.is_custom and (bucket.lower == -math.inf or bucket.upper == math.inf):
        if bucket.lower > -math.inf or bucket.upper <= 0:
            return bucket.upper if bucket.upper < math.inf else bucket.lower
        bucket = bucket._replace(lower=0.0)
    elif bucket.lower < 0 < bucket.upper and not histogram.is_custom:
        bucket = _one_sided(histogram, bucket)
    seen = min(seen, histogram.count)
    if seen < rank:
        return math.nan if math.isnan(histogram.sum) else bucket.upper
    rank = rank - (seen - bucket.size) if forwards else seen - rank
    share = rank / bucket.size if bucket.size else math.nan
    return _within(bucket, share, linear=histogram.is_custom)


def _within(bucket: Bucket, share: float, *, linear: bool) -> float:
    """The value under which so much of a bucket lies."""
    if linear or bucket.lower <= 0 <= bucket.upper:
        return bucket.lower + (bucket.upper - bucket.lower) * share
    low, high = _log2(abs(bucket.lower)), _log2(abs(bucket.upper))
    if bucket.lower > 0:
        return _exp2(low + (high - low) * share)
    return -_exp2(high + (low - high) * (1 - share))


def _log2(value: float) -> float:
    return math.log2(value) if 0 < value < math.inf else (math.inf if value else -math.inf)


def _exp2(value: float) -> float:
    if math.isnan(value):
        return value
    return math.inf if value >= LAST_EXPONENT else 2.0**value


def _rank_below(bucket: Bucket, value: float, rank: float, *, linear: bool) -> float:
    """Observations up to a value within a bucket, those below the bucket being `rank`."""
    if linear:
        if bucket.lower == -math.inf:
            return bucket.size
        return rank + bucket.size * (value - bucket.lower) / (bucket.upper - bucket.lower)
    low, high = _log2(abs(bucket.lower)), _log2(abs(bucket.upper))
    at = _log2(abs(value))
    share = (at - low) / (high - low) if value > 0 else 1 - (at - high) / (low - high)
    return rank + bucket.size * share


def fraction(lower: float, upper: float, histogram: NativeHistogram) -> float:
    """Estimated share of observations between two values."""
    if histogram.count == 0 or math.isnan(lower) or math.isnan(upper):
        return math.nan
    if lower >= upper:
        return 0.0
    buckets = ascending(histogram)
    ranks = [_rank(histogram, buckets, value) for value in (lower, upper)]
    count = histogram.count
    if math.isnan(histogram.sum):
        # NaN observations are counted, but lie in no bucket
        count = sum(each.size for each in buckets)
    low, high = (min(count if rank is None else rank, count) for rank in ranks)
    return (high - low) / histogram.count


def _rank(histogram: NativeHistogram, buckets: list[Bucket], value: float) -> float | None:
    """Observations up to a value; None where it lies above all buckets."""
    rank = 0.0
    for each in buckets:
        is_zero = each.lower <= 0 <= each.upper
        bucket = _one_sided(histogram, each) if is_zero else each
        if bucket.lower >= value:
            return rank
        if bucket.lower < value < bucket.upper:
            linear = histogram.is_custom or is_zero
            return _rank_below(bucket, value, rank, linear=linear)
        rank += bucket.size
    return None


def variance(histogram: NativeHistogram) -> float:
    """Estimated population variance: each observation taken for the middle of its bucket."""
    if histogram.count == 0:
        return math.nan
    mean = histogram.sum / histogram.count
    parts = []
    for bucket in ascending(histogram):
        if histogram.is_custom:
            middle = (bucket.upper + bucket.lower) / 2
        elif bucket.lower <= 0 <= bucket.upper:
            middle = 0.0
        else:
            middle = math.copysign(math.sqrt(bucket.upper * bucket.lower), bucket.upper)
        parts.append(bucket.size * (middle - mean) * (middle - mean))
    return sum(parts) / histogram.count


def mean(histogram: NativeHistogram) -> float:
    """Mean of all observations."""
    return histogram.sum / histogram.count if histogram.count else math.nan


def show_buckets(histogram: NativeHistogram) -> str:
    """The histogram as `count_values` names it: every bucket as an interval."""

    def interval(bucket: Bucket, *, zero: bool = False) -> str:
        first = histogram.is_custom and bucket.lower == -math.inf
        left = "[" if zero or first or (bucket.lower < 0 and not histogram.is_custom) else "("
        right = "]" if zero or histogram.is_custom or bucket.upper > 0 else ")"
        return f"{left}{short(bucket.lower)},{short(bucket.upper)}{right}:{short(bucket.size, longest=21)}"

    width = histogram.zero_threshold
    zero = [Bucket(-width, width, histogram.zero_count)] if histogram.zero_count else []
    parts = [
        f"count:{short(histogram.count)}",
        f"sum:{short(histogram.sum)}",
        *(interval(each) for each in reversed(list(negative(histogram)))),
        *(interval(each, zero=True) for each in zero),
        *(interval(each) for each in positive(histogram)),
    ]
    return "{" + ", ".join(parts) + "}"
