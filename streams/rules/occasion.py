"""Occasion: spans of time that are not like others: holidays, sales, tests under load; and when nothing is learnt.

An occasion is quiet (nothing in it is an alert, and nothing is learnt), or apart: what is usual then is learnt by
itself, in a profile of its own, and all that is apart shares that profile. Maintenance is neither: samples are judged
as ever, and not learnt.

Times are event times, ms since the epoch, UTC; ends are exclusive. Refuses to read files: that is `calendars`.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from detectors.base import BoolArray, IntArray
from schemas.config.intervals import IntervalConfig
from streams.time.intervals import holds

MINUTE_MS = 60_000


class Occasion(NamedTuple):
    """One span of a calendar.

    Attributes:
        name: of its calendar.
        begin, end: event times, ms, the end exclusive.
        apart: whether it has a profile of its own; else it is quiet.

    """

    name: str
    begin: int
    end: int
    apart: bool = False


class Spans:
    """Spans of time, joined where they overlap."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        begins: list[int] = []
        ends: list[int] = []
        for begin, end in sorted(spans):
            if ends and begin <= ends[-1]:
                ends[-1] = max(ends[-1], end)
            elif begin < end:
                begins.append(begin)
                ends.append(end)
        self._begins = np.array(begins, np.int64)
        self._ends = np.array(ends, np.int64)

    def __len__(self) -> int:
        return len(self._begins)

    def hold(self, times: IntArray) -> BoolArray:
        """Which of these times, int64[n], lie in a span."""
        if not len(self):
            return np.zeros(len(times), np.bool_)
        at = np.searchsorted(self._begins, times, side="right") - 1
        found: BoolArray = (at >= 0) & (times < self._ends[at])
        return found


class Occasions:
    """What times are special to one rule.

    Attributes:
        none: whether there is nothing special at all, so that nobody needs to ask.
        apart: the spans with a profile of their own.

    """

    def __init__(
        self, occasions: Sequence[Occasion], maintenance: Sequence[IntervalConfig]
    ) -> None:
        self._quiet = Spans((o.begin, o.end) for o in occasions if not o.apart)
        self.apart = Spans((o.begin, o.end) for o in occasions if o.apart)
        self._maintenance = tuple(maintenance)
        self.none = not (len(self._quiet) or len(self.apart) or self._maintenance)

    def quiet(self, times: IntArray) -> BoolArray:
        """When nothing is an alert, and nothing is learnt."""
        return self._quiet.hold(times)

    def maintained(self, times: IntArray) -> BoolArray:
        """When nothing is learnt; time intervals are asked once for each minute."""
        if not self._maintenance:
            return np.zeros(len(times), np.bool_)
        minutes, which = np.unique(times // MINUTE_MS, return_inverse=True)
        answers = [
            any(holds(interval, minute * MINUTE_MS) for interval in self._maintenance)
            for minute in minutes.tolist()
        ]
        found: BoolArray = np.array(answers, np.bool_)[which]
        return found
