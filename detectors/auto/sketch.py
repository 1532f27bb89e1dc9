"""Sketch: the values that a view has had, sorted, in a bounded number of cells; and how far a new one is from them.

A row of a sketch is `SIZE` float32, empty cells infinite. No two kept values share a cell of the row's grid; a sketch
that is full gets a coarser grid. Nothing else is forgotten, so what was there once is never new again.

Refuses clocks and weights: it knows values alone.
"""

import numpy as np
from numpy.typing import NDArray

from detectors.base import FloatArray, IntArray, Selector

Values = NDArray[np.float32]

SIZE = 127
# A coarser grid is wider by this at least, so that thinning ends soon.
COARSER = 1.5
# Float32 cannot tell values apart that are nearer than this share of the largest one.
FINEST = 2.0**-22
# Every so many values of a sketch one is a pivot: a search compares with these first, which lie side by side in memory.
PIVOT_STEP = 16
_STEPS = (8, 4, 2, 1)


def pivots_of(kept: Values) -> Values:
    """The pivots [SIZE // PIVOT_STEP, ...] of sketches [..., SIZE]."""
    return np.ascontiguousarray(np.moveaxis(kept[..., PIVOT_STEP - 1 :: PIVOT_STEP], -1, 0))


def distance(
    flat: Values, pivots: Values, at: Selector, begins: IntArray, values: Values
) -> Values:
    """How far `values` [m, n, v] are from the nearest of the kept ones of their row and view; infinite where none is.

    `flat` is all that is kept, `begins` [m, v] where in it each sketch begins; `at` selects the m rows of `pivots`.
    """
    begin = begins[:, None, :]
    if len(values) == 1:
        own = [flat[first : first + SIZE] for first in begins[0].tolist()]
        found = [np.searchsorted(*each) for each in zip(own, values[0].T, strict=True)]
        below = begin + np.stack(found, axis=1)
    else:
        below = _search(flat, pivots[:, at, None], begin, values)
    # every place is within the array, and this mode alone fills a given array without a copy
    seen = flat.take(np.minimum(below, begin + (SIZE - 1)), mode="clip")
    nearest: Values = np.abs(seen - values)
    below -= 1
    np.take(flat, np.maximum(below, begin, out=below), out=seen, mode="clip")
    np.minimum(nearest, np.abs(np.subtract(values, seen, out=seen)), out=nearest)
    return nearest


def _search(flat: Values, pivots: Values, begin: IntArray, values: Values) -> IntArray:
    """The place of the first value kept that is not below each of `values`."""
    less, before = np.empty(values.shape, np.bool_), np.zeros(values.shape, np.int8)
    for pivot in pivots:
        np.less(pivot, values, out=less)
        np.add(before, less, out=before)
    before *= PIVOT_STEP
    seen, below = np.empty(values.shape, np.float32), begin + before
    for step in _STEPS:
        np.take(flat[step - 1 :], below, out=seen, mode="clip")
        np.less(seen, values, out=less)
        before += np.multiply(less, step, dtype=np.int8)
        np.add(begin, before, out=below)
    return below


def merge(kept: Values, grid: FloatArray, fresh: Values) -> tuple[Values, FloatArray]:
    """Sketches [m, SIZE] with `fresh` [m, f] (infinite where there is none) in them, and their grids [m]."""
    every = np.sort(np.concatenate((kept, fresh), axis=1), axis=1)
    largest = np.max(np.where(np.isfinite(every), np.abs(every), 0.0), axis=1)
    grid = np.maximum(grid, FINEST * largest)
    every = _thinned(every, grid)
    while True:
        full = np.flatnonzero(np.isfinite(every[:, SIZE]))
        if not full.size:
            return every[:, :SIZE], grid
        crowded = every[full]
        with np.errstate(invalid="ignore"):
            gaps = np.diff(crowded, axis=1)
        gaps = np.sort(np.where(np.isfinite(gaps), gaps, np.inf), axis=1)
        grid[full] = np.maximum(COARSER * grid[full], gaps[:, SIZE // 4])
        every[full] = _thinned(crowded, grid[full])


def _thinned(every: Values, grid: FloatArray) -> Values:
    """The first value of each cell of the grid, sorted, infinite behind them."""
    # a grid of 0 belongs to a sketch of zeros
    width = np.where(grid > 0, grid, 1.0)[:, None]
    cell = np.floor(every / width)
    same = cell[:, 1:] == cell[:, :-1]
    every = every.copy()
    every[:, 1:][same] = np.inf
    return np.sort(every, axis=1)
