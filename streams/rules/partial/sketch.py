"""DDSketch: how many values lie in each of many narrow buckets, so that quantiles of many partitions can be merged.

Masson, Rim and Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees" (VLDB 2019),
without the collapse of buckets: a float can be in 145,000 of them at most. A bucket is a number; their order is that of
their values. Counts add up exactly, so the merged sketch is the same however the values were spread over partitions.
"""

import numpy as np

from schemas.samples import Float64s, Int64s

RELATIVE_ERROR = 0.01
GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GAMMA = float(np.log(GAMMA))
_LOG_MIDDLE = float(np.log(2 / (1 + GAMMA)))
_MIDDLE = 40_000
"""Added to the index of a bucket, so that it is above 0 for the least float and sign and zero stay free."""
_INFINITE = 100_000
_NAN = -100_001
_GREATEST = float(np.finfo(np.float64).max)


def buckets(values: Float64s) -> Int64s:
    """Bucket of each value; NaN is the least of all, as it is for Prometheus's quantiles."""
    size = np.abs(values)
    usable = np.isfinite(values) & (size > 0)
    index = np.ceil(np.log(np.where(usable, size, 1.0)) / _LOG_GAMMA).astype(np.int64) + _MIDDLE
    found = np.where(usable, index, np.where(np.isinf(values), _INFINITE, 0))
    found = np.where(values < 0, -found, found)
    return np.where(np.isnan(values), _NAN, found)


def estimates(numbers: Int64s) -> Float64s:
    """A value for each bucket: within `RELATIVE_ERROR` of all values in it."""
    size = np.abs(numbers)
    usable = np.where((size > 0) & (size < _INFINITE), size - _MIDDLE, 0)
    with np.errstate(over="ignore"):
        middle = np.minimum(np.exp(usable * _LOG_GAMMA + _LOG_MIDDLE), _GREATEST)
    found = np.where(size == 0, 0.0, np.where(size == _INFINITE, np.inf, middle))
    return np.where(numbers == _NAN, np.nan, np.copysign(found, numbers))


def quantiles(group: Int64s, numbers: Int64s, counts: Float64s, phi: Float64s) -> Float64s:
    """Quantile `phi[g]` of each group g: buckets and counts come by (group, bucket), each group has some.

    Interpolated between ranks as Prometheus does, each of the two neighbours within `RELATIVE_ERROR`.
    """
    groups = len(phi)
    before = np.concatenate(([0.0], np.cumsum(counts)))
    first = np.searchsorted(group, np.arange(groups))
    last = np.searchsorted(group, np.arange(groups), side="right")
    size = before[last] - before[first]
    rank = np.clip(np.nan_to_num(phi), 0.0, 1.0) * (size - 1)
    lower = np.floor(rank)
    upper = np.minimum(size - 1, lower + 1)

    def at(place: Float64s) -> Float64s:
        found = np.searchsorted(before, before[first] + place, side="right") - 1
        return estimates(numbers[found])

    weight = rank - lower
    low, high = at(lower), at(upper)
    inside = np.where(low == high, low, low * (1 - weight) + high * weight)
    outside = np.where(phi < 0, -np.inf, np.where(phi > 1, np.inf, np.nan))
    return np.where((phi >= 0) & (phi <= 1), inside, outside)
