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

from schemas.samples import STALE_BITS, Float64s, Int32s, Int64s
from streams.windows.blocks import Bools

NEVER = int(np.iinfo(np.int64).max)
NEVER_BEFORE = int(np.iinfo(np.int64).min)
NEVER_FELL = -(1 << 62)
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


class Edges(NamedTuple):
    """Of each window the time of its first sample, time and value of its last, and whether a value falls in it.

    A fall is a sample that is less than the one before it. `origin` is that of the row, `Arena.origin`.
    """

    first_ms: Int64s
    last_ms: Int64s
    last: Float64s
    falls: Bools
    origin: Int64s


class Windows(NamedTuple):
    """Samples of some rows in (start_ms, end_ms]: for row i the stretch [low[i], high[i]) of the columns.

    `t_ms` is the time of the evaluation, which an offset parts from the end. `edges` say what is known of the windows
    without a look at their samples, of those that are not empty.
    """

    columns: Columns
    low: Int64s
    high: Int64s
    start_ms: int
    end_ms: int
    t_ms: int = 0
    edges: Edges | None = None

    @property
    def span_ms(self) -> int:
        """Length of the windows."""
        return self.end_ms - self.start_ms

    def keep(self, mask: Bools) -> "Windows":
        """The windows where the mask is true."""
        return self._at(mask)

    def part(self, piece: slice) -> "Windows":
        """Some of the windows."""
        return self._at(piece)

    def _at(self, index: Bools | slice) -> "Windows":
        edges = self.edges
        if edges is not None:
            edges = Edges(
                edges.first_ms[index],
                edges.last_ms[index],
                edges.last[index],
                edges.falls[index],
                edges.origin[index],
            )
        return self._replace(low=self.low[index], high=self.high[index], edges=edges)


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
    """Where the samples lie.

    Attributes:
        head, tail, limit: int64[rows], where a row lives and how much room it has.
        origin: int64[rows], where its first sample would lie if none had gone: a sample's number in its row is its
            position less this, and stays when the row moves.
        fell: int64[rows], number of the newest sample that is less than the one before it; less than 0 without one.
        newest_ms, newest: int64[rows], float64[rows], time and value of the last sample.

    """

    def __init__(self) -> None:
        self.columns = make_columns(LEAST_ARENA)
        self.head = np.zeros(0, np.int64)
        self.tail = np.zeros(0, np.int64)
        self.limit = np.zeros(0, np.int64)
        self.origin = np.zeros(0, np.int64)
        self.fell = np.zeros(0, np.int64)
        self.newest_ms = np.zeros(0, np.int64)
        self.newest = np.zeros(0, np.float64)
        self._end = 0

    def resize(self, rows: int) -> None:
        """Have place for rows below that number; those above it are empty."""
        self.head = fitted(self.head, rows, 0)
        self.tail = fitted(self.tail, rows, 0)
        self.limit = fitted(self.limit, rows, 0)
        self.origin = fitted(self.origin, rows, 0)
        self.fell = fitted(self.fell, rows, NEVER_FELL)
        self.newest_ms = fitted(self.newest_ms, rows, 0)
        self.newest = fitted(self.newest, rows, 0)

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
        self.head[rows] = self.tail[rows] = self.limit[rows] = self.origin[rows] = 0
        self.fell[rows] = NEVER_FELL
        needs = np.zeros(len(self.head), np.int64)
        if SPARSE * int(self._rooms(np.arange(len(needs)), needs).sum()) < len(self.columns.times):
            self.compact(needs, NEVER_BEFORE)

    def extend(self, rows: Int64s, counts: Int64s, at: Int64s) -> None:
        """Let the samples written behind the tails, at `at`, `counts` of each of these rows, belong to the rows."""
        columns = self.columns
        rows, counts = rows[counts > 0], counts[counts > 0]
        if not len(rows):
            return
        tail = self.tail[rows]
        has_past = tail > self.head[rows]
        fallen = np.zeros(len(at), np.int64)
        fallen[1:] = columns.values[at[1:]] < columns.values[at[:-1]]
        starts = np.cumsum(counts) - counts
        fallen[starts] = has_past & (columns.values[tail] < columns.values[tail - 1])
        if fallen.any():
            of = np.repeat(rows, counts)[fallen > 0]
            self.fell[of] = at[fallen > 0] - self.origin[of]
        self.newest_ms[rows] = columns.times[tail + counts - 1]
        self.newest[rows] = columns.values[tail + counts - 1]
        running = np.cumsum(fallen)
        base = np.where(has_past, columns.resets[tail - 1], 0) - running[starts] + fallen[starts]
        columns.resets[at] = running + np.repeat(base, counts)
        self.tail[rows] += counts

    def cut(self, rows: Int64s, after_ms: int) -> tuple[Int64s, Int64s, Float64s]:
        """Forget the samples of these distinct rows that are later than a time; rows, times, values of what has gone.

        Stale markers are among them; where one goes, the sample that it ended goes on.
        """
        columns = self.columns
        low = self.after(rows, after_ms)
        gone = self.tail[rows] - low
        at, of = stretch_index(low, gone), np.repeat(rows, gone)
        self.tail[rows] = low
        self.fell[rows] = NEVER_FELL
        counts = low - self.head[rows]
        left, counts = rows[counts > 0], counts[counts > 0]
        last = self.tail[left] - 1
        self.newest_ms[left], self.newest[left] = columns.times[last], columns.values[last]
        kept, whose = stretch_index(self.head[left], counts), np.repeat(left, counts)
        falls = (whose[1:] == whose[:-1]) & (columns.values[kept[1:]] < columns.values[kept[:-1]])
        fell = kept[1:][falls] - self.origin[whose[1:][falls]]
        np.maximum.at(self.fell, whose[1:][falls], fell)
        ends = np.concatenate((columns.ended[at], columns.ended[last]))
        marked = (ends != NEVER) & (ends > after_ms)
        columns.ended[last[columns.ended[last] > after_ms]] = NEVER
        markers = np.concatenate((of, left))[marked]
        stale = np.full(len(markers), STALE_BITS, np.int64).view(np.float64)
        of = np.concatenate((of, markers))
        times = np.concatenate((columns.times[at], ends[marked]))
        values = np.concatenate((columns.values[at], stale))
        order = np.lexsort((times, of))
        return of[order], times[order], values[order]

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
        self.origin[rows] += bases - self.head[rows]
        self.head[rows], self.tail[rows], self.limit[rows] = bases, bases + counts, limits
        self._end = int(limits[-1]) if len(limits) else start
