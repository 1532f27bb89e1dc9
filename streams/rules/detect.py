"""DetectRule: a detector on the value of an expression, from calibrated scores to "this series is abnormal".

A series becomes abnormal when its score reaches the threshold that its share of the budget sets, on the side that
the rule watches, and far enough from what was expected. It stays abnormal while the score has at least half as many
nines (the tail probability is at most the square root of the threshold's) and half the distance: one threshold to
enter, a lower one to leave, so that a value on the border does not flap. Where the detector keeps quiet because it has
spoken a moment ago, it stays abnormal while the value is outside of the band.

While a series is abnormal, or its alert still fires, its detector does not learn from it, for `relearn_after` at most:
a lasting change becomes the new normal then, and the alert ends. Nor does it learn in maintenance and on quiet
occasions.

Refuses nothing: a value that is missing or out of the detector's range is not abnormal.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.base import BoolArray, FloatArray, IntArray, Scores, SwiftDetector, rounds
from detectors.columns import Column, Columns
from schemas.errors import CheckpointError
from schemas.labels import Labels, encode_labels
from streams.rules.banks import Banks
from streams.rules.checkpoint import AnyColumns, placed, under
from streams.rules.explain import Insight, insight_of
from streams.rules.far import hushed, reaches
from streams.rules.occasion import Occasions
from streams.rules.roster import Roster
from streams.rules.rule import DetectBlock
from streams.rules.threshold import NEVER, Thresholds
from streams.rules.vector import LabelSpace, Vector
from streams.rules.verdict import Verdict

SAID = ("score", "expected", "low", "high")
# One threshold is left by half of its distances.
LEAVE_SHARE = 0.5
FORMS = {
    "since": Column(np.int64, NEVER, seldom=True),
    "seen": Column(np.int64, NEVER),
    "frozen": Column(np.bool_, fill=False),
    "loud": Column(np.bool_, fill=False),
    "still_from": Column(np.int64, NEVER, seldom=True),
    "still_until": Column(np.int64, NEVER, seldom=True),
    "peak": Column(np.float64, np.nan, seldom=True),
}
"""Per row: since when it is abnormal, when it was last seen, whether its bank is frozen, and whether for its alert; the
window of a maintenance by command; the largest deviation of its last alert."""


class DetectRule:
    """The detector of one rule, with a row for each label set of its expression.

    Attributes:
        banks: the detector.
        rows: what is known of each row beside it, see `FORMS`.
        thresholds: the scores that its rows must reach.
        adopted: series that began with what was learnt from history.
        lasting: whether what a detector has told of lasts while the value is outside of its band.

    """

    lasting = True

    def __init__(self, block: DetectBlock, *, interval_ms: int, max_series: int) -> None:
        """Make the detector.

        Raises:
            ConfigError: the detector is unknown, or a parameter is.

        """
        self.interval_ms = interval_ms
        self.roster = Roster(max_series)
        self.rows = Columns(FORMS)
        self.banks = Banks(block)
        self.thresholds = Thresholds(block, interval_ms)
        self.adopted = 0
        self._said_still = False
        self._cache = np.zeros(0, np.int32)
        self._epoch = -1
        self.adopt(block)

    def adopt(self, block: DetectBlock) -> None:
        """Go on with another calendar, or with other history for new series."""
        self.block = block
        self._occasions = Occasions(block.occasions, block.maintenance)
        self.banks.heed(self._occasions.apart, self.rows.capacity)

    def update(
        self, space: LabelSpace, space_rows: IntArray, times: IntArray, values: FloatArray
    ) -> Verdict:
        """Judge samples, then learn them.

        `space_rows` int64[n] index `space` and may repeat, samples of a series in order of time; `times` int64[n] ms;
        `values` float64[n]. Of what is not abnormal the verdict may say nothing more.
        """
        rows = self._rows(space, space_rows)
        verdict = Verdict.unsaid(len(rows))
        there = np.flatnonzero(rows >= 0)
        bank = self.banks.swift(len(there))
        if bank is not None and self._occasions.none and not self._said_still:
            there = there[~self._pass_over(bank, rows[there], times[there], values[there])]
        for chosen in rounds(rows[there]):
            at = there[chosen]
            self._round(rows[at], times[at], values[at], at, verdict)
        return verdict

    def _pass_over(
        self, bank: SwiftDetector, rows: IntArray, times: IntArray, values: FloatArray
    ) -> BoolArray:
        """Learn samples of calm series that are far from abnormal; which: with these that is all."""
        abnormal = self.rows["since"][rows] != NEVER
        passed = bank.learn_calm(rows, values, abnormal, float(self.thresholds.enter[rows].min()))
        self.rows["seen"][rows[passed]] = times[passed]
        return passed

    def gathered(self, space: LabelSpace, vector: Vector, t_ms: int) -> Vector:  # noqa: ARG002  for groups
        """The results to be judged at an event time, for those of an expression: the same."""
        return vector

    def settle(self, space: LabelSpace, present: IntArray) -> None:
        """End what is abnormal of series that an evaluation has not found any more."""
        gone = self.rows["since"] != NEVER
        gone[self._rows(space, present)] = False
        self._calm(np.flatnonzero(gone))

    def count(self, t_ms: int) -> None:
        """Share out anew what series share, as of an event time."""
        self.thresholds.count(t_ms, self.rows["seen"])

    def hold(self, given: Sequence[Labels], since: IntArray, t_ms: int) -> None:
        """Let nothing be learnt of series whose alert still fires, since these times, though they are calm again."""
        found = [self.roster.find(encode_labels(labels)) for labels in given]
        rows = np.array(found, np.int64)
        kept = rows[(rows >= 0) & (t_ms - since < self.block.relearn_after_ms)]
        self.rows["loud"][kept] = True
        self._freeze(kept, frozen=True)

    def retire(self, before_ms: int) -> None:
        """Forget the series without a value since then, and give back what they took."""
        numbers = self.roster.numbers
        gone = numbers[self.rows["seen"][numbers] < before_ms]
        for state in (self.banks, self.rows, self.thresholds):
            state.reset(gone)
        self._cache[np.isin(self._cache, gone)] = -1
        self.roster.release(gone.tolist())
        kept = self.roster.shrink()
        if kept is not None:
            self._take(kept)

    def hear(self, rows: IntArray, *, wanted: bool) -> None:
        """What these rows were last told of was wanted, or it was not."""
        said = [
            (row, self.roster.encoded(row), float(self.rows["peak"][row])) for row in rows.tolist()
        ]
        self.thresholds.hear(said, wanted=wanted)

    def maintain(self, rows: IntArray, begin_ms: int, end_ms: int) -> None:
        """Learn nothing of these rows in this time."""
        self.rows.own("still_from")[rows] = begin_ms
        self.rows.own("still_until")[rows] = end_ms
        self._said_still = True

    def unlearn(self, rows: IntArray) -> None:
        """Let these rows begin anew, with history where there is some; what people said of them stays."""
        self.banks.reset(rows)
        self.rows["frozen"][rows] = False
        self._calm(rows)
        self._begin(rows)

    def insight(self, given: Labels, facts: Sequence[float], *, present: bool) -> Insight:
        """What else is known of a result; `present`: the series has no later one, so what it is like now counts."""
        bank, row = self.banks.usual, self.roster.find(encode_labels(given))
        samples, view = facts[5:]
        why = getattr(bank, "why", None) if present and row >= 0 else None
        return insight_of(samples, view, getattr(bank, "views", ()), why(row) if why else "")

    def waits(self) -> IntArray:
        """Time in ms until each series can be told of; 0: it can."""
        rows = self.roster.numbers
        return self.banks.waits(rows, self.rows["seen"][rows], self.interval_ms)

    def _round(
        self, rows: IntArray, times: IntArray, values: FloatArray, at: IntArray, out: Verdict
    ) -> Scores:
        """Judge a round of samples, no row twice; what the detector said of them."""
        quiet: BoolArray | None = None
        still: BoolArray | None = None
        if self._said_still or not self._occasions.none:
            quiet, still = self._special(rows, times)
            self._freeze(rows[still], frozen=True)
            self._freeze(rows[~still & ~self.rows["loud"][rows]], frozen=False)
        scores = self.banks.update(rows, times, values)
        was = self.rows["since"][rows] != NEVER
        abnormal = self._far(rows, scores, values, self.thresholds.enter, 1.0)
        abnormal |= was & self._far(rows, scores, values, self.thresholds.leave, LEAVE_SHARE)
        if self.lasting and was.any():
            abnormal |= was & hushed(self.block, scores, values)
        if quiet is not None:
            abnormal &= ~quiet
        if abnormal.any():
            some = np.flatnonzero(abnormal)
            self._measure(rows[some], np.abs(values - scores.expected)[some], was[some])
            learnt = self.banks.samples(rows[some], times[some])
            out.samples[at[some]] = learnt - ~self.rows["frozen"][rows[some]]
            view = getattr(scores, "view", None)
            if view is not None:
                out.view[at[some]] = view[some]
        self._mark(rows, times, abnormal, was, still)
        out.abnormal[at] = abnormal
        for name in SAID:
            getattr(out, name)[at] = getattr(scores, name)
        return scores

    def _mark(
        self,
        rows: IntArray,
        times: IntArray,
        abnormal: BoolArray,
        was: BoolArray,
        still: BoolArray | None,
    ) -> None:
        changed = np.flatnonzero(abnormal != was)
        if len(changed):
            begins = abnormal[changed]
            self.rows.own("since")[rows[changed]] = np.where(begins, times[changed], NEVER)
        self.rows["seen"][rows] = times
        loud = abnormal & (times - self.rows["since"][rows] < self.block.relearn_after_ms)
        self.rows["loud"][rows] = loud
        kept = loud if still is None else loud | still
        self._freeze(rows[kept], frozen=True)
        self._freeze(rows[~kept], frozen=False)

    def _measure(self, rows: IntArray, gaps: FloatArray, was: BoolArray) -> None:
        """Keep the largest deviation of the present alert, for when somebody says that it was fine."""
        before = np.where(was, self.rows["peak"][rows], np.nan)
        self.rows.own("peak")[rows] = np.fmax(before, gaps)

    def _special(self, rows: IntArray, times: IntArray) -> tuple[BoolArray, BoolArray]:
        """When nothing is an alert, and when nothing is learnt."""
        quiet = self._occasions.quiet(times)
        still = quiet | self._occasions.maintained(times)
        if self._said_still:
            from_ms, until_ms = self.rows["still_from"][rows], self.rows["still_until"][rows]
            still |= (from_ms <= times) & (times < until_ms)
        return quiet, still

    def _far(
        self, rows: IntArray, scores: Scores, values: FloatArray, least: FloatArray, share: float
    ) -> BoolArray:
        """Whether the score reaches the row's least one, on the side watched, at this share of the least distances."""
        far = reaches(self.block, scores, values, least[rows], share)
        if far.any():
            fence = self.thresholds.rows["fence"][rows]
            far &= ~((fence > 0) & (np.abs(values - scores.expected) <= share * fence))
        return far

    def _calm(self, rows: IntArray) -> None:
        if not self.rows.unwritten("since"):
            self.rows["since"][rows] = NEVER
        self.rows["loud"][rows] = False
        self._freeze(rows, frozen=False)

    def _freeze(self, rows: IntArray, *, frozen: bool) -> None:
        changed = rows[self.rows["frozen"][rows] != frozen]
        if changed.size:
            self.rows["frozen"][changed] = frozen
            self.banks.freeze(changed, frozen=frozen)

    def _rows(self, space: LabelSpace, space_rows: IntArray) -> IntArray:
        """Rows of the bank for rows of the space, -1 where there is no room."""
        if space.epoch != self._epoch:
            self._cache, self._epoch = np.zeros(0, np.int32), space.epoch
        if len(self._cache) < len(space):
            more = np.full(len(space) - len(self._cache), -1, np.int32)
            self._cache = np.concatenate((self._cache, more))
        rows = self._cache[space_rows]
        if rows.size and rows.min() < 0:
            new = np.unique(space_rows[rows < 0])
            self._cache[new], fresh = self.roster.numbers_of(space.labels, new)
            if self.roster.capacity > self.rows.capacity:
                self._widen(self.roster.capacity)
            if fresh.size:
                self.thresholds.begin(fresh, self.roster.encoded)
                self._begin(fresh)
            rows = self._cache[space_rows]
        return rows.astype(np.int64)

    def _begin(self, fresh: IntArray) -> None:
        """Give rows what was learnt of their label sets from history."""
        if self.block.learnt is not None:
            known = [(row, self.roster.encoded(row)) for row in fresh.tolist()]
            self.adopted += self.block.learnt.give(self.banks.usual, known)

    def _widen(self, capacity: int) -> None:
        for state in (self.rows, self.banks, self.thresholds):
            state.grow(capacity)

    def _take(self, kept: IntArray) -> None:
        """Keep these rows alone, numbered anew."""
        for state in (self.rows, self.banks, self.thresholds):
            state.take(kept, self.roster.capacity)
        self._cache, self._epoch = np.zeros(0, np.int32), -1

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """The detector's state and ours as columns."""
        return {
            **self.banks.snapshot(),
            **placed("roster", self.roster.snapshot()),
            **self.rows.snapshot(),
            **self.thresholds.snapshot(),
        }

    def restore(self, columns: AnyColumns) -> None:
        """Continue from a snapshot, an older one too, which lacks what was not there yet.

        Raises:
            CheckpointError: it is none of this detector.

        """
        try:
            self.roster.restore(under("roster", columns))
            capacity = len(columns["since"])
            self.banks.restore(columns, capacity)
            self.thresholds.restore(columns, capacity)
            known = {name: form.blank(capacity) for name, form in FORMS.items()}
            for name in known.keys() & columns.keys():
                known[name][:] = columns[name]
        except KeyError as error:
            raise CheckpointError(f"detector of a checkpoint: no column {error}") from error
        self.rows.restore(known)
        self._said_still = bool((known["still_until"] != NEVER).any())
        self._cache, self._epoch = np.zeros(0, np.int32), -1
