"""Panes: what windows hold, folded interval by interval, so that a tick folds the newest samples and merges the rest.

Windows of `count` panes move on by one pane from tick to tick. Panes are a cache over the samples: where a row is new
or was used again, a tick was skipped, or a sample came later than the tick that should have seen it, those of the row
are folded anew. So what is read hangs on the samples in the window and its end alone. A sum of panes is compensated as
one of samples is: to a last digit the same.

It refuses windows that are not those of the newest samples, whose origin is not known.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from schemas.samples import Float64s, Int64s
from streams.windows.arena import NEVER_BEFORE, Windows, stretch_index
from streams.windows.blocks import (
    Block,
    Bools,
    blocks,
    compensated,
    divided,
    greatest,
    least,
    rounded,
)

Generations: TypeAlias = NDArray[np.signedinteger[Any]]

LEAST_PANES = 4
"""Windows of fewer panes are read faster from their samples."""
LEAST_SAMPLES = 4
"""So are windows that have fewer samples than this for each of their panes."""
PIECE = 4096
"""Windows merged at a time: what is computed of them stays in the cache of a core."""
CELLS = 1 << 20
"""Samples folded at a time where all of a window are."""


class Fold(NamedTuple):
    """What is kept of a pane.

    Attributes:
        empty: that of a pane without samples, one number for each part.
        fold: the parts, each float64[k], of the values of a block.
        merge: from each part of each pane, float64[k, 2**p], and the number of samples, int64[k], to values.

    """

    empty: tuple[float, ...]
    fold: Callable[[Float64s, Block], tuple[Float64s, ...]]
    merge: Callable[[list[Float64s], Int64s], Float64s]


def _summed(values: Float64s, block: Block) -> tuple[Float64s, ...]:
    return compensated(np.where(block.inside, values, 0.0))


def _least_of(parts: list[Float64s], _counts: Int64s) -> Float64s:
    found: Float64s = np.fmin.reduce(parts[0], axis=1)
    return found


def _greatest_of(parts: list[Float64s], _counts: Int64s) -> Float64s:
    found: Float64s = np.fmax.reduce(parts[0], axis=1)
    return found


SUM = Fold((0.0, 0.0), _summed, lambda parts, _counts: rounded(*compensated(*parts)))
MEAN = Fold((0.0, 0.0), _summed, lambda parts, counts: divided(*compensated(*parts), counts))
LEAST = Fold((np.nan,), lambda values, block: (least(values, block),), _least_of)
GREATEST = Fold((np.nan,), lambda values, block: (greatest(values, block),), _greatest_of)


class Panes:
    """The panes of the windows that were read last.

    Attributes:
        pane_ms: length of a pane.
        count: how many a window has.

    """

    def __init__(self, fold: Fold, pane_ms: int, count: int) -> None:
        self.pane_ms = pane_ms
        self.count = count
        self._fold = fold
        self._width = 1 << (count - 1).bit_length()
        self.clear()

    def clear(self) -> None:
        """Forget all panes."""
        self._end_ms = NEVER_BEFORE
        self._rows = np.zeros(0, np.int64)
        self._born: Generations = self._rows
        # number, within its row, of the sample behind the window
        self._behind = np.zeros(0, np.int64)
        # panes by age, oldest first
        self._parts = self._make_parts(0)

    def dense(self, windows: Windows) -> Bools:
        """Which windows have enough samples for panes to pay."""
        return windows.high - windows.low >= LEAST_SAMPLES * self.count

    def read(self, windows: Windows, rows: Int64s, born: Generations) -> Float64s:
        """One value a window, that all its samples together make; not finite where one of a sum is not.

        `rows` are the rows of the windows, ascending, and `born` is when each came into use. The end of the windows of
        one call and of the next are mostly a pane apart.
        """
        origin = windows.origin
        assert origin is not None, "the windows are those of the newest samples"
        known, first = self._step(windows, origin, rows, born)
        newest = np.flatnonzero(known)
        parts = self._folded(windows.columns.values, first[newest], windows.high[newest])
        self._parts[:, self.count - 1, newest] = parts
        most = int((windows.high - windows.low).max(initial=1))
        unknown = np.flatnonzero(~known)
        height = max(1, CELLS // most)
        for start in range(0, len(unknown), height):
            self._fill(windows, unknown[start : start + height])
        self._rows, self._born, self._end_ms = rows, born, windows.end_ms
        self._behind = windows.high - origin
        return self._merged(windows.high - windows.low)

    def _step(
        self, windows: Windows, origin: Int64s, rows: Int64s, born: Generations
    ) -> tuple[Bools, Int64s]:
        """Move on by one pane; for which rows only the newest pane is missing, and where its samples begin."""
        old, self._parts = self._parts, self._make_parts(len(rows))
        if windows.end_ms != self._end_ms + self.pane_ms or not len(self._rows):
            return np.zeros(len(rows), np.bool_), windows.low
        at: Int64s | slice = slice(None)
        if not np.array_equal(rows, self._rows):
            at = np.searchsorted(self._rows, rows)
            at[at == len(self._rows)] = 0
        self._parts[:, : self.count - 1] = old[:, 1 : self.count, at]
        known = (self._rows[at] == rows) & (self._born[at] == born)
        # a sample since may be of a time that the tick before should have seen
        first = self._behind[at] + origin
        times = windows.columns.times[np.clip(first, windows.low, windows.high - 1)]
        known &= (first == windows.high) | (times > windows.end_ms - self.pane_ms)
        return known, first

    def _fill(self, windows: Windows, which: Int64s) -> None:
        """Fold all panes of some of the windows."""
        low, count = windows.low[which], self.count
        counts = windows.high[which] - low
        times = windows.columns.times[stretch_index(low, counts)]
        # open at the left: a sample at the start of a pane belongs to the one before
        panes = (times - windows.start_ms - 1) // self.pane_ms
        panes += np.repeat(np.arange(len(which)) * count, counts)
        sizes = np.bincount(panes, minlength=len(which) * count).reshape(-1, count)
        ends = low[:, None] + np.cumsum(sizes, axis=1)
        begins = ends - sizes
        parts = self._folded(windows.columns.values, begins.ravel(), ends.ravel())
        self._parts[:, :count, which] = parts.reshape(-1, len(which), count).swapaxes(1, 2)

    def _folded(self, values: Float64s, low: Int64s, high: Int64s) -> Float64s:
        """The parts of each stretch [low, high) of a column."""
        found = np.empty((len(self._fold.empty), len(low)))
        found[:] = np.array(self._fold.empty)[:, None]
        for block in blocks(low, high):
            for part, made in zip(found, self._fold.fold(values[block.cells], block), strict=True):
                part[block.members] = made
        return found

    def _merged(self, counts: Int64s) -> Float64s:
        values = np.empty(len(counts))
        for start in range(0, len(counts), PIECE):
            piece = slice(start, start + PIECE)
            parts = [part[:, piece].T for part in self._parts]
            values[piece] = self._fold.merge(parts, counts[piece])
        return values

    def _make_parts(self, size: int) -> Float64s:
        parts = np.empty((len(self._fold.empty), self._width, size))
        parts[:] = np.array(self._fold.empty)[:, None, None]
        return parts
