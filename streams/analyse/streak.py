"""Streak: banks that take a calm stretch of one series at once, with the very numbers of one sample at a time.

Between two fits of the calibration, and while no sample is loud, the only thing that moves from one sample to the next
is the model. A bank of this file walks its model through the stretch, judges all of it in a few array operations, and
stops in front of the first sample that is loud or reaches a score: that one goes through `update`, as any sample can.
A million numpy calls of one element become thousands of calls of a hundred. Source of the formulas: the detector.

Refuses rows that are frozen, and settings that this file does not know: nothing is taken then, and `update` does all.
"""

from math import sqrt
from typing import NamedTuple

import numpy as np

from detectors import registry
from detectors.bank import Bank, Judgement
from detectors.base import Detector, FloatArray, IntArray, Reason, Round, Scores
from detectors.calibrate import (
    BAND_TAIL,
    OLD_REFIT,
    OLD_SAMPLES,
    YOUNG_REFIT,
    PastTail,
    cells,
)
from detectors.ewma import CUT_SCALES, Ewma
from detectors.gaussian import Gaussian
from detectors.robust import Robust

# The longest stretch: of what lies behind a loud sample the work was in vain.
MOST_SAMPLES = 512
# Below this, a stretch costs more than its samples one by one.
FEWEST_SAMPLES = 4


class Walk(NamedTuple):
    """The model's state before each sample of a stretch, and after the last: arrays of n + 1."""

    expected: FloatArray
    scale: FloatArray
    state: FloatArray


class Streak(Bank):
    """A bank that can be asked for the calm beginning of a stretch; a detector adds `_walk` and `_arrive`."""

    def calm(
        self, row: int, times: IntArray, values: FloatArray, below: float
    ) -> tuple[int, Scores]:
        """Judge and learn samples of `row`, in order, as long as none is loud or has a score of `below` or more.

        Returns how many that were, perhaps none, and their scores. `values` are all within the detector's range.
        """
        room = self._room(row, values.size)
        if room < FEWEST_SAMPLES or self._refractory or self.columns["frozen"][row]:
            return 0, Scores.unsaid(values[:0])
        values, times = values[:room], times[:room]
        rows = np.full(room, row)
        now = Round(rows, rows, times, values)
        walk = self._walk(row, times, values)
        samples = self.columns["samples"][row] + np.arange(room)
        ready = samples >= self._readied()
        expected, scale = walk.expected[:-1], walk.scale[:-1]
        judgement = Judgement(expected, scale, (values - expected) / scale, ready)
        raw = self._orient(judgement.deviation)
        with np.errstate(invalid="ignore"):
            tail = self._tail.probability(self.columns, now, raw)
        speaks = ready & (samples >= self._mute_samples)
        score = np.where(speaks, 1.0 - tail, 0.0)
        odd = np.flatnonzero(speaks & ((tail < BAND_TAIL) | (score >= below)))
        taken = int(odd[0]) if odd.size else room
        low, high = self._band(now, judgement, self._tail.reach(self.columns, now))
        quiet = np.zeros(room, np.bool_)
        reason = self._explain(judgement.deviation, quiet, ~quiet)
        reason[~speaks] = Reason.WARM_UP
        scores = Scores(raw, score, expected, low, high, reason)
        self._take(row, now, walk, raw, ready, taken)
        cut = (getattr(scores, name)[:taken] for name in Scores.__slots__)
        return taken, Scores(*cut)

    def _room(self, row: int, wanted: int) -> int:
        """How many samples the calibration stays the same for: it may fit itself anew with the last of them."""
        room = min(wanted, MOST_SAMPLES)
        if isinstance(self._tail, PastTail):
            learnt = int(self.columns["tail_samples"][row])
            wait = YOUNG_REFIT if learnt < OLD_SAMPLES else OLD_REFIT
            unready = max(self._readied() - int(self.columns["samples"][row]), 0)
            room = min(room, unready + wait - learnt % wait)
        return room

    def _take(
        self, row: int, now: Round, walk: Walk, raw: FloatArray, ready: FloatArray, taken: int
    ) -> None:
        """Learn the first samples of a stretch."""
        if taken == 0:
            return
        columns = self.columns
        columns["run"][row] = 0
        known = raw[:taken][ready[:taken]]
        if known.size and isinstance(self._tail, PastTail):
            # all but the last are counted here, which is all that learning them does; the last may bring a fit
            np.add.at(columns["tail_counts"][row], cells(known[:-1]), np.float32(1.0))
            columns["tail_samples"][row] += known.size - 1
            last = np.array([row])
            self._tail.learn(columns, Round(last, last, now.times[:1], known[-1:]), known[-1:], 1.0)
        self._arrive(row, now, walk, taken)
        columns["samples"][row] += taken

    def _readied(self) -> int:
        """Samples from which on a deviation means something."""
        return self.settings.settled_samples

    def _walk(self, row: int, times: IntArray, values: FloatArray) -> Walk:
        raise NotImplementedError

    def _arrive(self, row: int, now: Round, walk: Walk, taken: int) -> None:
        raise NotImplementedError


class RobustStreak(Streak, Robust):
    """`robust`: the window hangs on the values alone, so its medians are known for the whole stretch."""

    def _readied(self) -> int:
        return max(self.settings.settled_samples, self.settings.refresh_samples)

    def _walk(self, row: int, times: IntArray, values: FloatArray) -> Walk:  # noqa: ARG002  # the same for all
        window, every = self.settings.window_samples, self.settings.refresh_samples
        before = int(self.columns["samples"][row])
        counts = before + 1 + np.arange(values.size)
        due = np.flatnonzero(counts % every == 0)
        ring = np.roll(self.columns["window"][row], -(before % window))
        history = np.concatenate((ring, values))
        state = np.empty((2, due.size + 1))
        state[:, 0] = self.columns["median"][row], self.columns["scale"][row]
        if due.size:
            scratch = Robust(self.settings)
            scratch.columns.grow(due.size)
            seen = np.lib.stride_tricks.sliding_window_view(history, window)
            scratch.columns["window"][:] = seen[due + 1]
            scratch._refresh(np.arange(due.size), counts[due])  # noqa: SLF001  # a bank of our own class
            state[:, 1:] = scratch.columns["median"], scratch.columns["scale"]
        in_force = np.searchsorted(due, np.arange(values.size + 1), side="left")
        return Walk(state[0, in_force], state[1, in_force], history)

    def _arrive(self, row: int, now: Round, walk: Walk, taken: int) -> None:  # noqa: ARG002  # the same for all
        window = self.settings.window_samples
        after = int(self.columns["samples"][row]) + taken
        self.columns["window"][row] = np.roll(walk.state[taken : taken + window], after % window)
        self.columns["median"][row] = walk.expected[taken]
        self.columns["scale"][row] = walk.scale[taken]


class GaussianStreak(Streak, Gaussian):
    """`gaussian`: Welford's recurrence, one sample after the other for the same bits."""

    def _walk(self, row: int, times: IntArray, values: FloatArray) -> Walk:  # noqa: ARG002  # the same for all
        samples = int(self.columns["samples"][row])
        mean, squares = float(self.columns["mean"][row]), float(self.columns["squares"][row])
        means, sums = [mean], [squares]
        for number, value in enumerate(values.tolist(), start=samples + 1):
            gap = value - mean
            mean += gap / number
            squares += gap * (value - mean)
            means.append(mean)
            sums.append(squares)
        state, expected = np.array(sums), np.array(means)
        counts = samples + np.arange(expected.size)
        scale = self.floored(np.sqrt(state / np.maximum(counts - 1, 1)), expected)
        return Walk(expected, scale, state)

    def _arrive(self, row: int, now: Round, walk: Walk, taken: int) -> None:  # noqa: ARG002  # the same for all
        self.columns["mean"][row] = walk.expected[taken]
        self.columns["squares"][row] = walk.state[taken]


class EwmaStreak(Streak, Ewma):
    """`ewma`: its recurrence cuts each deviation at the scale of that moment, so it goes one after the other."""

    def _walk(self, row: int, times: IntArray, values: FloatArray) -> Walk:
        samples, settled = int(self.columns["samples"][row]), self.settings.settled_samples
        mean, variance = float(self.columns["mean"][row]), float(self.columns["variance"][row])
        relative, absolute = self.settings.relative_floor, self.settings.absolute_floor
        means, scales, variances = [], [], []
        shares = self._stretch_shares(row, times).tolist()
        for number, (value, share) in enumerate(zip(values.tolist(), shares, strict=True), samples):
            scale = max(sqrt(variance), relative * abs(mean), absolute)
            means.append(mean)
            scales.append(scale)
            variances.append(variance)
            gap = value - mean
            if number >= settled:
                reach = CUT_SCALES * scale
                gap = min(max(gap, -reach), reach)
            step = share * gap
            mean += step
            variance = (1.0 - share) * (variance + gap * step)
        means.append(mean)
        scales.append(max(sqrt(variance), relative * abs(mean), absolute))
        variances.append(variance)
        return Walk(np.array(means), np.array(scales), np.array(variances))

    def _stretch_shares(self, row: int, times: IntArray) -> FloatArray:
        """What each sample weighs in the mean (see `Ewma`)."""
        share: FloatArray = 1.0 / (self.columns["samples"][row] + 1 + np.arange(times.size))
        half_life = self.settings.half_life_seconds
        if not half_life:
            np.maximum(share, self._share, out=share)
            return share
        last_ms = np.maximum.accumulate(np.append(self.columns["time_ms"][row], times))
        gone_ms = np.maximum(times - last_ms[:-1], 0)
        np.maximum(share, -np.expm1(-np.log(2.0) * (gone_ms / (1000.0 * half_life))), out=share)
        return share

    def _arrive(self, row: int, now: Round, walk: Walk, taken: int) -> None:
        self.columns["mean"][row] = walk.expected[taken]
        self.columns["variance"][row] = walk.state[taken]
        if self.settings.half_life_seconds:
            last_ms = int(now.times[:taken].max())
            self.columns["time_ms"][row] = max(int(self.columns["time_ms"][row]), last_ms)


_FORMS: dict[type, type[Streak]] = {
    Robust: RobustStreak,
    Gaussian: GaussianStreak,
    Ewma: EwmaStreak,
}


def create(name: str, parameters: dict[str, object]) -> Detector:
    """Make a detector without rows, one with `calm` where there is such a form of it.

    Raises:
        ConfigError: the name or a parameter is not known.

    """
    made = registry.create(name, parameters)
    form = _FORMS.get(type(made))
    return made if form is None or not isinstance(made, Bank) else form(made.settings)
