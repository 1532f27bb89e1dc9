"""Forms: what each aggregation sends from a partition instead of its members, and how that is merged.

A form takes the values of a vector group by group and gives parts: group, code, value. A code tells parts of a group
apart, such as its count from its mean. Merged are the parts of all partitions, sorted by group, code and partition.
All but `stddev` and `stdvar` come out the same, to the last bit, however the members were spread over partitions; those
two are merged by Chan, Golub and LeVeque's formula ("Algorithms for computing the sample variance", The American
Statistician 37, 1983), which is stable, and differ by rounding.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from schemas.samples import Float64s, Int64s
from streams.rules.partial import exact, sketch
from streams.windows.blocks import Block, greatest, least, mean, reduce_stretches, variance


class Parts(NamedTuple):
    """Parts of groups as columns: number of the group, code, value."""

    groups: Int64s
    codes: Int64s
    values: Float64s


Part: TypeAlias = Callable[[Float64s, Int64s, Int64s], Parts]
"""From values and the stretches [low, high) of them that groups are, none empty."""

Merge: TypeAlias = Callable[[Parts, Float64s], Float64s]
"""From all parts, sorted by group, code and partition, and a number for each group, to a value for each group."""


class Form(NamedTuple):
    """How an aggregation is evaluated in two stages.

    Attributes:
        part: what a partition sends.
        merge: what becomes of it.
        indifferent: whether it does not look at values, so that histograms are like floats.
        blind: whether it leaves histograms out.

    """

    part: Part
    merge: Merge
    indifferent: bool = False
    blind: bool = False


COUNT, MEAN, SQUARES = -3, -2, -1
"""Codes beside those of sums, which count from 0."""


def members(values: Float64s, low: Int64s, high: Int64s) -> Parts:
    """Each member by itself, its place in its group for a code."""
    sizes = high - low
    groups = np.repeat(np.arange(len(low)), sizes)
    codes = np.arange(len(groups)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return Parts(groups, codes, values[np.repeat(low, sizes) + codes])


def _sums(values: Float64s, low: Int64s, high: Int64s) -> Parts:
    return Parts(*exact.expansions(values, low, high))


def _counts(_: Float64s, low: Int64s, high: Int64s) -> Parts:
    groups = np.arange(len(low))
    return Parts(groups, np.full(len(low), COUNT), (high - low).astype(np.float64))


def _joined(*parts: Parts) -> Parts:
    return Parts(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _sums_and_counts(values: Float64s, low: Int64s, high: Int64s) -> Parts:
    return _joined(_sums(values, low, high), _counts(values, low, high))


def _reduced(reducer: Callable[[Float64s, Block], Float64s]) -> Part:
    def part(values: Float64s, low: Int64s, high: Int64s) -> Parts:
        groups = np.arange(len(low))
        found = reduce_stretches(values, low, high, reducer)
        return Parts(groups, np.zeros(len(low), np.int64), found)

    return part


def _moments(values: Float64s, low: Int64s, high: Int64s) -> Parts:
    groups = np.arange(len(low))
    means = reduce_stretches(values, low, high, mean)
    spread = reduce_stretches(values, low, high, variance) * (high - low)
    return _joined(
        _counts(values, low, high),
        Parts(groups, np.full(len(low), MEAN), means),
        Parts(groups, np.full(len(low), SQUARES), spread),
    )


def _bucketed(values: Float64s, low: Int64s, high: Int64s) -> Parts:
    groups, _, found = members(values, low, high)
    pairs = np.stack((groups, sketch.buckets(found)))
    distinct, counts = np.unique(pairs, axis=1, return_counts=True)
    return Parts(distinct[0], distinct[1], counts.astype(np.float64))


def _starts(groups: Int64s) -> Int64s:
    return np.flatnonzero(np.diff(groups, prepend=-1))


def _only(parts: Parts, code: int) -> Parts:
    mask = parts.codes == code
    return Parts(parts.groups[mask], parts.codes[mask], parts.values[mask])


def _stretches(parts: Parts) -> list[list[float]]:
    starts = _starts(parts.groups)
    ends = np.append(starts[1:], len(parts.groups))
    values = parts.values.tolist()
    return [values[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]


def merge_sums(parts: Parts, _: Float64s) -> Float64s:
    """Exact sums."""
    starts = _starts(parts.groups)
    if len(starts) == len(parts.groups):
        return parts.values
    return np.array([exact.total(each) for each in _stretches(parts)], np.float64)


def _merge_averages(parts: Parts, _: Float64s) -> Float64s:
    counts = _only(parts, COUNT)
    numbers = np.add.reduceat(counts.values, _starts(counts.groups)).tolist()
    sums = parts.codes != COUNT
    found = _stretches(Parts(parts.groups[sums], parts.codes[sums], parts.values[sums]))
    return np.array([exact.average(s, n) for s, n in zip(found, numbers, strict=True)], np.float64)


def _merge_counts(parts: Parts, _: Float64s) -> Float64s:
    found: Float64s = np.add.reduceat(parts.values, _starts(parts.groups))
    return found


def _merge_groups(parts: Parts, _: Float64s) -> Float64s:
    return np.ones(len(_starts(parts.groups)))


def _merge_reduced(reduce: np.ufunc) -> Merge:
    def merge(parts: Parts, _: Float64s) -> Float64s:
        found: Float64s = reduce.reduceat(parts.values, _starts(parts.groups))
        return found

    return merge


def _merge_variances(parts: Parts, _: Float64s) -> Float64s:
    counts, means, squares = (_only(parts, code).values for code in (COUNT, MEAN, SQUARES))
    groups = _only(parts, COUNT).groups
    starts = _starts(groups)
    if not len(starts):
        return means
    number = np.add.reduceat(counts, starts)
    # counted from the first partition's mean, so that what lies far from 0 loses nothing
    apart = means - means[starts][groups]
    middle = np.add.reduceat(counts * apart, starts) / number
    between = apart - middle[groups]
    found: Float64s = np.add.reduceat(squares + counts * between * between, starts) / number
    return found


def _merge_buckets(parts: Parts, phi: Float64s) -> Float64s:
    return sketch.quantiles(*parts, phi)


def _deviations(parts: Parts, phi: Float64s) -> Float64s:
    return np.sqrt(_merge_variances(parts, phi))


def only_member(parts: Parts, _: Float64s) -> Float64s:
    """Of members that are groups of their own."""
    return parts.values


FORMS = {
    "avg": Form(_sums_and_counts, _merge_averages),
    "count": Form(_counts, _merge_counts, indifferent=True),
    "group": Form(_counts, _merge_groups, indifferent=True),
    "max": Form(_reduced(greatest), _merge_reduced(np.fmax), blind=True),
    "min": Form(_reduced(least), _merge_reduced(np.fmin), blind=True),
    "quantile": Form(_bucketed, _merge_buckets, blind=True),
    "stddev": Form(_moments, _deviations, blind=True),
    "stdvar": Form(_moments, _merge_variances, blind=True),
    "sum": Form(_sums, merge_sums),
}
GATHERED = Form(members, only_member)
"""The elements themselves; two of one label set are no result."""
SUMMED = Form(members, merge_sums)
"""Elements of which several partitions may have the same one, and their sum counts."""
