"""Faust in its idiomatic form, with river for the statistics, as the documentation of both would have it.

A running mean and variance of river for each series, and a mean of river for each window.
"""

import math

from river import stats

from benchmarks.peers.faust_agent import Sample, Series, series_of, work
from benchmarks.peers.job import LIMIT, SCORED_FROM, WARM_UP_SAMPLES, WINDOW_MS, Totals

__all__ = ["LIMIT", "River", "ZScores", "judge"]


def judge(variance: stats.Var, value: float) -> float:
    """How many standard deviations this value lies from the mean of those before it."""
    deviation = math.sqrt(variance.get())
    return float((value - variance.mean.get()) / deviation) if deviation else 0.0


class ZScores:
    """Running mean and variance of each series, and nothing else."""

    def __init__(self) -> None:
        self._variances: dict[Series, stats.Var] = {}

    def score(self, sample: Sample) -> float:
        """The z-score of this sample, which is then learnt; NaN in warm-up."""
        series = series_of(sample)
        variance = self._variances.get(series)
        if variance is None:
            variance = self._variances[series] = stats.Var()
        value = sample["value"]
        score = judge(variance, value) if variance.mean.n >= WARM_UP_SAMPLES else math.nan
        variance.update(value)
        return score


class _Watched:
    """State of one series."""

    __slots__ = ("mean", "variance", "window")

    def __init__(self) -> None:
        self.variance = stats.Var()
        self.mean = stats.Mean()
        self.window = -1


class River:
    """The job with river."""

    def __init__(self) -> None:
        self.totals = Totals()
        self._watched: dict[Series, _Watched] = {}

    def learn(self, sample: Sample) -> float:
        """Judge a sample, then learn it; its score where it is an alert, else 0."""
        series, totals = series_of(sample), self.totals
        watched = self._watched.get(series)
        if watched is None:
            watched = self._watched[series] = _Watched()
        value, alert = sample["value"], 0.0
        count = watched.variance.mean.n
        if count >= SCORED_FROM:
            score = judge(watched.variance, value)
            totals.scores += abs(score)
            if count >= WARM_UP_SAMPLES and abs(score) >= LIMIT:
                totals.alerts += 1
                alert = score
        watched.variance.update(value)
        window = sample["ts"] // WINDOW_MS
        if window != watched.window:
            if watched.mean.n:
                totals.windows += 1
                totals.means += watched.mean.get()
            watched.window, watched.mean = window, stats.Mean()
        watched.mean.update(value)
        totals.messages += 1
        return alert


if __name__ == "__main__":
    work(__doc__, River())
