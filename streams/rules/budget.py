"""Budget: how many false alarms a series may cost, as the score that it must reach.

A budget of each series is the same for all. One `per service` or `per tenant` is shared out evenly among the series of
the rule that have that value and are alive, counted anew each minute of event time: a hundred pods cost together what
one would. What people say of alerts (`feedback`) multiplies a series' share.

Thresholds: a series with the share s of n false alarms in T, judged every t, is told of from the score 1 - s n t / T
on. Refuses nothing: a share over 1 in every evaluation is 1.
"""

import numpy as np

from detectors.base import BoolArray, FloatArray, IntArray
from schemas.labels import TENANT, decode_labels, fingerprint_bytes, get_label
from streams.rules.rule import EACH_SERIES, DetectBlock

LIVE_MS = 3_600_000
"""A series with a sample in this time is alive."""
RECOUNT_MS = 60_000
# One threshold is left by the square root of its tail probability.
LEAVE_EXPONENT = 0.5
HIGHEST = np.nextafter(1.0, 0.0)


class Budget:
    """The budget of one rule.

    Attributes:
        tail: the whole of it, as the probability that one evaluation of one series is a false alarm.
        shared: whether series share it.

    """

    def __init__(self, block: DetectBlock, interval_ms: int) -> None:
        self.tail = block.false_alarms * interval_ms / block.per_ms / block.spread
        self.shared = block.per != EACH_SERIES
        self._label = TENANT if block.per == "tenant" else block.per

    def sharer(self, encoded: bytes) -> int:
        """Number of those with whom a label set shares the budget."""
        if not self.shared:
            return 0
        labels = decode_labels(encoded)
        mark = f"{get_label(labels, TENANT)}\0{get_label(labels, self._label)}"
        return fingerprint_bytes(mark.encode()) >> 1

    def shares(self, sharers: IntArray, alive: BoolArray) -> FloatArray:
        """The share of each row: 1 over the number of rows that are alive and share with it."""
        if not self.shared or not len(sharers):
            return np.ones(len(sharers))
        _, which = np.unique(sharers, return_inverse=True)
        counts = np.bincount(which[alive], minlength=int(which.max()) + 1)
        shares: FloatArray = 1.0 / np.maximum(counts[which], 1)
        return shares

    def enter(self, shares: FloatArray | float) -> FloatArray:
        """The score from which on a row with this share is abnormal; as `threshold_for`."""
        tails = self.tail * np.asarray(shares, np.float64)
        return np.minimum(np.maximum(1.0 - tails, 0.0), HIGHEST)


def leave(enter: FloatArray) -> FloatArray:
    """The score below which it is no more: half as many nines."""
    lower: FloatArray = 1.0 - (1.0 - enter) ** LEAVE_EXPONENT
    return lower
