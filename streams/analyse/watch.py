"""Watch: a detector and its budget of false alarms over series by name, strictly online, without Kafka.

The judgement is the one of a `detect:` rule, by the same code: a threshold to enter, a lower one to leave, no learning
while a series is abnormal. However its samples are cut into calls, each gets the same answer.

Refuses more than `MOST_SERIES` series.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

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
from streams.rules.detect import DetectRule
from streams.rules.rule import DetectBlock
from streams.rules.threshold import NEVER
from streams.rules.verdict import Verdict

MOST_SERIES = 100_000
LONG_SAMPLES = 8192
"""The longest stretch for a bank that cuts it into blocks itself."""


@runtime_checkable
class Calm(Protocol):
    """A bank that takes the calm beginning of a stretch of one series at once, see `Streak`."""

    def calm(
        self, row: int, times: IntArray, values: FloatArray, below: float
    ) -> tuple[int, Scores]:
        """Judge and learn samples as long as none has a score of `below` or more: how many, and their scores."""
        ...


@dataclass(frozen=True, slots=True)
class Judged:
    """One entry per sample.

    flag      abnormal, as a rule would have told
    score     calibrated, 0 to 1; NaN without a value
    expected, low, high  in the unit of the value; NaN when the detector has no opinion
    reason    codes of `detectors.base.Reason`
    samples   of what is flagged: how many of its series were learnt before; NaN where that is not known
    view      of what is flagged: the number of the view that spoke, NaN for detectors with one
    """

    flag: BoolArray
    score: FloatArray
    expected: FloatArray
    low: FloatArray
    high: FloatArray
    reason: CodeArray
    samples: FloatArray
    view: FloatArray


class Watch(DetectRule):
    """One detector over many series, a row for each name."""

    lasting = False

    def __init__(self, block: DetectBlock, *, interval_ms: int) -> None:
        """Make the detector; `interval_ms` is the usual step between samples, which the threshold hangs on.

        Raises:
            ConfigError: the detector is unknown, or a parameter is.

        """
        super().__init__(block, interval_ms=interval_ms, max_series=MOST_SERIES)
        self.interval_ms = interval_ms
        self.banks.usual = create(block.detector, dict(block.parameters))
        self.names: dict[str, int] = {}

    @property
    def views(self) -> tuple[str, ...]:
        """Names of the detector's views, where it has several."""
        return tuple(getattr(self.banks.usual, "views", ()))

    @property
    def grouped(self) -> bool:
        """Whether the detector compares the members of a group, which all series are."""
        return hasattr(self.banks.usual, "assign")

    @property
    def by_series(self) -> bool:
        """Whether it is fast series after series, not row after row of a table."""
        return self._streak is not None

    @property
    def _streak(self) -> Calm | None:
        """The bank, where it takes calm stretches at once and no time is special."""
        bank = self.banks.usual
        return bank if isinstance(bank, Calm) and self._occasions.none else None

    def rows_of(self, names: Sequence[str]) -> IntArray:
        """Rows of these series, new ones for those that were never seen.

        Raises:
            ConfigError: they would be too many.

        """
        for name in names:
            self.names.setdefault(name, len(self.names))
        if len(self.names) > MOST_SERIES:
            raise ConfigError([f"{len(self.names)} series; at most {MOST_SERIES} fit into one run"])
        known = self.rows.capacity
        if len(self.names) > known:
            self._widen(len(self.names))
            # series of a file share a common budget, whatever it is of
            self.thresholds.split(len(self.names))
            if self.grouped:
                fresh = np.arange(known, len(self.names))
                self.banks.usual.assign(fresh, np.zeros_like(fresh))  # type: ignore[attr-defined]  # it has one
        return np.array([self.names[name] for name in names], np.int64)

    def judge(self, rows: IntArray, times: IntArray, values: FloatArray) -> Judged:
        """Judge samples, then learn them: `rows` int64[n] of `rows_of`, `times` int64[n] ms, `values` float64[n].

        Samples of one series are in order of time; NaN is a missing one.
        """
        verdict = Verdict.unsaid(len(rows))
        reason = np.zeros(len(rows), np.int8)
        streak = self._streak
        moments = times if self.grouped else None
        for at in _cuts(rows, moments, apart=streak is not None):
            if streak is not None:
                self._follow(streak, times, values, at, int(rows[at[0]]), verdict, reason)
            else:
                reason[at] = self._round(rows[at], times[at], values[at], at, verdict).reason
        flag = verdict.abnormal
        unnamed = flag & ((reason == Reason.OK) | (reason == Reason.FROZEN))
        reason[unnamed] = _sides(values[unnamed] - verdict.expected[unnamed])
        return Judged(*verdict[:5], reason, *verdict[5:])

    def learn(self, rows: IntArray, times: IntArray, values: FloatArray) -> None:
        """Take in history: what was abnormal in it is over when the next sample comes."""
        self.judge(rows, times, values)
        self._calm(np.unique(rows))

    def _follow(
        self,
        bank: Calm,
        times: IntArray,
        values: FloatArray,
        at: IntArray,
        row: int,
        out: Verdict,
        reasons: CodeArray,
    ) -> None:
        """One series: calm stretches at once, what is loud and what is abnormal one by one."""
        one, most = np.array([row]), MOST_SAMPLES if isinstance(bank, Streak) else LONG_SAMPLES
        heard = at[np.abs(values[at]) <= LARGEST_VALUE]
        unheard = at[~(np.abs(values[at]) <= LARGEST_VALUE)].tolist()
        reasons[unheard] = Scores.unsaid(values[unheard]).reason
        gaps = iter([*unheard, len(values)])
        gap = next(gaps)
        done = 0
        while done < heard.size:
            stretch = heard[done : done + most]
            if self.rows["since"][row] == NEVER:
                enter = float(self.thresholds.enter[row])
                taken, scores = bank.calm(row, times[stretch], values[stretch], enter)
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
            reasons[cell] = self._round(one, times[cell], values[cell], cell, out).reason
            done += 1
        if unheard and (not heard.size or unheard[-1] > heard[-1]):
            self._calm(one)
        self.rows["seen"][row] = times[at[-1]]


def _cuts(rows: IntArray, moments: IntArray | None, *, apart: bool) -> Iterator[IntArray]:
    """Positions of samples to take at once: series by series, or all series a round, of the same moment if need be."""
    places = np.arange(rows.size)
    if moments is not None and rows.size:
        for part in np.split(places, np.flatnonzero(np.diff(moments)) + 1):
            for chosen in rounds(rows[part]):
                yield part[chosen]
        return
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
