"""Arena: the samples of all series in flat columns, one stretch a row, and windows into them.

A row owns the room [.., limit) and lives in [head, tail), sorted by time. A row that outgrows its room moves to the
end of the columns, leaving its expired samples behind; when the end is reached everything moves into new columns.
Both are one gather and one scatter, so an append costs a constant number of moves a sample. What is known of the ends
of rows, and of stale markers, takes memory from when somebody asks for the former and from the first of the latter on.

It refuses nothing: what may come in, the series store has decided before.
"""

from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from schemas.compiled import Lazily
from schemas.samples import STALE_BITS, Float64s, Int32s, Int64s
from streams.windows.blocks import Bools

COPY = Lazily[Any]("streams.windows.copying", "copy_stretches")
NEVER = int(np.iinfo(np.int64).max)
NEVER_BEFORE = int(np.iinfo(np.int64).min)
NEVER_FELL = -(1 << 62)
LEAST_ROOM = 4
SPARE_ROOM = 2
"""A row gets room for one more sample for each so many that it has."""
SPARE_END = 8
"""New columns have room at their end for one more sample for each so many, for rows that will move there."""
LEAST_ARENA = 1024
LONG = 128
"""Stretches of more samples than this are copied one by one."""
SPARSE = 4
"""Columns this many times as large as they need be are made anew when series go."""


class Columns:
    """Samples, flat; their content is undefined where nothing was written.

    Attributes:
        times: int64, event time in ms.
        values: float64; never a stale marker.
        ended: int64, time in ms of the first stale marker after this sample and before the next, else `NEVER`; None
            where no sample is ended.

    """

    __slots__ = ("_resets", "ended", "times", "values")

    def __init__(self, size: int) -> None:
        self.times = np.empty(size, np.int64)
        self.values = np.empty(size, np.float64)
        self.ended: Int64s | None = None
        self._resets: Int32s | None = None

    def take(self, other: "Columns", source: Int64s, place: Int64s, counts: Int64s) -> None:
        """Copy stretches of columns, from where they begin to where they are to begin."""
        if other.ended is None and (copy := COPY.get(len(counts))) is not None:
            copy((other.times, other.values), (self.times, self.values), source, place, counts)
            self._resets = None
            return
        if other.ended is None and int(counts.sum()) > LONG * len(counts):
            # of long stretches a look at each costs less than an index of every sample
            for old, new in ((other.times, self.times), (other.values, self.values)):
                for a, b, n in zip(source.tolist(), place.tolist(), counts.tolist(), strict=True):
                    new[b : b + n] = old[a : a + n]
            self._resets = None
            return
        index, at = stretch_index(source, counts), stretch_index(place, counts)
        self.times[at], self.values[at] = other.times[index], other.values[index]
        self.written(at)
        if other.ended is not None:
            ended = other.ended[index]
            marked = ended != NEVER
            self.end(at[marked], ended[marked])

    def end(self, at: Int64s, times: Int64s) -> None:
        """Let stale markers follow the samples at these positions."""
        if len(at):
            if self.ended is None:
                self.ended = np.full(len(self.times), NEVER)
            np.minimum.at(self.ended, at, times)

    def written(self, at: Int64s) -> None:
        """Take in that there are new samples at these positions."""
        self._resets = None
        if self.ended is not None:
            self.ended[at] = NEVER

    @property
    def resets(self) -> Int32s:
        """How often the value has fallen up to each sample: only differences within a row mean something."""
        if self._resets is None:
            fallen = np.zeros(len(self.values), np.bool_)
            with np.errstate(invalid="ignore"):
                np.less(self.values[1:], self.values[:-1], out=fallen[1:])
            self._resets = np.cumsum(fallen, dtype=np.int32)
        return self._resets


class Edges(NamedTuple):
    """Of each window the time of its first sample, time and value of its last, and whether a value falls in it.

    A fall is a sample that is less than the one before it.
    """

    first_ms: Int64s
    last_ms: Int64s
    last: Float64s
    falls: Bools


class Windows(NamedTuple):
    """Samples of some rows in (start_ms, end_ms]: for row i the stretch [low[i], high[i]) of the columns.

    `t_ms` is the time of the evaluation, which an offset parts from the end. Of windows up to the newest samples
    `origin` is that of their rows, `Arena.origin`, and `edges`, where they were asked for, say what is known of those
    that are not empty without a look at their samples.
    """

    columns: Columns
    low: Int64s
    high: Int64s
    start_ms: int
    end_ms: int
    t_ms: int = 0
    origin: Int64s | None = None
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
        origin, edges = self.origin, self.edges
        if origin is not None:
            origin = origin[index]
        if edges is not None:
            first_ms, last_ms, last, falls = edges
            edges = Edges(first_ms[index], last_ms[index], last[index], falls[index])
        return self._replace(low=self.low[index], high=self.high[index], origin=origin, edges=edges)


def stretch_index(low: Int64s, counts: Int64s) -> Int64s:
    """Indices of the stretches that begin at `low`, one after the other."""
    ends = np.cumsum(counts)
    index = np.repeat(low - ends + counts, counts)
    index += np.arange(len(index))
    return index


Number = TypeVar("Number", bound=np.generic)


def fitted(column: NDArray[Number], size: int, fill: int) -> NDArray[Number]:
    """A column cut or filled up to a size."""
    more = np.full(max(0, size - len(column)), fill, column.dtype)
    return np.concatenate((column[:size], more))


class Ends:
    """What is known of the end of each row without a look at its samples.

    Attributes:
        fell: int64[rows], number of the newest sample that is less than the one before it; less than 0 without one.
        newest_ms, newest: int64[rows], float64[rows], time and value of the last sample.

    """

    def __init__(self) -> None:
        self.fell = np.zeros(0, np.int64)
        self.newest_ms = np.zeros(0, np.int64)
        self.newest = np.zeros(0, np.float64)

    def resize(self, rows: int) -> None:
        """Have place for rows below that number; those above it are empty."""
        self.fell = fitted(self.fell, rows, NEVER_FELL)
        self.newest_ms = fitted(self.newest_ms, rows, 0)
        self.newest = fitted(self.newest, rows, 0)

    def look(self, arena: "Arena", rows: Int64s) -> None:
        """Look at all samples of these distinct rows."""
        columns, values = arena.columns, arena.columns.values
        self.fell[rows] = NEVER_FELL
        rows = rows[arena.tail[rows] > arena.head[rows]]
        last = arena.tail[rows] - 1
        self.newest_ms[rows], self.newest[rows] = columns.times[last], values[last]
        counts = last + 1 - arena.head[rows]
        at, of = stretch_index(arena.head[rows], counts), np.repeat(rows, counts)
        falls = (of[1:] == of[:-1]) & (values[at[1:]] < values[at[:-1]])
        of = of[1:][falls]
        np.maximum.at(self.fell, of, at[1:][falls] - arena.origin[of])

    def extend(self, arena: "Arena", rows: Int64s, counts: Int64s, at: Int64s) -> None:
        """Take in samples behind the tails of these rows, as `Arena.extend` is given them."""
        columns, values = arena.columns, arena.columns.values
        tail = arena.tail[rows]
        fallen = np.zeros(len(at), np.bool_)
        fallen[1:] = values[at[1:]] < values[at[:-1]]
        has_past = tail > arena.head[rows]
        fallen[np.cumsum(counts) - counts] = has_past & (values[tail] < values[tail - 1])
        if fallen.any():
            of = np.repeat(rows, counts)[fallen]
            self.fell[of] = at[fallen] - arena.origin[of]
        last = tail + counts - 1
        self.newest_ms[rows], self.newest[rows] = columns.times[last], values[last]


class Arena:
    """Where the samples lie.

    Attributes:
        head, tail, limit: int64[rows], where a row lives and how much room it has.
        origin: int64[rows], where its first sample would lie if none had gone: a sample's number in its row is its
            position less this, and stays when the row moves.

    """

    def __init__(self) -> None:
        self.columns = Columns(LEAST_ARENA)
        self.head = np.zeros(0, np.int64)
        self.tail = np.zeros(0, np.int64)
        self.limit = np.zeros(0, np.int64)
        self.origin = np.zeros(0, np.int64)
        self._ends: Ends | None = None
        self._end = 0

    @property
    def ends(self) -> Ends:
        """What is known of the ends of rows; from the first time on that somebody asks, it is kept up."""
        if self._ends is None:
            self._ends = Ends()
            self._ends.resize(len(self.head))
            self._ends.look(self, np.arange(len(self.head)))
        return self._ends

    def resize(self, rows: int) -> None:
        """Have place for rows below that number; those above it are empty."""
        self.head = fitted(self.head, rows, 0)
        self.tail = fitted(self.tail, rows, 0)
        self.limit = fitted(self.limit, rows, 0)
        self.origin = fitted(self.origin, rows, 0)
        if self._ends is not None:
            self._ends.resize(rows)

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
        size = int(rooms.sum())
        target = Columns(LEAST_ARENA + size + size // SPARE_END)
        self._place(rows, rooms, target, 0)
        self.columns = target

    def drop(self, rows: Int64s) -> None:
        """Forget all samples of these rows; where little is left, its memory is given back at once."""
        self.head[rows] = self.tail[rows] = self.limit[rows] = self.origin[rows] = 0
        if self._ends is not None:
            self._ends.fell[rows] = NEVER_FELL
        needs = np.zeros(len(self.head), np.int64)
        if SPARSE * int(self._rooms(np.arange(len(needs)), needs).sum()) < len(self.columns.times):
            self.compact(needs, NEVER_BEFORE)

    def extend(self, rows: Int64s, counts: Int64s, at: Int64s) -> None:
        """Let the samples written behind the tails, at `at`, `counts` of each of these rows, belong to the rows."""
        self.columns.written(at)
        if self._ends is not None and len(at):
            some = counts > 0
            self._ends.extend(self, rows[some], counts[some], at)
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
        if self._ends is not None:
            self._ends.look(self, rows)
        times, values = columns.times[at], columns.values[at]
        if columns.ended is not None:
            left = rows[low > self.head[rows]]
            last = self.tail[left] - 1
            ends = np.concatenate((columns.ended[at], columns.ended[last]))
            marked = (ends != NEVER) & (ends > after_ms)
            columns.ended[last[columns.ended[last] > after_ms]] = NEVER
            markers = np.concatenate((of, left))[marked]
            stale = np.full(len(markers), STALE_BITS, np.int64).view(np.float64)
            of = np.concatenate((of, markers))
            times = np.concatenate((times, ends[marked]))
            values = np.concatenate((values, stale))
        order = np.lexsort((times, of))
        return of[order], times[order], values[order]

    def _rooms(self, rows: Int64s, needs: Int64s) -> Int64s:
        filled = self.tail[rows] - self.head[rows] + needs
        return np.where(filled > 0, np.maximum(LEAST_ROOM, filled + filled // SPARE_ROOM), 0)

    def _place(self, rows: Int64s, rooms: Int64s, target: Columns, start: int) -> None:
        limits = start + np.cumsum(rooms)
        bases = limits - rooms
        counts = self.tail[rows] - self.head[rows]
        target.take(self.columns, self.head[rows], bases, counts)
        self.origin[rows] += bases - self.head[rows]
        self.head[rows], self.tail[rows], self.limit[rows] = bases, bases + counts, limits
        self._end = int(limits[-1]) if len(limits) else start
