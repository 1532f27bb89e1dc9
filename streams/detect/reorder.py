"""Reorder: samples held until the watermark passes them, released in the order of event time.

Samples of a series come out in the order (event time, source, source offset), whatever the order of the log was; so
what is computed from them hangs neither on how partitions were interleaved nor on where chunks were cut.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.time.watermark import BEFORE_ALL


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
    """Samples not yet passed by the watermark."""

    def __init__(self) -> None:
        self._parts: list[Held] = []
        self._released = BEFORE_ALL

    def hold(self, held: Held) -> None:
        """Keep samples."""
        if len(held.rows):
            self._parts.append(held)

    def earliest(self) -> int | None:
        """Least event time held, None when nothing is."""
        return min((int(p.times.min()) for p in self._parts), default=None)

    def release(self, until_ms: int) -> tuple[Held, int]:
        """Samples up to and including this time, sorted by (row, time, source, offset), and how many came too late.

        Too late are samples not newer than what an earlier call released up to: only a source that was given up as
        idle and came back can bring such.
        """
        if not self._parts:
            self._released = max(self._released, until_ms)
            return EMPTY, 0
        whole = Held(*(np.concatenate(c) for c in zip(*self._parts, strict=True)))
        due = whole.times <= until_ms
        rest = whole.take(np.flatnonzero(~due))
        self._parts = [rest] if len(rest.rows) else []
        ready = whole.take(np.flatnonzero(due & (whole.times > self._released)))
        late = int(np.count_nonzero(due)) - len(ready.rows)
        self._released = max(self._released, until_ms)
        order = np.lexsort((ready.offsets, ready.sources, ready.times, ready.rows))
        return ready.take(order), late

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Columns that `restore` takes."""
        whole = Held(*(np.concatenate(c) for c in zip(EMPTY, *self._parts, strict=True)))
        columns: dict[str, NDArray[np.generic]] = dict(whole._asdict())
        columns["released"] = np.array([self._released], np.int64)
        return columns

    def restore(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Continue from a snapshot."""
        held = Held(*(columns[name] for name in Held._fields))  # type: ignore[arg-type]  # columns of a checkpoint
        self._parts = [held] if len(held.rows) else []
        self._released = int(columns["released"][0])
