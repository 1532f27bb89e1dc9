"""Onset: when a column became abnormal, and how well it foretells another one.

Onsets are as sharp as the rows are close; the correlation says whether one column's changes come before another's.
"""

import numpy as np

from detectors.base import BoolArray, FloatArray
from streams.rank.deviation import LATE, RECENT

PAIRS_MIN = 8
"""Fewer pairs of values say nothing about a correlation."""


def onset_row(abnormal: BoolArray, first: int) -> int | None:
    """First row of the run of abnormal rows that holds the incident's first one; None without any.

    `abnormal` is one column over all rows, `first` the incident's first row.
    """
    found = np.flatnonzero(abnormal[first:])
    if not len(found):
        return None
    row = int(found[0]) + first
    while row > 0 and abnormal[row] and abnormal[row - 1]:
        row -= 1
    return row


def lagged_correlation(leader: FloatArray, follower: FloatArray, first: int) -> tuple[float, int]:
    """Strongest correlation, 0 to 1, of a column with a later one, and the lag in rows at which it is found.

    The sign is left out: what fails falls in one metric and rises in another. Rows from `RECENT` before the incident
    on, lags from 0 to `LATE`.
    """
    begin = max(0, first - RECENT)
    best, at = 0.0, 0
    for lag in range(LATE + 1):
        before = leader[begin : len(leader) - lag]
        after = follower[begin + lag :]
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
