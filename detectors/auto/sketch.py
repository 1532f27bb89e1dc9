"""Sketch: the values that a view has had, sorted, in a bounded number of cells; and how far a new one is from them.

A row of a sketch is `SIZE` float32, empty cells infinite. No two kept values share a cell of the row's grid; a sketch
that is full gets a coarser grid. Nothing else is forgotten, so what was there once is never new again.

Refuses clocks and weights: it knows values alone.
"""

import numpy as np
from numpy.typing import NDArray

from detectors.base import FloatArray, IntArray

Values = NDArray[np.float32]

SIZE = 127
# A coarser grid is wider by this at least, so that thinning ends soon.
COARSER = 1.5
# Float32 cannot tell values apart that are nearer than this share of the largest one.
FINEST = 2.0**-22
_STEPS = (64, 32, 16, 8, 4, 2, 1)


def distance(kept: Values, place: IntArray, values: Values) -> Values:
    """How far `values` are from the nearest of the kept ones; infinite where none is kept.

    `kept` is flat, `place` where the sketch of each value begins; the shapes of `place` and `values` are equal.
    """
    below = place.copy()
    seen, less, more = (
        np.empty(place.shape, np.float32),
        np.empty(place.shape, np.bool_),
        below.copy(),
    )
    for step in _STEPS:
        np.add(below, step - 1, out=more)
        # every place is within the array, and this mode alone fills a given array without a copy
        np.take(kept, more, out=seen, mode="clip")
        np.less(seen, values, out=less)
        np.multiply(less, step, out=more)
        below += more
    np.take(kept, np.minimum(below, place + (SIZE - 1)), out=seen, mode="clip")
    nearest: Values = np.abs(seen - values)
    np.take(kept, np.maximum(below - 1, place), out=seen, mode="clip")
    np.minimum(nearest, np.abs(values - seen), out=nearest)
    return nearest


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
