"""Blocks: ragged stretches of a column as padded matrices, and reductions over their rows.

A row of a block is one stretch (a window of a series, or the members of a group), as wide as the next power of two
of its length. A row's result hangs on that row alone, never on what shares its block, so it is the same however series
arrive, chunks are cut or tenants are mixed. Sums are compensated (TwoSum, Knuth, TAOCP 4.2.2), as accurate as
the Kahan-Neumaier sums of Prometheus, by halving instead of one after the other.

It refuses empty stretches: they yield no row.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from schemas.samples import Float64s, Int64s

Bools: TypeAlias = NDArray[np.bool_]

CELLS_PER_BLOCK = 1 << 17
"""About 1 MB a matrix, so that the passes of a reduction find it in the cache."""


class Block(NamedTuple):
    """Some stretches of like length.

    Attributes:
        members: int64[k], which stretches these are.
        cells: int64[k, w], where their samples stand in the column; padding repeats the last one.
        inside: bool[k, w], false for padding.
        counts: int64[k], length of each stretch.

    """

    members: Int64s
    cells: Int64s
    inside: Bools
    counts: Int64s


Reducer: TypeAlias = Callable[[Float64s, Block], Float64s]
"""From values float64[k, w] and their block to one value a row."""


def blocks(low: Int64s, high: Int64s) -> Iterator[Block]:
    """Blocks that together hold every stretch [low, high) that is not empty."""
    counts = high - low
    powers = np.frexp(np.maximum(counts, 1) - 0.5)[1]
    for power in np.unique(powers[counts > 0]).tolist():
        width = 1 << power
        steps = np.arange(width)
        alike = np.flatnonzero((powers == power) & (counts > 0))
        height = max(1, CELLS_PER_BLOCK // width)
        for start in range(0, len(alike), height):
            members = alike[start : start + height]
            cells = low[members, None] + steps
            inside = cells < high[members, None]
            np.minimum(cells, high[members, None] - 1, out=cells)
            yield Block(members, cells, inside, counts[members])


def reduce_stretches(values: Float64s, low: Int64s, high: Int64s, reducer: Reducer) -> Float64s:
    """One value for each stretch [low, high) of a column; NaN for an empty one."""
    result = np.full(len(low), np.nan)
    for block in blocks(low, high):
        result[block.members] = reducer(values[block.cells], block)
    return result


def compensated_sum(values: Float64s) -> Float64s:
    """Sum of each row of float64[k, 2**p], as if in twice the precision; infinities as IEEE 754 adds them."""
    return rounded(*compensated(values))


def rounded(total: Float64s, lost: Float64s) -> Float64s:
    """Sums from what `compensated` found."""
    return np.where(np.isfinite(total), total + lost, total)


def divided(total: Float64s, lost: Float64s, counts: Int64s) -> Float64s:
    """Means from what `compensated` found."""
    # apart, for their sum would be rounded once more: the mean of equal values is that value
    means = total / counts
    return np.where(np.isfinite(means), means + lost / counts, means)


def compensated(values: Float64s, lost: Float64s | None = None) -> tuple[Float64s, Float64s]:
    """Sum of each row of float64[k, 2**p], and what it lacks, counted from what the values themselves have lost."""
    sums, errors = values, np.zeros_like(values) if lost is None else lost
    while sums.shape[1] > 1:
        half = sums.shape[1] // 2
        left, right = sums[:, :half], sums[:, half:]
        both = left + right
        virtual = both - left
        missing = (left - (both - virtual)) + (right - virtual)
        sums, errors = both, errors[:, :half] + errors[:, half:] + missing
    return sums[:, 0], errors[:, 0]


def total(values: Float64s, block: Block) -> Float64s:
    """Sum of each row."""
    return compensated_sum(np.where(block.inside, values, 0.0))


def mean(values: Float64s, block: Block) -> Float64s:
    """Arithmetic mean of each row; of finite values it is finite even where their sum is not."""
    padded = np.where(block.inside, values, 0.0)
    means = divided(*compensated(padded), block.counts)
    overflown = ~np.isfinite(means) & np.isfinite(padded).all(axis=1)
    if overflown.any():
        means[overflown] = compensated_sum(padded[overflown] / block.counts[overflown, None])
    return means


def variance(values: Float64s, block: Block) -> Float64s:
    """Population variance of each row, in two passes; counted from the first value, so equal ones have none."""
    shifted = values - values[:, :1]
    apart = np.where(block.inside, shifted - mean(shifted, block)[:, None], 0.0)
    return compensated_sum(apart * apart) / block.counts


def deviation(values: Float64s, block: Block) -> Float64s:
    """Population standard deviation of each row."""
    return np.sqrt(variance(values, block))


def least(values: Float64s, block: Block) -> Float64s:
    """Smallest of each row; NaN only where there is nothing else."""
    result: Float64s = np.fmin.reduce(np.where(block.inside, values, np.nan), axis=1)
    return result


def greatest(values: Float64s, block: Block) -> Float64s:
    """Largest of each row; NaN only where there is nothing else."""
    result: Float64s = np.fmax.reduce(np.where(block.inside, values, np.nan), axis=1)
    return result


def count(values: Float64s, block: Block) -> Float64s:  # noqa: ARG001  a Reducer takes the values too
    """Length of each row."""
    return block.counts.astype(np.float64)


def one(values: Float64s, block: Block) -> Float64s:  # noqa: ARG001  a Reducer takes the values too
    """1 for each row: it is there."""
    return np.ones(len(block.counts))


def quantile(values: Float64s, block: Block, phi: Float64s) -> Float64s:
    """Quantile `phi` (one a row) by linear interpolation between ranks; NaN counts as the smallest value.

    As in Prometheus: -Inf below 0, +Inf above 1, NaN for NaN.
    """
    nans = np.isnan(values) & block.inside
    ordered = np.where(block.inside, np.where(nans, -np.inf, values), np.inf)
    ordered.sort(axis=1)
    ordered[np.arange(ordered.shape[1]) < nans.sum(axis=1)[:, None]] = np.nan
    rank = np.clip(np.nan_to_num(phi), 0.0, 1.0) * (block.counts - 1)
    lower = np.floor(rank).astype(np.int64)
    upper = np.minimum(block.counts - 1, lower + 1)
    weight = rank - lower
    each = np.arange(len(lower))
    found = ordered[each, lower] * (1 - weight) + ordered[each, upper] * weight
    outside = np.where(phi < 0, -np.inf, np.where(phi > 1, np.inf, np.nan))
    return np.where((phi >= 0) & (phi <= 1), found, outside)
