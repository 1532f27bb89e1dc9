"""Threshold: for each row the score that it must reach, from its share of the budget and from what people said of it.

Refuses nothing.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.base import IntArray
from detectors.columns import Column, Columns
from streams.rules.budget import LIVE_MS, RECOUNT_MS, Budget, leave
from streams.rules.checkpoint import AnyColumns, placed, under
from streams.rules.feedback import Feedback
from streams.rules.rule import DetectBlock

NEVER = np.iinfo(np.int64).min
FORMS = {
    "sharer": Column(np.int64, seldom=True),
    "share": Column(np.float64, 1.0, seldom=True),
    "factor": Column(np.float64, 1.0, seldom=True),
    "fence": Column(np.float64, seldom=True),
}
"""Per row: who shares the budget, its share, what people's words multiply that by, the deviation that is fine."""


class Thresholds:
    """Thresholds of all rows of a rule.

    Attributes:
        enter: float64[capacity], the score from which on a row is abnormal.
        leave: float64[capacity], the one below which it is no more.
        rows: what they hang on, see `FORMS`.

    """

    def __init__(self, block: DetectBlock, interval_ms: int) -> None:
        self.rows = Columns(FORMS)
        self.feedback = Feedback()
        self._budget = Budget(block, interval_ms)
        self._counted = NEVER
        self._weigh()

    def _weigh(self) -> None:
        # while nobody has written, one row is like all
        some = slice(1 if self.rows.unwritten("share", "factor") else None)
        enter = self._budget.enter(self.rows["share"][some] * self.rows["factor"][some])
        self.enter, self.leave = (
            np.broadcast_to(each, self.rows.capacity) for each in (enter, leave(enter))
        )

    @property
    def lowest(self) -> float:
        """The score from which on a series with the whole budget is abnormal."""
        return float(self._budget.enter(1.0))

    def begin(self, fresh: IntArray, encoded: Callable[[int], bytes]) -> None:
        """Take in new rows; of each its label set can be asked."""
        if self._budget.shared:
            self.rows.own("sharer")[fresh] = [
                self._budget.sharer(encoded(row)) for row in fresh.tolist()
            ]
        if len(self.feedback) or not self.rows.unwritten("factor", "fence"):
            for row in fresh.tolist():
                self._recall(row, encoded(row))
        self._counted = NEVER
        self._weigh()

    def hear(self, said: list[tuple[int, bytes, float]], *, wanted: bool) -> None:
        """What people say of rows, their label sets and the largest deviations of their last alerts."""
        for row, encoded, gap in said:
            opinion = self.feedback.of(encoded)
            self.feedback.note(encoded, opinion.bad(gap) if wanted else opinion.fine(gap))
            self._recall(row, encoded)
        self._weigh()

    def _recall(self, row: int, encoded: bytes) -> None:
        opinion = self.feedback.of(encoded)
        self.rows.own("factor")[row] = opinion.factor
        self.rows.own("fence")[row] = opinion.fence

    def count(self, t_ms: int, seen: IntArray) -> None:
        """Share a common budget out anew, once in a minute, among the rows that are alive; when each was seen, ms."""
        if self._budget.shared and t_ms >= self._counted + RECOUNT_MS:
            self._counted = t_ms
            alive = seen > t_ms - LIVE_MS
            self.rows.own("share")[:] = self._budget.shares(self.rows["sharer"], alive)
            self._weigh()

    def split(self, rows: int) -> None:
        """Let this many rows share a common budget, whoever they are."""
        if self._budget.shared:
            self.rows.own("share")[:] = 1.0 / rows
            self._weigh()

    def grow(self, capacity: int) -> None:
        """Make room for rows below `capacity`."""
        self.rows.grow(capacity)
        self._weigh()

    def reset(self, rows: IntArray) -> None:
        """Forget these rows, not what was said of their label sets."""
        self.rows.reset(rows)
        self._weigh()

    def take(self, rows: IntArray, capacity: int) -> None:
        """Keep these rows alone, in this order."""
        self.rows.take(rows, capacity)
        self._weigh()

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """The state as columns."""
        columns: dict[str, NDArray[Any]] = placed("threshold", self.rows.snapshot())
        columns["counted"] = np.array([self._counted], np.int64)
        if len(self.feedback):
            columns |= placed("feedback", self.feedback.snapshot())
        return columns

    def restore(self, columns: AnyColumns, capacity: int) -> None:
        """Continue from a snapshot; one from before there were thresholds by row has those of the rule."""
        known = under("threshold", columns)
        self.rows = Columns(FORMS)
        self.rows.grow(capacity)
        if known:
            self.rows.restore(known)
            self._counted = int(columns["counted"][0])
        self.feedback.restore(under("feedback", columns))
        self._weigh()
