"""Lag: how well what one series did foretells what another did later, and by how much it was ahead.

The sign is left out: what fails falls in one metric and rises in another.
"""

import numpy as np

from detectors.base import FloatArray

PAIRS_MIN = 8
"""Fewer pairs of values say nothing about a correlation."""


def lagged_correlation(leader: FloatArray, follower: FloatArray, lags: int) -> tuple[float, int]:
    """Strongest correlation, 0 to 1, of a series with a later one, and the lag in steps at which it is found.

    Both are float64[n] on the same steps, NaN where there is no value; lags from 0 to `lags`.
    """
    best, at = 0.0, 0
    for lag in range(lags + 1):
        before = leader[: len(leader) - lag]
        after = follower[lag:]
        both = np.isfinite(before) & np.isfinite(after)
        if both.sum() < PAIRS_MIN:
            continue
        x, y = _unit(before[both]), _unit(after[both])
        found = min(1.0, abs(float(x @ y)))
        if found > best:
            best, at = found, lag
    return best, at


def _unit(values: FloatArray) -> FloatArray:
    """Around their mean and of length 1; zeros where all are alike."""
    # large values are scaled first, or their squares would overflow
    largest = float(np.abs(values).max())
    around = values / largest if largest > 0 else values
    around = around - around.mean()
    length = float(np.sqrt(around @ around))
    found: FloatArray = around / length if length > 0 else around
    return found
