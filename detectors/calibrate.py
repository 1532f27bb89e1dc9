"""Calibration: a detector's raw number -> its tail probability, and a false-alarm budget -> a threshold.

`PastTail` asks a series' own past: the rank below the 98 % quantile, an exponential tail above it. The past is a
histogram of fixed size per row, in which the oldest half loses half its weight every few thousand samples.
`NormalTail` asks the normal distribution; it costs less and is right only where the noise is normal.
The raw number must be a multiple of the usual deviation (a z-score), not negative; that makes one grid fit all.

Refuses to decide what is an alert: that is `threshold_for` and a comparison, made by the rule.
"""

import math
from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors.base import BoolArray, FloatArray, IntArray, Round
from detectors.columns import Column, Columns

Direction: TypeAlias = Literal["both", "up", "down"]

# A sample with a smaller tail probability lies outside the band and is loud.
BAND_TAIL = 1e-3
# The rank is trusted up to this tail; beyond it there are too few samples to count.
RANK_TAIL = 0.02
# The grid: four cells an octave from 2**-4 to 2**12 usual deviations; the top two bits of a double's mantissa.
CELLS = 64
LOWEST_EXPONENT = -4
EDGES = np.ldexp(1 + np.arange(CELLS + 1) % 4 / 4, LOWEST_EXPONENT + np.arange(CELLS + 1) // 4)
EDGES[0] = 0.0
WIDTHS = np.diff(EDGES)
# Where in a cell its samples lie: the mean of an exponential that falls by e across the cell.
POINTS = EDGES[:-1] + 0.42 * WIDTHS
# Normal samples that a new row is taken to have seen: they give the tail before there is a past.
PRIOR_SAMPLES = 20.0
# The tail's scale is at least this share of its start: a bounded past does not make the next step impossible.
LEAST_SCALE = 0.1
# The tail is fitted again after 32 samples while the past is short, then after 128 (both powers of two); at
# twice the memory all counts are halved.
YOUNG_REFIT, OLD_REFIT, OLD_SAMPLES = 32, 128, 256
MEMORY_SAMPLES = 4096
# Rows fitted at once: their counts fit into a processor's cache.
FIT_ROWS = 256
# Refractory: only a score above all those of the last max(60, 4 % of the age) samples counts.
REFRACTORY_SAMPLES = 60
REFRACTORY_SHARE = 0.04


def threshold_for(false_alarms: float, per_seconds: float, step_seconds: float) -> float:
    """Return the score from which on to alert, so that a series costs `false_alarms` in `per_seconds`.

    `step_seconds` is the time between evaluations. "1 per week" at 15 s is 0.9999752. Alert when
    score >= threshold. Raises ValueError unless all three are positive and finite.
    """
    if not all(math.isfinite(x) and x > 0 for x in (false_alarms, per_seconds, step_seconds)):
        raise ValueError("false_alarms, per_seconds and step_seconds must be positive")
    tail = false_alarms * step_seconds / per_seconds
    return min(max(1.0 - tail, 0.0), math.nextafter(1.0, 0.0))


def normal_tail(raw: FloatArray, direction: Direction) -> FloatArray:
    """Return the probability that a standard normal is farther out, on both sides or on one."""
    from scipy.special import erfc  # type: ignore[import-untyped]  # noqa: PLC0415  # see `NormalTail`

    tail: FloatArray = erfc(raw / math.sqrt(2))
    return tail if direction == "both" else 0.5 * tail


class Tail(Protocol):
    """What a bank asks of a calibration."""

    def columns(self) -> Mapping[str, Column]:
        """Return the columns that it keeps in the bank."""
        ...

    def probability(self, columns: Columns, now: Round, raw: FloatArray) -> FloatArray:
        """Return the tail probability of `raw` before it is learnt."""
        ...

    def reach(self, columns: Columns, now: Round) -> FloatArray | float:
        """Return the raw number whose tail probability is BAND_TAIL."""
        ...

    def learn(
        self, columns: Columns, now: Round, raw: FloatArray, weight: FloatArray | float
    ) -> None:
        """Take `raw` into the past."""
        ...


class NormalTail:
    """Tail probabilities of the normal distribution; learns nothing."""

    def __init__(self, direction: Direction) -> None:
        # scipy is a sixth of a worker's start (and ships no types): only who detects is to wait for it
        from scipy.special import erfcinv  # noqa: PLC0415

        self.direction = direction
        self._inverse = erfcinv
        self._reach = self.raw_of(BAND_TAIL)

    def columns(self) -> Mapping[str, Column]:
        """Keep nothing."""
        return {}

    def probability(
        self,
        columns: Columns,  # noqa: ARG002  # part of the protocol
        now: Round,  # noqa: ARG002  # part of the protocol
        raw: FloatArray,
    ) -> FloatArray:
        """Return the normal tail."""
        return normal_tail(raw, self.direction)

    def raw_of(self, tail: float) -> float:
        """Return the raw number with this tail probability: the normal quantile."""
        sides = 1 if self.direction == "both" else 2
        return math.sqrt(2) * float(self._inverse(min(sides * tail, 1.0)))

    def reach(self, columns: Columns, now: Round) -> float:  # noqa: ARG002  # part of the protocol
        """Return where the tail falls to BAND_TAIL."""
        return self._reach

    def learn(
        self, columns: Columns, now: Round, raw: FloatArray, weight: FloatArray | float
    ) -> None:
        """Learn nothing."""


class PastTail:
    """Tail probabilities against the row's own past.

    With counts c and the cells' edges e: S(e) is the share of the past beyond e, u the first edge with S(u) <= 0.02 (or
    the edge before it when S(u) is under 0.001), m the mean excess over u. tail(x) = S(x), interpolated, for x < u;
    S(u) exp(-(x-u)/m) above: the generalised Pareto tail with shape 0 (Pickands 1975, doi 10.1214/aos/1176343003).
    Where the noise has heavier tails than that, alarms come several times as often as asked.
    """

    def __init__(self, direction: Direction) -> None:
        beyond = normal_tail(EDGES, direction)
        beyond[0] = 1.0
        beyond[-1] = 0.0
        self._prior = (PRIOR_SAMPLES * -np.diff(beyond)).astype(np.float32)
        self._asked: tuple[FloatArray, IntArray] | None = None

    def columns(self) -> Mapping[str, Column]:
        """Keep the counts, the fitted tail, and how much was learnt."""
        fitted = self._fit(np.zeros((1, CELLS), np.float32))
        return {
            "tail_counts": Column(np.float32, 0, CELLS),
            "tail_samples": Column(np.int64),
            "tail_survival": Column(np.float32, fitted.pop("tail_survival")[0], CELLS + 1),
            **{name: Column(np.float64, column[0]) for name, column in fitted.items()},
        }

    def _fit(self, counts: NDArray[np.float32]) -> dict[str, FloatArray]:
        past = (counts + self._prior).astype(np.float64)
        beyond = np.zeros((len(past), CELLS + 1))
        beyond[:, :-1] = from_the_end(past)
        survival = beyond / beyond[:, :1]
        cell = np.argmax(survival <= RANK_TAIL, axis=1)
        each = np.arange(len(past))
        # Never a cell that nothing has reached: the tail must start at a share above 0.
        empty = np.flatnonzero(survival[each, cell] == 0.0)
        cell[empty] = np.count_nonzero(survival[empty], axis=1) - 1
        # Where one cell holds nearly all of that share, next to nothing is left to fit a tail to: begin before it.
        cell -= survival[each, cell] < BAND_TAIL
        start, count = EDGES[cell], beyond[each, cell]
        first = int(cell.min())
        far = from_the_end(past[:, first:] * POINTS[first:])[each, cell - first]
        excess = far / count - start
        return {
            "tail_survival": survival,
            "tail_start": start,
            "tail_share": survival[each, cell],
            "tail_scale": np.maximum(excess, LEAST_SCALE * start),
        }

    def probability(self, columns: Columns, now: Round, raw: FloatArray) -> FloatArray:
        """Return the rank among the past, or the fitted tail beyond its 98 % quantile."""
        cell = cells(raw)
        self._asked = raw, cell
        survival = columns["tail_survival"].reshape(-1)
        place = now.rows * (CELLS + 1)
        place += cell
        # a raw number that is none has no cell either, and no tail
        tail = survival.take(place, mode="clip").astype(np.float64)
        place += 1
        drop = tail - survival.take(place, mode="clip")
        within = raw - EDGES.take(cell, mode="clip")
        within /= WIDTHS.take(cell, mode="clip")
        drop *= within
        tail -= drop
        start = columns["tail_start"][now.at]
        beyond = np.flatnonzero(raw >= start)
        if beyond.size:
            far = now.rows[beyond]
            excess = (raw[beyond] - start[beyond]) / columns["tail_scale"][far]
            tail[beyond] = columns["tail_share"][far] * np.exp(-excess)
        return tail

    def reach(self, columns: Columns, now: Round) -> FloatArray:
        """Return where the fitted tail falls to BAND_TAIL, or its start when it begins below."""
        reach: FloatArray = np.maximum(columns["tail_share"][now.at], BAND_TAIL)
        reach /= BAND_TAIL
        np.log(reach, out=reach)
        reach *= columns["tail_scale"][now.at]
        reach += columns["tail_start"][now.at]
        return reach

    def learn(
        self, columns: Columns, now: Round, raw: FloatArray, weight: FloatArray | float
    ) -> None:
        """Count `raw`, and fit the tail again for rows whose turn it is."""
        counts, samples = columns["tail_counts"], columns["tail_samples"]
        # what was judged is learnt next, nearly always
        asked, self._asked = self._asked, None
        place = now.rows * CELLS
        place += asked[1] if asked and asked[0] is raw else cells(raw)
        flat = counts.reshape(-1)
        if isinstance(weight, float):
            np.add.at(flat, place, np.float32(weight))
        else:
            # nearly all weigh 1: to add that and to mend the others is one pass less over memory that is far away
            light = np.flatnonzero(weight != 1.0)
            mended = flat[place[light]] + weight[light]
            np.add.at(flat, place, np.float32(1.0))
            flat[place[light]] = mended
        learnt = samples[now.at] + 1
        samples[now.at] = learnt
        due = np.flatnonzero(learnt & (YOUNG_REFIT - 1) == 0)
        if due.size == 0:
            return
        learnt = learnt[due]
        due = now.rows[due[(learnt <= OLD_SAMPLES) | (learnt & (OLD_REFIT - 1) == 0)]]
        old = due[samples[due] >= 2 * MEMORY_SAMPLES]
        counts[old] *= np.float32(0.5)
        samples[old] = MEMORY_SAMPLES
        for first in range(0, due.size, FIT_ROWS):
            part = due[first : first + FIT_ROWS]
            for name, column in self._fit(counts[part]).items():
                columns[name][part] = column


def from_the_end(past: FloatArray) -> FloatArray:
    """Return for each cell the sum of it and of all above it."""
    return np.cumsum(past[:, ::-1], axis=1)[:, ::-1]


def cells(raw: FloatArray) -> IntArray:
    """Return the cell of each raw number: the exponent and two mantissa bits of the double, exactly."""
    bounded = np.maximum(raw, 2.0**LOWEST_EXPONENT)
    np.minimum(bounded, EDGES[-2], out=bounded)
    cell: IntArray = bounded.view(np.int64)
    cell >>= 50
    cell -= (1023 + LOWEST_EXPONENT) << 2
    return cell


class Refractory:
    """Lets a raw number count only if it is above all those of the last max(60, 4 % of the age) samples.

    The window is kept as the largest of the present stretch and of the one before it, so it covers at least
    that many samples and less than twice as many, at three numbers a row.
    """

    def columns(self) -> Mapping[str, Column]:
        """Keep two peaks and two ages."""
        return {
            "peak_now": Column(np.float64, -np.inf),
            "peak_before": Column(np.float64, -np.inf),
            "stretch_samples": Column(np.int64),
            "peak_samples": Column(np.int64),
        }

    def stands_out(self, columns: Columns, now: Round, raw: FloatArray) -> BoolArray:
        """Return which of `raw` are above the recent peaks."""
        out: BoolArray = raw > np.maximum(
            columns["peak_now"][now.at], columns["peak_before"][now.at]
        )
        return out

    def learn(self, columns: Columns, now: Round, raw: FloatArray) -> None:
        """Take `raw` into the present stretch, and begin another where it is long enough."""
        age = columns["peak_samples"][now.at] + 1
        stretch = columns["stretch_samples"][now.at] + 1
        peak = np.maximum(columns["peak_now"][now.at], raw)
        full = stretch >= np.maximum(REFRACTORY_SAMPLES, REFRACTORY_SHARE * age)
        columns["peak_before"][now.at] = np.where(full, peak, columns["peak_before"][now.at])
        columns["peak_now"][now.at] = np.where(full, -np.inf, peak)
        columns["stretch_samples"][now.at] = np.where(full, 0, stretch)
        columns["peak_samples"][now.at] = age
