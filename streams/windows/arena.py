"""Arena: the samples of all series in four flat columns, one stretch a row, and windows into them.

A row owns the room [.., limit) and lives in [head, tail), sorted by time. A row that outgrows its room moves to the
end of the columns, leaving its expired samples behind; when the end is reached everything moves into new columns.
Both are one gather and one scatter, so an append costs a constant number of moves a sample.

It refuses nothing: what may come in, the series store has decided before.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from schemas.samples import Float64s, Int32s, Int64s
from streams.windows.blocks import Bools

NEVER = int(np.iinfo(np.int64).max)
NEVER_BEFORE = int(np.iinfo(np.int64).min)
LEAST_ROOM = 4
LEAST_ARENA = 1024
SPARSE = 4
"""Columns this many times as large as they need be are made anew when series go."""


class Columns(NamedTuple):
    """Samples, flat.

    Attributes:
        times: int64, event time in ms.
        values: float64; never a stale marker.
        ended: int64, time in ms of the first stale marker after this sample and before the next; else `NEVER`.
        resets: int32, how often the value has fallen since some sample of its row: only differences mean something.

    """

    times: Int64s
    values: Float64s
    ended: Int64s
    resets: Int32s


def make_columns(size: int) -> Columns:
    """Columns of that many samples, their content undefined."""
    return Columns(
        np.empty(size, np.int64),
        np.empty(size, np.float64),
        np.empty(size, np.int64),
        np.empty(size, np.int32),
    )


class Windows(NamedTuple):
    """Samples of some rows in (start_ms, end_ms]: for row i the stretch [low[i], high[i]) of the columns.

    `t_ms` is the time of the evaluation, which an offset parts from the end.
    """

    columns: Columns
    low: Int64s
    high: Int64s
    start_ms: int
    end_ms: int
    t_ms: int = 0

    @property
    def span_ms(self) -> int:
        """Length of the windows."""
        return self.end_ms - self.start_ms

    def keep(self, mask: Bools) -> "Windows":
        """The windows where the mask is true."""
        return self._replace(low=self.low[mask], high=self.high[mask])


def stretch_index(low: Int64s, counts: Int64s) -> Int64s:
    """Indices of the stretches that begin at `low`, one after the other."""
    ends = np.cumsum(counts)
    return np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(low - ends + counts, counts)


Number = TypeVar("Number", bound=np.generic)


def fitted(column: NDArray[Number], size: int, fill: int) -> NDArray[Number]:
    """A column cut or filled up to a size."""
    more = np.full(max(0, size - len(column)), fill, column.dtype)
    return np.concatenate((column[:size], more))


class Arena:
    """Where the samples lie."""

    def __init__(self) -> None:
        self.columns = make_columns(LEAST_ARENA)
        self.head = np.zeros(0, np.int64)
        self.tail = np.zeros(0, np.int64)
        self.limit = np.zeros(0, np.int64)
        self._end = 0

    def resize(self, rows: int) -> None:
        """Have place for rows below that number; those above it are empty."""
        self.head = fitted(self.head, rows, 0)
        self.tail = fitted(self.tail, rows, 0)
        self.limit = fitted(self.limit, rows, 0)

    def after(self, rows: Int64s, t_ms: int) -> Int64s:
        """For each row the position behind its last sample that is not later than a time."""
        times = self.columns.times
        low, high = self.head[rows], self.tail[rows]
        # Ticks run close behind the samples: where even the newest is not later there is nothing to search.
        newest = (high > low) & (times[high - 1] <= t_ms)
        low[newest] = high[newest]
        searching = np.flatnonzero(low < high)
        while len(searching):
            middle = (low[searching] + high[searching]) >> 1
            before = times[middle] <= t_ms
            low[searching[before]] = middle[before] + 1
            high[searching[~before]] = middle[~before]
            searching = searching[low[searching] < high[searching]]
        return low

    def reserve(self, rows: Int64s, counts: Int64s, expired_ms: int) -> None:
        """Give each of these distinct rows room for that many more samples; samples up to `expired_ms` may go."""
        short = self.tail[rows] + counts > self.limit[rows]
        if not short.any():
            return
        moving, more = rows[short], counts[short]
        self.head[moving] = self.after(moving, expired_ms)
        rooms = self._rooms(moving, more)
        if self._end + int(rooms.sum()) <= len(self.columns.times):
            self._place(moving, rooms, self.columns, self._end)
        else:
            needs = np.zeros(len(self.head), np.int64)
            needs[rows] = counts
            self.compact(needs, expired_ms)

    def compact(self, needs: Int64s, expired_ms: int) -> None:
        """Move everything into new columns, with room for `needs[row]` more samples in each row."""
        rows = np.arange(len(self.head))
        self.head = self.after(rows, expired_ms)
        rooms = self._rooms(rows, needs)
        target = make_columns(LEAST_ARENA + int(rooms.sum()) * 5 // 4)
        self._place(rows, rooms, target, 0)
        self.columns = target

    def drop(self, rows: Int64s) -> None:
        """Forget all samples of these rows; where little is left, its memory is given back at once."""
        self.head[rows] = self.tail[rows] = self.limit[rows] = 0
        needs = np.zeros(len(self.head), np.int64)
        if SPARSE * int(self._rooms(np.arange(len(needs)), needs).sum()) < len(self.columns.times):
            self.compact(needs, NEVER_BEFORE)

    def _rooms(self, rows: Int64s, needs: Int64s) -> Int64s:
        filled = self.tail[rows] - self.head[rows] + needs
        return np.where(filled > 0, np.maximum(LEAST_ROOM, 2 * filled), 0)

    def _place(self, rows: Int64s, rooms: Int64s, target: Columns, start: int) -> None:
        limits = start + np.cumsum(rooms)
        bases = limits - rooms
        counts = self.tail[rows] - self.head[rows]
        source = stretch_index(self.head[rows], counts)
        place = stretch_index(bases, counts)
        pairs: Iterable[tuple[NDArray[Any], NDArray[Any]]] = zip(self.columns, target, strict=True)
        for old, new in pairs:
            new[place] = old[source]
        self.head[rows], self.tail[rows], self.limit[rows] = bases, bases + counts, limits
        self._end = int(limits[-1]) if len(limits) else start
