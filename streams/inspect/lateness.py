"""Lateness: how far behind the newest sample of its partition each sample came, as a histogram.

Sixteen buckets to a doubling, so a quantile is at most 6 % too large (HdrHistogram's idea); memory does not grow.
"""

import numpy as np
from numpy.typing import NDArray

from streams.inspect.report import Lateness

BUCKETS_PER_DOUBLING = 16
BUCKETS = 64 * BUCKETS_PER_DOUBLING
STEPS_SECONDS = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
ENOUGH = 0.999


class Spread:
    """Lateness of samples of any number of partitions."""

    def __init__(self, allowed_ms: int) -> None:
        self._allowed_ms = allowed_ms
        self._counts = np.zeros(BUCKETS, np.int64)
        self._newest: dict[int, int] = {}
        self._most_ms = self._late = 0

    def add(self, partition: int, times: NDArray[np.int64]) -> None:
        """Take in event times, ms, in the order of the partition's log."""
        if not len(times):
            return
        before = self._newest.get(partition, int(times[0]))
        newest = np.maximum.accumulate(np.concatenate(([before], times)))
        behind = np.maximum(newest[:-1] - times, 0)
        self._newest[partition] = int(newest[-1])
        self._most_ms = max(self._most_ms, int(behind.max()))
        self._late += int(np.count_nonzero(behind > self._allowed_ms))
        bucket = np.ceil(np.log2(behind + 1.0) * BUCKETS_PER_DOUBLING).astype(np.int64)
        self._counts += np.bincount(bucket, minlength=BUCKETS)

    @property
    def late(self) -> int:
        """Samples that are later than is allowed."""
        return self._late

    def report(self) -> Lateness | None:
        """What came; None where nothing did."""
        if not self._counts.any():
            return None
        needed = self._quantile(ENOUGH)
        return Lateness(
            p50=self._quantile(0.5),
            p99=self._quantile(0.99),
            p999=needed,
            most=self._most_ms / 1000,
            late=self._late,
            allowed_seconds=self._allowed_ms / 1000,
            recommended_seconds=next((s for s in STEPS_SECONDS if s >= needed), STEPS_SECONDS[-1]),
        )

    def _quantile(self, share: float) -> float:
        """Seconds that so many samples do not exceed."""
        upto = np.cumsum(self._counts)
        bucket = int(np.searchsorted(upto, share * upto[-1]))
        return min(2 ** (bucket / BUCKETS_PER_DOUBLING) - 1, self._most_ms) / 1000
