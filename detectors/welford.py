"""Welford: samples within their bounds, taken into the means and variances of their rows by compiled code.

The arithmetic is that of `Gaussian`, sample by sample, so the bits are the same. It leaves alone what is out of bounds,
and of that row all that follows: this is for whoever judges.
"""

import numpy as np

from detectors.base import LARGEST_VALUE, BoolArray, FloatArray, IntArray
from schemas.compiled import compiled


@compiled
def learn_within(
    rows: IntArray,
    values: FloatArray,
    wary: BoolArray,
    mute_samples: int,
    reach: float,
    floors: tuple[float, float],
    samples: IntArray,
    mean: FloatArray,
    squares: FloatArray,
) -> BoolArray:
    """Learn each sample whose deviation is below `reach`, or whose row has seen fewer than `mute_samples`; which.

    `wary` bool[capacity]: rows to leave alone, also because of what is left here. `floors`: the least scale, relative
    to the level and in the unit of the value.
    """
    learnt = np.zeros(len(rows), np.bool_)
    relative, absolute = floors
    for at in range(len(rows)):
        row, value = rows[at], values[at]
        if wary[row]:
            continue
        seen, level = samples[row], mean[row]
        gap = value - level
        within = abs(value) <= LARGEST_VALUE
        if within and seen >= mute_samples:
            scale = np.sqrt(squares[row] / max(seen - 1, 1))
            scale = max(scale, abs(level) * relative, absolute)
            within = abs(gap) < reach * scale
        if not within:
            wary[row] = True
            continue
        moved = level + gap / (seen + 1)
        mean[row] = moved
        squares[row] += gap * (value - moved)
        samples[row] = seen + 1
        learnt[at] = True
    return learnt


_NO_ROWS, _NO_VALUES = np.zeros(0, np.int64), np.zeros(0)
learn_within(  # compiles it
    _NO_ROWS,
    _NO_VALUES,
    np.zeros(0, np.bool_),
    0,
    0.0,
    (0.0, 0.0),
    _NO_ROWS,
    _NO_VALUES,
    _NO_VALUES,
)
