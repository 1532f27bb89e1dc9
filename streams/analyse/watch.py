"""Watch: a detector and its budget of false alarms over series by name, strictly online, without Kafka.

The judgement is the one of a `detect:` rule, by the same code: a threshold to enter, a lower one to leave, no learning
while a series is abnormal. However its samples are cut into calls, each gets the same answer.

Refuses more than `MOST_SERIES` series.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.base import (
    LARGEST_VALUE,
    BoolArray,
    CodeArray,
    FloatArray,
    IntArray,
    Reason,
    Scores,
    rounds,
)
from schemas.errors import ConfigError
from streams.analyse.streak import MOST_SAMPLES, Streak, create
from streams.rules.detect import NEVER, DetectRule, Verdict
from streams.rules.rule import DetectBlock

MOST_SERIES = 100_000


@dataclass(frozen=True, slots=True)
class Judged:
    """One entry per sample.

    flag      abnormal, as a rule would have told
    score     calibrated, 0 to 1; NaN without a value
    expected, low, high  in the unit of the value; NaN when the detector has no opinion
    reason    codes of `detectors.base.Reason`
    """

    flag: BoolArray
    score: FloatArray
    expected: FloatArray
    low: FloatArray
    high: FloatArray
    reason: CodeArray


class Watch(DetectRule):
    """One detector over many series, a row for each name."""

    def __init__(self, block: DetectBlock, *, interval_ms: int) -> None:
        """Make the detector; `interval_ms` is the usual step between samples, which the threshold hangs on.

        Raises:
            ConfigError: the detector is unknown, or a parameter is.

        """
        super().__init__(block, interval_ms=interval_ms, max_series=MOST_SERIES)
        self.interval_ms = interval_ms
        self.bank = create(block.detector, dict(block.parameters))
        self.names: dict[str, int] = {}
        self._reasons: CodeArray = np.zeros(0, np.int8)

    @property
    def by_series(self) -> bool:
        """Whether it is fast series after series, not row after row of a table."""
        return isinstance(self.bank, Streak)

    def rows_of(self, names: Sequence[str]) -> IntArray:
        """Rows of these series, new ones for those that were never seen.

        Raises:
            ConfigError: they would be too many.

        """
        for name in names:
            self.names.setdefault(name, len(self.names))
        if len(self.names) > MOST_SERIES:
            raise ConfigError([f"{len(self.names)} series; at most {MOST_SERIES} fit into one run"])
        if len(self.names) > len(self._since):
            self._widen(len(self.names))
        return np.array([self.names[name] for name in names], np.int64)

    def judge(self, rows: IntArray, times: IntArray, values: FloatArray) -> Judged:
        """Judge samples, then learn them: `rows` int64[n] of `rows_of`, `times` int64[n] ms, `values` float64[n].

        Samples of one series are in order of time; NaN is a missing one.
        """
        verdict = Verdict(np.zeros(len(rows), np.bool_), *np.full((4, len(rows)), np.nan))
        reason = np.zeros(len(rows), np.int8)
        bank = self.bank
        for at in _cuts(rows, apart=isinstance(bank, Streak)):
            if isinstance(bank, Streak):
                self._follow(bank, times, values, at, int(rows[at[0]]), verdict, reason)
            else:
                self._round(rows[at], times[at], values[at], at, verdict)
                reason[at] = self._reasons
        flag = verdict.abnormal
        unnamed = flag & ((reason == Reason.OK) | (reason == Reason.FROZEN))
        reason[unnamed] = _sides(values[unnamed] - verdict.expected[unnamed])
        return Judged(flag, verdict.score, verdict.expected, verdict.low, verdict.high, reason)

    def learn(self, rows: IntArray, times: IntArray, values: FloatArray) -> None:
        """Take in history: what was abnormal in it is over when the next sample comes."""
        self.judge(rows, times, values)
        self._calm(np.unique(rows))

    def _follow(
        self,
        bank: Streak,
        times: IntArray,
        values: FloatArray,
        at: IntArray,
        row: int,
        out: Verdict,
        reasons: CodeArray,
    ) -> None:
        """One series: calm stretches at once, what is loud and what is abnormal one by one."""
        one = np.array([row])
        heard = at[np.abs(values[at]) <= LARGEST_VALUE]
        unheard = at[~(np.abs(values[at]) <= LARGEST_VALUE)].tolist()
        reasons[unheard] = Scores.unsaid(values[unheard]).reason
        gaps = iter([*unheard, len(values)])
        gap = next(gaps)
        done = 0
        while done < heard.size:
            stretch = heard[done : done + MOST_SAMPLES]
            if self._since[row] == NEVER:
                taken, scores = bank.calm(row, times[stretch], values[stretch], self.enter)
                chosen = stretch[:taken]
                for name in ("score", "expected", "low", "high"):
                    getattr(out, name)[chosen] = getattr(scores, name)
                reasons[chosen] = scores.reason
                done += taken
                if taken == stretch.size:
                    continue
            step = heard[done]
            if gap < step:
                # a missing sample ends what is abnormal, as in a rule
                self._calm(one)
                while gap < step:
                    gap = next(gaps)
            cell = step[None]
            self._round(one, times[cell], values[cell], cell, out)
            reasons[cell] = self._reasons
            done += 1
        if unheard and (not heard.size or unheard[-1] > heard[-1]):
            self._calm(one)
        self._seen[row] = times[at[-1]]

    def _far(self, scores: Scores, values: FloatArray, threshold: float, share: float) -> BoolArray:
        self._reasons = scores.reason
        return super()._far(scores, values, threshold, share)


def _cuts(rows: IntArray, *, apart: bool) -> Iterator[IntArray]:
    """Positions of samples to take at once: series by series, or all series a round."""
    places = np.arange(rows.size)
    if not apart:
        for chosen in rounds(rows):
            yield places[chosen]
    elif rows.size:
        order = np.argsort(rows, kind="stable")
        yield from np.split(order, np.flatnonzero(np.diff(rows[order])) + 1)


def _sides(gaps: FloatArray) -> NDArray[np.int8]:
    """The reason of what is flagged, by its distance from the expected value."""
    sides = np.where(gaps > 0, Reason.ABOVE, Reason.BELOW)
    return np.where(np.isnan(gaps), Reason.UNUSUAL, sides).astype(np.int8)
