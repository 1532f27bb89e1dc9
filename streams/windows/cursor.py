"""Cursor: where the windows of some rows began the last time, so that the next ones are found by a step, not a search.

A window moves forward from evaluation to evaluation, and mostly by as many samples in each row. Positions are kept as
numbers of samples within their row, which stay when the arena moves the row. What is found is what a search finds;
where the window goes back, or the rows are others, it is a search.
"""

from typing import NamedTuple

import numpy as np

from schemas.samples import Int64s
from streams.windows.arena import NEVER, Arena

MOST_STEPS = 8
"""After so many a search is cheaper."""


class Begun(NamedTuple):
    """Where windows begin.

    Attributes:
        at: position of the first sample of each, that of the end of its row where there is none.
        times: event time of that sample in ms, `NEVER` where there is none.
        origin: `Arena.origin` of each row.
        numbers: number of that sample within its row.
        tail: `Arena.tail` of each row.

    """

    at: Int64s
    times: Int64s
    origin: Int64s
    numbers: Int64s
    tail: Int64s


class Cursor:
    """The place behind a time in each of some rows."""

    def __init__(self) -> None:
        self._rows: Int64s | None = None
        self._numbers = np.zeros(0, np.int64)
        self._times = np.zeros(0, np.int64)
        self._t_ms = NEVER
        self._retirements = -1
        self._step = 0

    def after(self, arena: Arena, rows: Int64s, t_ms: int, retirements: int) -> Begun:
        """For each row the position behind its last sample that is not later than a time, as `Arena.after`.

        `retirements` tells whether a row may have gone to another series since the last time; the same array of rows is
        taken for the same rows.
        """
        known = rows is self._rows and retirements == self._retirements and t_ms >= self._t_ms
        origin, tail = arena.origin.take(rows), arena.tail.take(rows)
        numbers = self._numbers
        if known:
            at, times = self._moved(arena, rows, origin, tail, t_ms)
        else:
            at, self._step = arena.after(rows, t_ms), 0
            times = _times_at(arena, at, tail)
        if times is not self._times:
            numbers = at - origin
        self._rows, self._retirements, self._t_ms = rows, retirements, t_ms
        self._numbers, self._times = numbers, times
        return Begun(at, times, origin, numbers, tail)

    def _moved(
        self, arena: Arena, rows: Int64s, origin: Int64s, tail: Int64s, t_ms: int
    ) -> tuple[Int64s, Int64s]:
        """Where the windows begin now, and the times there: the array of the last time where no window has moved."""
        head = arena.head.take(rows)
        first = origin + self._numbers
        at = self._stepped(arena, first, head, tail, t_ms) if self._step else None
        if at is not None:
            times = _times_at(arena, at, tail)
        elif (first < head).any():
            # what has expired since lies before the head
            at = np.maximum(first, head)
            times = _times_at(arena, at, tail)
        else:
            at, times, self._step = first, self._again(arena, first, tail), 0
        if (times <= t_ms).any():
            at, times = self._searched(arena, rows, at.copy(), times.copy(), tail, t_ms)
            self._step = int((at - first).min())
        return at, times

    def _stepped(
        self, arena: Arena, first: Int64s, head: Int64s, tail: Int64s, t_ms: int
    ) -> Int64s | None:
        """As many samples further in each row as the last time, if none of those passed is too late."""
        at = first + self._step
        if (at > tail).any() or (at < head).any():
            return None
        # the sample that was first the last time is known without a look
        passed = self._times if self._step == 1 else arena.columns.times.take(at - 1)
        return None if (passed > t_ms).any() else at

    def _again(self, arena: Arena, at: Int64s, tail: Int64s) -> Int64s:
        """The times of the samples that were first the last time, and of those that have come where there was none."""
        none = self._times == NEVER
        if not none.any():
            return self._times
        ended = np.flatnonzero(none)
        times = self._times.copy()
        times[ended] = _times_at(arena, at[ended], tail[ended])
        return times

    @staticmethod
    def _searched(
        arena: Arena, rows: Int64s, at: Int64s, times: Int64s, tail: Int64s, t_ms: int
    ) -> tuple[Int64s, Int64s]:
        searching = np.flatnonzero(times <= t_ms)
        for _ in range(MOST_STEPS):
            at[searching] += 1
            times[searching] = _times_at(arena, at[searching], tail[searching])
            searching = searching[times[searching] <= t_ms]
            if not len(searching):
                return at, times
        at = arena.after(rows, t_ms)
        return at, _times_at(arena, at, tail)


def _times_at(arena: Arena, at: Int64s, tail: Int64s) -> Int64s:
    """Times of the samples at these positions, `NEVER` at the ends of rows."""
    none = at >= tail
    if not none.any():
        return arena.columns.times.take(at)
    ended = np.flatnonzero(none)
    there = at.copy()
    there[ended] = 0
    times: Int64s = arena.columns.times[there]
    times[ended] = NEVER
    return times
