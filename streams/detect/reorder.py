"""Reorder: samples held until the watermark passes them, released in the order of event time.

Samples of a series come out in the order (event time, source, source offset), whatever the order of the log was; so
what is computed from them hangs neither on how partitions were interleaved nor on where chunks were cut.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from schemas.order import stable_order
from streams.time.watermark import BEFORE_ALL
from streams.windows.histograms import Bag

Number = TypeVar("Number", bound=np.generic)

SMALL = 4096
MANY = 16
"""So many parts of fewer samples than that are joined: thousands of small chunks become few parts."""


class Held(NamedTuple):
    """Samples as columns: row in the store, event time ms, value, source number, source offset."""

    rows: NDArray[np.int64]
    times: NDArray[np.int64]
    values: NDArray[np.float64]
    sources: NDArray[np.int32]
    offsets: NDArray[np.int64]

    def take(self, index: NDArray[np.intp] | slice) -> "Held":
        """The samples at these positions."""
        rows, times, values, sources, offsets = self
        return Held(rows[index], times[index], values[index], sources[index], offsets[index])


EMPTY = Held(
    np.zeros(0, np.int64),
    np.zeros(0, np.int64),
    np.zeros(0, np.float64),
    np.zeros(0, np.int32),
    np.zeros(0, np.int64),
)


class Reorder:
    """Samples not yet passed by the watermark.

    Attributes:
        bag: the native histograms among them, and among those of the last release.

    """

    def __init__(self) -> None:
        self.bag = Bag()
        self._parts: list[Held] = []
        self._spans: list[tuple[int, int]] = []
        self._small = 0
        self._released = BEFORE_ALL

    def hold(self, held: Held) -> None:
        """Keep samples."""
        if len(held.rows):
            rows, times, values, sources, offsets = held
            own = Held(_own(rows), _own(times), _own(values), _own(sources), _own(offsets))
            self._put(own, (int(times.min()), int(times.max())))

    def _put(self, part: Held, span: tuple[int, int]) -> None:
        parts, spans = self._parts, self._spans
        parts.append(part)
        spans.append(span)
        self._small = self._small + 1 if len(part.rows) < SMALL else 0
        if self._small == MANY:
            firsts, lasts = zip(*spans[-MANY:], strict=True)
            parts[-MANY:] = [_joined(parts[-MANY:])]
            spans[-MANY:] = [(min(firsts), max(lasts))]
            self._small = int(len(parts[-1].rows) < SMALL)

    def earliest(self) -> int | None:
        """Least event time held, None when nothing is."""
        return min((first for first, _ in self._spans), default=None)

    def release(self, until_ms: int) -> tuple[Held, int]:
        """Samples up to and including this time, sorted by (row, time, source, offset), and how many came too late.

        Too late are samples not newer than what an earlier call released up to: only a source that was given up as
        idle and came back can bring such.
        """
        if self.bag.is_full:
            self.bag.keep(_joined([EMPTY, *self._parts]).values)
        parts, spans = self._parts, self._spans
        self._parts, self._spans, self._small = [], [], 0
        due = [EMPTY]
        for part, (first, last) in zip(parts, spans, strict=True):
            if last <= until_ms:
                due.append(part)
                continue
            if first > until_ms:
                self._put(part, (first, last))
                continue
            passed = part.times <= until_ms
            count = int(np.count_nonzero(passed))
            if passed[:count].all():  # in the log, too, they came first
                before: NDArray[np.intp] | slice = slice(count)
                after: NDArray[np.intp] | slice = slice(count, None)
            else:
                before, after = np.flatnonzero(passed), np.flatnonzero(~passed)
            due.append(part.take(before))
            rest = part.take(after)
            self._put(rest, (int(rest.times.min()), last))
        ready = _joined(due)
        count = len(ready.rows)
        if min((first for first, _ in spans), default=until_ms) <= self._released:
            ready = ready.take(np.flatnonzero(ready.times > self._released))
        self._released = max(self._released, until_ms)
        return ready.take(_order(ready)), count - len(ready.rows)

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Columns that `restore` takes."""
        columns: dict[str, NDArray[np.generic]] = dict(_joined([EMPTY, *self._parts])._asdict())
        columns["released"] = np.array([self._released], np.int64)
        if self.bag:
            columns["histograms"] = self.bag.snapshot(columns["values"].astype(np.float64))
        return columns

    def restore(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Continue from a snapshot."""
        held = Held(*(columns[name] for name in Held._fields))  # type: ignore[arg-type]  # columns of a checkpoint
        self._parts, self._spans, self._small = [], [], 0
        self.bag.restore(columns)
        self.hold(held)
        self._released = int(columns["released"][0])


def _own(column: NDArray[Number]) -> NDArray[Number]:
    """A copy of a view, which would keep alive all of what it looks into: a whole record with its label text."""
    return column if column.base is None else column.copy()


def _joined(parts: Sequence[Held]) -> Held:
    return Held(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _order(held: Held) -> NDArray[np.intp]:
    """Positions by (row, time, source, offset)."""
    order = stable_order(held.rows)
    rows, times = held.rows[order], held.times[order]
    if ((rows[1:] != rows[:-1]) | (times[1:] > times[:-1])).all():
        # in the log, too, each series was in order of time, and no time occurs twice
        return order
    return np.lexsort((held.offsets, held.sources, held.times, held.rows))
