"""Onset: when a column became abnormal; onsets are as sharp as the rows are close."""

import numpy as np

from detectors.base import BoolArray


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
