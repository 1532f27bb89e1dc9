"""Auto: the default detector, for series of which nothing is known.

Four views of a series vote by novelty: the value, its short mean, what is left of it beside the usual of that half hour
of the day, and beside its local level. Three residuals vote by size, together and at less weight, for ordinary values
at the wrong time; neither side can veto the other. Each vote is the -log10 of a tail probability in the row's own past.
What the loudness means in alarms a week is measured (`alarms`); the score is 1 less the alarms expected in one sample,
and 0 after a louder sample of the last hours: `auto` says when something begins.

A row is learnt in blocks that end at a fixed age, so a stretch of samples and the same samples one by one give the same
bits. Cost: under 4 KB a row.

Refuses weekly rhythms and other zones than UTC: a rule that knows them names `seasonal`.
"""

from typing import ClassVar

import numpy as np

from detectors.auto import tails
from detectors.auto.blocks import Block, block_of, cut, room
from detectors.auto.judge import Thought, judge, reach
from detectors.auto.learn import DAILY_WEIGHT, learn, pass_ends, quiet, until_fit
from detectors.auto.scores import FIELDS, ViewedScores, put, unsaid
from detectors.auto.state import OLD_BLOCK, State
from detectors.auto.swift import MACHINE, take_in
from detectors.auto.walk import SETTLED_VISITS
from detectors.bank import Bank, Settings
from detectors.base import (
    LARGEST_VALUE,
    FloatArray,
    IntArray,
    Reason,
    flat,
)
from detectors.calibrate import BAND_TAIL

# From this weight on, the profile of the day is what is expected.
EXPLAINED = 0.5


class AutoSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of `auto`: it heeds `direction` and `warm_up_samples`; its calibration and refractory are its own."""


class Auto(Bank):
    """Novelty of four views and size of three residuals, each a tail probability, in one voice.

    novel = sqrt(mean of a_k^2) over value, mean, time of day, level (and the residual to the time of day, as far as it
    explains the series); odd = the least b_k of the three residuals; loudness = max(novel, 0.19 odd) + half the
    log10 of the step over 5 minutes. a and b are -log10 of tail probabilities. Novelty: distance to the nearest value
    before (Ramaswamy et al. 2000, doi 10.1145/342009.335437). Not for series of less than a day.
    """

    parameters: ClassVar[type[Settings]] = AutoSettings
    views: ClassVar[tuple[str, ...]] = (
        "value",
        "short mean",
        "time of day",
        "local level",
        "residual",
    )
    settings: AutoSettings

    def __init__(self, settings: AutoSettings, seed: int = 0) -> None:  # noqa: ARG002  # nothing random
        # Its calibration is its own: none of the columns of `Bank.__init__` are made.
        self.settings = settings
        self._direction = settings.direction
        self.columns: State = State()

    def update(self, rows: IntArray, times: IntArray, values: FloatArray) -> ViewedScores:
        """Score each sample by what was learnt before it, then learn it (see `Detector`)."""
        rows, times, values = flat(rows, times, values, self.columns.capacity)
        scores: ViewedScores | None = None
        usable = np.flatnonzero(np.abs(values) <= LARGEST_VALUE)
        for block in cut(self.columns, rows, times, values, usable):
            told = self._taken_in(block)
            if isinstance(block.where, slice) and block.values.size == values.size:
                return told
            scores = unsaid(values) if scores is None else scores
            put(scores, block.where, told)
        return unsaid(values) if scores is None else scores

    def calm(
        self, row: int, times: IntArray, values: FloatArray, below: float
    ) -> tuple[int, ViewedScores]:
        """Judge and learn samples of `row`, in order, as long as none has a score of `below` or more.

        Returns how many that were, perhaps none, and their scores. `values` are all within the detector's range. Ever
        more blocks are judged at once, as long as nothing changes at their ends.
        """
        columns, scores, taken, wide = self.columns, unsaid(values), 0, 0
        one = np.array([row])
        while taken < values.size and not columns["frozen"][row]:
            wide = min(wide, until_fit(int(columns["samples"][row])))
            rest = np.arange(taken, min(taken + max(wide, OLD_BLOCK), values.size))[None, :]
            length = int(room(columns, one, times[rest], wide)[0])
            block = block_of(one, times, values, rest[:, :length], learns=True)
            thought = self._judged(block)
            same = quiet(columns, block, thought)
            loud = np.flatnonzero(thought.score[0, :same] >= below)
            kept = int(loud[0]) if loud.size else min(same, length)
            if kept == 0:
                break
            if kept < length:
                # of one row a judgement changes nothing: the beginning of the block can be judged anew
                block = block_of(one, times, values, rest[:, :kept], learns=True)
                thought = self._judged(block)
            put(scores, block.where, self._told(block, thought))
            pass_ends(columns, block)
            learn(columns, block, thought)
            taken += kept
            if loud.size:
                break
            wide = 2 * max(length, OLD_BLOCK) if same > length else 0
        return taken, ViewedScores(*(getattr(scores, name)[:taken] for name in FIELDS))

    def _taken_in(self, block: Block) -> ViewedScores:
        """What is told of a block, which is learnt if it is to be."""
        machine, settings = MACHINE.get(block.values.size), self.settings
        if machine is not None:
            side, mute = settings.direction, settings.warm_up_samples
            return take_in(machine, self.columns, block, side, mute, self._least)
        thought = self._judged(block)
        told = self._told(block, thought)
        if block.learns:
            learn(self.columns, block, thought)
        return told

    def _judged(self, block: Block) -> Thought:
        return judge(self.columns, block, self.settings.direction, self.settings.warm_up_samples)

    def _told(self, block: Block, thought: Thought) -> ViewedScores:
        """What is told of each sample."""
        columns, at = self.columns, block.at
        unit, origin = thought.state["unit"][:, None], thought.state["origin"][:, None]
        explains = columns["daily"][at][:, None] >= EXPLAINED * DAILY_WEIGHT
        profiled = explains & thought.settled
        expected = origin + np.where(profiled, thought.path.profile, thought.path.level) * unit
        half = reach(columns, at)[:, None] * unit
        reason = np.full(expected.size, Reason.OK if block.learns else Reason.FROZEN, np.int8)
        loud = np.flatnonzero(thought.score > 1.0 - BAND_TAIL)
        above = block.values.reshape(-1)[loud] > expected.reshape(-1)[loud]
        reason[loud] = np.where(above, Reason.ABOVE, Reason.BELOW)
        reason[thought.hushed.reshape(-1)] = Reason.REFRACTORY
        if int(columns["samples"][at].min()) < self._least:
            reason[(block.ages(columns) < self._least).reshape(-1)] = Reason.WARM_UP
        return ViewedScores(
            thought.loudness.reshape(-1),
            thought.score.reshape(-1),
            expected.reshape(-1),
            (expected - half).reshape(-1),
            (expected + half).reshape(-1),
            reason,
            thought.spoke.reshape(-1),
        )

    @property
    def _least(self) -> int:
        return max(self.settings.warm_up_samples, tails.FEWEST_COUNTS)

    def waits(self, rows: IntArray) -> IntArray:
        """Samples that each row needs yet before it may speak."""
        left: IntArray = np.maximum(self._least - self.columns["samples"][rows], 0)
        return left

    def deviations(self, rows: IntArray, times: IntArray, values: FloatArray) -> FloatArray:  # noqa: ARG002  # as in `update`
        """How far values that are not learnt yet are from the usual one of their row, in usual distances from it.

        On the side that is watched; `rows`, `times` and `values` as in `update`. The profile of the day is left out:
        beside it half as many incidents of groups were found.
        """
        columns = self.columns
        unit = columns["unit"][rows]
        usual = columns["origin"][rows] + columns["mean"][rows] * unit
        scale = self.floored(columns["spread"][rows] * unit, usual)
        # out of range is not odd but unknown, and its score says so
        with np.errstate(over="ignore"):
            return self._orient((values - usual) / scale)

    def why(self, row: int) -> str:
        """One clause on what a row is taken for, and who votes therefore."""
        columns = self.columns
        said = [f"a sample each {columns['step_ms'][row] / 1000:.3g} s"]
        if columns["unit"][row] == 0:
            said.append("constant so far, so any other value is new")
        elif columns["counter"][row]:
            said.append("it only counts, so value and mean do not vote")
        if columns["daily"][row] >= EXPLAINED * DAILY_WEIGHT:
            said.append("the time of day explains much of it, so that votes twice")
        elif (columns["visits"][row] >= SETTLED_VISITS).any():
            said.append("the time of day explains little of it")
        else:
            said.append("no half hour of the day was there twice, so the time of day does not vote")
        return "; ".join(said)
