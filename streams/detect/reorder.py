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
"""Samples: parts are joined up to this, so that thousands of small chunks become few parts at few copies a sample."""


class Held(NamedTuple):
    """Samples as columns: row in the store, event time ms, value, source number, source offset."""

    rows: NDArray[np.int64]
    times: NDArray[np.int64]
    values: NDArray[np.float64]
    sources: NDArray[np.int32]
    offsets: NDArray[np.int64]

    def take(self, index: NDArray[np.intp]) -> "Held":
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
        self._released = BEFORE_ALL

    def hold(self, held: Held) -> None:
        """Keep samples."""
        if len(held.rows):
            rows, times, values, sources, offsets = held
            self._parts.append(Held(rows, _own(times), _own(values), sources, _own(offsets)))
            self._spans.append((int(held.times.min()), int(held.times.max())))
            self._join_small()

    def _join_small(self) -> None:
        """Join the newest parts while one is not much larger than the next, as in a binomial heap."""
        parts, spans = self._parts, self._spans
        while len(parts) > 1 and len(parts[-2].rows) <= min(2 * len(parts[-1].rows), SMALL):
            (first, last), (more_first, more_last) = spans[-2:]
            parts[-2:] = [_joined(parts[-2:])]
            spans[-2:] = [(min(first, more_first), max(last, more_last))]

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
        self._parts, self._spans = [], []
        due = [EMPTY]
        for part, (first, last) in zip(parts, spans, strict=True):
            if last <= until_ms:
                due.append(part)
                continue
            if first > until_ms:
                self._parts.append(part)
                self._spans.append((first, last))
                continue
            passed = part.times <= until_ms
            due.append(part.take(np.flatnonzero(passed)))
            self.hold(part.take(np.flatnonzero(~passed)))
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
        self._parts, self._spans = [], []
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
