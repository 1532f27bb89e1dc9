"""Elapsed: how many seconds have gone by in a partition's log, told by the times of its records.

It never falls, hangs on the records before it alone, and so is the same in every replay and however chunks are cut. One
record with a wrong time does little harm: no step counts for more than a minute, and where the log is more than a
minute behind the largest time seen, time goes on from where the log is.

It refuses to say what time it is.
"""

import numpy as np

from schemas.samples import Int64s

MOST_STEP_SECONDS = 60
"""A gap in the log counts for this much, and records may be out of order by this much."""


class Elapsed:
    """Seconds gone by since the first record.

    Attributes:
        second: second of the epoch at which the log is, None before its first record.
        total: seconds gone by until then.

    """

    def __init__(self) -> None:
        self.second: int | None = None
        self.total = 0

    def advance(self, stamps_ms: Int64s) -> Int64s:
        """For each of these records, in their order, the seconds gone by when it was written."""
        if not len(stamps_ms):
            return np.zeros(0, np.int64)
        if self.second is None:
            self.second = int(stamps_ms[0]) // 1000
        least, most = int(stamps_ms.min()) // 1000, int(stamps_ms.max()) // 1000
        if least == most and self.second - least <= MOST_STEP_SECONDS:
            self.total += min(max(0, most - self.second), MOST_STEP_SECONDS)
            self.second = max(self.second, most)
            return np.full(len(stamps_ms), self.total)
        seconds, before = stamps_ms // 1000, self.second
        newest = np.maximum.accumulate(np.maximum(seconds, before))
        if (newest - seconds > MOST_STEP_SECONDS).any():
            newest = _reset(before, seconds)
        steps = np.clip(np.diff(newest, prepend=before), 0, MOST_STEP_SECONDS)
        totals: Int64s = self.total + np.cumsum(steps)
        self.second, self.total = int(newest[-1]), int(totals[-1])
        return totals


def _reset(newest: int, seconds: Int64s) -> Int64s:
    """The largest second so far at each record, begun anew where a record is far behind it."""
    found = []
    for second in seconds.tolist():
        if second > newest or newest - second > MOST_STEP_SECONDS:
            newest = second
        found.append(newest)
    return np.array(found, np.int64)
