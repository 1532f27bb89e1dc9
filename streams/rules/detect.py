"""DetectRule: a detector on the value of an expression, from calibrated scores to "this series is abnormal".

A series becomes abnormal when its score reaches the threshold that the budget of false alarms sets, on the side that
the rule watches, and far enough from what was expected. It stays abnormal while the score has at least half as many
nines (the tail probability is at most the square root of the threshold's) and half the distance: one threshold to
enter, a lower one to leave, so that a value on the border does not flap.

While a series is abnormal its detector does not learn from it, for `relearn_after` at most: a lasting change
becomes the new normal then, and the alert ends.

Refuses nothing: a value that is missing or out of the detector's range is not abnormal.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors import registry
from detectors.base import BoolArray, FloatArray, IntArray, Scores, rounds
from detectors.calibrate import threshold_for
from schemas.errors import CheckpointError
from schemas.labels import fingerprint_bytes
from streams.rules.announce import FACTS
from streams.rules.checkpoint import AnyColumns, placed, under
from streams.rules.roster import Roster
from streams.rules.rule import DetectBlock
from streams.rules.vector import LabelSpace, Vector

# One threshold is left by the square root of its tail probability, and by half of its distances.
LEAVE_EXPONENT = 0.5
LEAVE_SHARE = 0.5
NEVER = np.iinfo(np.int64).min


class Verdict(NamedTuple):
    """One entry per sample: whether it is abnormal, and what the detector said."""

    abnormal: BoolArray
    score: FloatArray
    expected: FloatArray
    low: FloatArray
    high: FloatArray


class DetectRule:
    """The detector of one rule, with a row for each label set of its expression."""

    def __init__(self, block: DetectBlock, *, interval_ms: int, max_series: int) -> None:
        """Make the detector.

        Raises:
            ConfigError: the detector is unknown, or a parameter is.

        """
        self.block = block
        self.bank = registry.create(block.detector, block.parameters)
        self.enter = threshold_for(block.false_alarms, block.per_ms / 1000, interval_ms / 1000)
        self.leave = 1.0 - (1.0 - self.enter) ** LEAVE_EXPONENT
        self.roster = Roster(max_series)
        self._cache = np.zeros(0, np.int64)
        self._epoch = -1
        self._since = np.full(0, NEVER, np.int64)
        self._seen = np.full(0, NEVER, np.int64)
        self._frozen = np.zeros(0, np.bool_)

    def update(
        self, space: LabelSpace, space_rows: IntArray, times: IntArray, values: FloatArray
    ) -> Verdict:
        """Judge samples, then learn them.

        `space_rows` int64[n] index `space` and may repeat, samples of a series in order of time; `times` int64[n] ms;
        `values` float64[n].
        """
        rows = self._rows(space, space_rows)
        verdict = Verdict(np.zeros(len(rows), np.bool_), *np.full((4, len(rows)), np.nan))
        there = np.flatnonzero(rows >= 0)
        for chosen in rounds(rows[there]):
            at = there[chosen]
            self._round(rows[at], times[at], values[at], at, verdict)
        return verdict

    def settle(self, space: LabelSpace, present: IntArray) -> None:
        """End what is abnormal of series that an evaluation has not found any more."""
        gone = self._since != NEVER
        gone[self._rows(space, present)] = False
        self._calm(np.flatnonzero(gone))

    def retire(self, before_ms: int) -> None:
        """Forget the series without a value since then, and give back what they took."""
        numbers = self.roster.numbers
        gone = numbers[self._seen[numbers] < before_ms]
        self.bank.reset(gone)
        self._calm(gone)
        self._cache[np.isin(self._cache, gone)] = -1
        self.roster.release(gone.tolist())
        kept = self.roster.shrink()
        if kept is not None:
            self._take(kept)

    def _round(
        self, rows: IntArray, times: IntArray, values: FloatArray, at: IntArray, out: Verdict
    ) -> None:
        scores = self.bank.update(rows, times, values)
        was = self._since[rows] != NEVER
        abnormal = self._far(scores, values, self.enter, 1.0)
        abnormal |= was & self._far(scores, values, self.leave, LEAVE_SHARE)
        begins = rows[abnormal & ~was]
        self._since[begins] = times[abnormal & ~was]
        self._seen[rows] = times
        self._calm(rows[was & ~abnormal])
        freeze = abnormal & (times - self._since[rows] < self.block.relearn_after_ms)
        self._freeze(rows[freeze & ~self._frozen[rows]], frozen=True)
        self._freeze(rows[~freeze & self._frozen[rows]], frozen=False)
        out.abnormal[at] = abnormal
        for name in ("score", "expected", "low", "high"):
            getattr(out, name)[at] = getattr(scores, name)

    def _far(self, scores: Scores, values: FloatArray, threshold: float, share: float) -> BoolArray:
        """Whether the score reaches the threshold, on the side watched, at this share of the least distances."""
        far: BoolArray = scores.score >= threshold
        if not far.any():
            return far
        gap = values - scores.expected
        if self.block.direction == "up":
            far &= ~(gap < 0)
        elif self.block.direction == "down":
            far &= ~(gap > 0)
        # a detector without an expected value leaves NaN here, which no distance can refuse
        far &= ~(np.abs(gap) < share * self.block.min_effect)
        far &= ~(np.abs(gap) < share * self.block.min_change * np.abs(scores.expected))
        return far

    def _calm(self, rows: IntArray) -> None:
        self._since[rows] = NEVER
        self._freeze(rows[self._frozen[rows]], frozen=False)

    def _freeze(self, rows: IntArray, *, frozen: bool) -> None:
        if rows.size:
            self._frozen[rows] = frozen
            self.bank.freeze(rows, frozen)

    def _rows(self, space: LabelSpace, space_rows: IntArray) -> IntArray:
        """Rows of the bank for rows of the space, -1 where there is no room."""
        if space.epoch != self._epoch:
            self._cache, self._epoch = np.zeros(0, np.int64), space.epoch
        if len(self._cache) < len(space):
            more = np.full(len(space) - len(self._cache), -1, np.int64)
            self._cache = np.concatenate((self._cache, more))
        rows = self._cache[space_rows]
        if rows.size and rows.min() < 0:
            for row in np.unique(space_rows[rows < 0]).tolist():
                self._cache[row] = self._enlist(space.labels.encoded(row))
            rows = self._cache[space_rows]
        return rows

    def _enlist(self, encoded: bytes) -> int:
        number = self.roster.number_of(encoded, fingerprint_bytes(encoded))
        if self.roster.capacity > len(self._since):
            self._widen(self.roster.capacity)
        return number

    def _widen(self, capacity: int) -> None:
        more = capacity - len(self._since)
        self._since = np.concatenate((self._since, np.full(more, NEVER, np.int64)))
        self._seen = np.concatenate((self._seen, np.full(more, NEVER, np.int64)))
        self._frozen = np.concatenate((self._frozen, np.zeros(more, np.bool_)))
        self.bank.grow(capacity)

    def _take(self, kept: IntArray) -> None:
        """Keep these rows alone, numbered anew."""
        self.bank.take(kept, self.roster.capacity)
        self._since, self._seen = self._since[kept], self._seen[kept]
        self._frozen = self._frozen[kept]
        self._widen(self.roster.capacity)
        self._cache, self._epoch = np.zeros(0, np.int64), -1

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """The detector's state and ours as columns."""
        return {
            **placed("bank", self.bank.snapshot()),
            **placed("roster", self.roster.snapshot()),
            "since": self._since.copy(),
            "seen": self._seen.copy(),
            "frozen": self._frozen.copy(),
        }

    def restore(self, columns: AnyColumns) -> None:
        """Continue from a snapshot.

        Raises:
            CheckpointError: it is none of this detector.

        """
        try:
            self.roster.restore(under("roster", columns))
            self.bank.restore(under("bank", columns))
            self._since = columns["since"].astype(np.int64)
            self._seen = columns["seen"].astype(np.int64)
            self._frozen = columns["frozen"].astype(np.bool_)
        except KeyError as error:
            raise CheckpointError(f"detector of a checkpoint: no column {error}") from error
        self._cache, self._epoch = np.zeros(0, np.int64), -1


def odd(vector: Vector, verdict: Verdict | None) -> tuple[Vector, FloatArray]:
    """The results that make an alert, and the facts of each, float64[5, n]: for plain rules all of them."""
    if verdict is None:
        facts = np.full((len(FACTS), len(vector.rows)), np.nan)
        facts[0] = vector.values
        return vector, facts
    at = verdict.abnormal
    said = (verdict.score, verdict.expected, verdict.low, verdict.high)
    return vector.keep(at), np.array([vector.values[at], *(column[at] for column in said)])
