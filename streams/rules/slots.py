"""Slots: which alert of a rule has which number while it is pending or firing, and what was last known of it.

An alert is found by its label set, by the row that its result has in the label space of the expression, and, for rules
evaluated on arrival, by the series in the store. The last two are shortcuts that are dropped whenever rows
have been given other numbers; they take no memory while there is no alert.

Refuses label sets above its cap (slot -1).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.base import FloatArray, IntArray
from schemas.errors import CheckpointError
from schemas.labels import Labels
from streams.rules.announce import FACTS
from streams.rules.checkpoint import AnyColumns, placed, under
from streams.rules.roster import Roster
from streams.rules.vector import LabelSpace
from streams.windows.columns import pack_labels, unpack_labels
from streams.windows.series import SeriesStore

NOBODY = -1
NO_SHORTCUT = np.zeros(0, np.int64)


class Slots:
    """Slots of one rule.

    Attributes:
        given: for each slot the label set of the result that it comes from.
        facts: float64[7, capacity], what the latest true evaluation knew.
        heard_at: int64[capacity], time of the latest sample (on arrival), or of the latest result (at ticks).
        series: int64[capacity], row in the store (on arrival), else NOBODY.

    """

    def __init__(self, cap: int) -> None:
        self._roster = Roster(cap)
        self.given: list[Labels] = []
        self.facts: FloatArray = np.zeros((len(FACTS), 0))
        self.heard_at = np.zeros(0, np.int64)
        self.series = np.zeros(0, np.int64)
        self._born = np.zeros(0, np.int64)
        self._row = np.zeros(0, np.int64)
        self._of_row = NO_SHORTCUT
        self._space_rows = 0
        self._epoch = -1
        self._of_series = NO_SHORTCUT
        self._generation = -1

    def __bool__(self) -> bool:
        return len(self._roster) > 0

    @property
    def cap(self) -> int:
        """So many alerts there can be."""
        return self._roster.cap

    @property
    def capacity(self) -> int:
        """All slots are below this."""
        return self._roster.capacity

    @property
    def used(self) -> IntArray:
        """Slots in use, ascending."""
        return self._roster.numbers

    def labels(self, slot: int) -> Labels:
        """Label set of the alert in a slot."""
        return self._roster.labels(slot)

    def encoded(self, slot: int) -> bytes:
        """The same as canonical bytes."""
        return self._roster.encoded(slot)

    def take(self, labels: Labels, given: Labels) -> int:
        """Slot of an alert, a free one if it has none; -1 when there is none free."""
        slot = self._roster.number(labels)
        if self.capacity > len(self.given):
            self._widen()
        if slot >= 0:
            self.given[slot] = given
        return slot

    def release(self, slots: IntArray) -> None:
        """Free these slots."""
        if not slots.size:
            return
        for bound, of in ((self._row, self._of_row), (self.series, self._of_series)):
            known = bound[slots]
            of[known[known >= 0]] = NOBODY
            bound[slots] = NOBODY
        self._roster.release(slots.tolist())
        if not self:
            self._of_row = self._of_series = NO_SHORTCUT

    def of_rows(self, space: LabelSpace, rows: IntArray) -> IntArray:
        """Slots of rows of the expression's label space, -1 where none is known."""
        if space.epoch != self._epoch:
            self._epoch = space.epoch
            self._of_row = NO_SHORTCUT
            self._row[:] = NOBODY
        self._space_rows = len(space)
        if not len(self._of_row):
            return np.full(len(rows), NOBODY, np.int64)
        self._of_row = _padded(self._of_row, self._space_rows)
        return self._of_row[rows]

    def bind_row(self, slot: int, row: int) -> None:
        """Let `of_rows` find the slot by this row from now on."""
        if len(self._of_row) < self._space_rows:
            self._of_row = _padded(self._of_row, self._space_rows)
        if self._row[slot] != NOBODY:
            self._of_row[self._row[slot]] = NOBODY
        self._row[slot] = row
        self._of_row[row] = slot

    def follow(self, store: SeriesStore) -> None:
        """Forget which series a slot belongs to where the store has retired it."""
        if store.generation == self._generation:
            return
        self._generation = store.generation
        if not len(self._of_series):
            return
        self._of_series = _padded(self._of_series, len(store.born))
        bound = np.flatnonzero(self.series != NOBODY)
        series = self.series[bound]
        gone = _padded(store.born, len(self._of_series))[series] != self._born[bound]
        self._of_series[series[gone]] = NOBODY
        self.series[bound[gone]] = NOBODY

    def of_series(self, series: IntArray) -> IntArray:
        """Slots of rows of the store, -1 where none is known."""
        if not len(self._of_series):
            return np.full(len(series), NOBODY, np.int64)
        return self._of_series[series]

    def bind_series(self, slot: int, series: int, store: SeriesStore) -> None:
        """Let `of_series` find the slot by this row of the store from now on."""
        if len(self._of_series) < len(store.born):
            self._of_series = _padded(self._of_series, len(store.born))
        self.series[slot] = series
        self._born[slot] = store.born[series]
        self._of_series[series] = slot

    def _widen(self) -> None:
        more = self.capacity - len(self.given)
        self.given.extend([()] * more)
        self.facts = np.concatenate((self.facts, np.full((len(FACTS), more), np.nan)), axis=1)
        self.heard_at = np.concatenate((self.heard_at, np.zeros(more, np.int64)))
        for name in ("series", "_born", "_row"):
            setattr(self, name, _padded(getattr(self, name), self.capacity))

    def snapshot(self, store: SeriesStore) -> dict[str, NDArray[np.generic]]:
        """Everything that is not a shortcut, as columns."""
        self.follow(store)
        given = pack_labels(self.given[slot] for slot in self.used.tolist())
        return {
            **self._roster.snapshot(),
            **placed("given", given),
            "facts": self.facts.copy(),
            "heard_at": self.heard_at.copy(),
            "series": self.series.copy(),
        }

    def restore(self, columns: AnyColumns, store: SeriesStore | None) -> None:
        """Continue from a snapshot; the store must have been restored before (None: nothing will arrive any more).

        Raises:
            CheckpointError: a column is missing.

        """
        try:
            self._roster.restore(columns)
            self.given = []
            self.facts = np.zeros((len(FACTS), 0))
            self.heard_at = self.series = self._born = self._row = np.zeros(0, np.int64)
            self._widen()
            known = columns["facts"]  # an older snapshot has fewer
            self.facts[: len(known)] = known
            self.heard_at[:] = columns["heard_at"]
            series = columns["series"].astype(np.int64)
            given = under("given", columns)
        except (KeyError, ValueError) as error:
            raise CheckpointError(f"alerts of a checkpoint: {error!r}") from error
        for slot, labels in zip(self.used.tolist(), unpack_labels(given), strict=True):
            self.given[slot] = labels
        self._epoch = self._generation = -1
        self._of_row = self._of_series = NO_SHORTCUT
        if store is None:
            return
        for slot in np.flatnonzero(series != NOBODY).tolist():
            self.bind_series(slot, int(series[slot]), store)


def _padded(column: NDArray[np.signedinteger[Any]], size: int) -> IntArray:
    return np.concatenate((column, np.full(max(0, size - len(column)), NOBODY, np.int64)))
