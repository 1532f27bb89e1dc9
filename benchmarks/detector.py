"""Detector: our banks against river's nearest equivalent, one object for each series.

Both judge each sample by what came before it, then learn it; figures are samples in a second of CPU time on one core at
10,000 series that are past their warm-up. Nothing stands against banks that river has no equivalent of.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from river import anomaly, drift, stats, time_series

from benchmarks import workload
from benchmarks.measure import per_cpu_second
from benchmarks.peers.faust_river import ZScores
from benchmarks.row import Goal, Row
from detectors import registry
from streams.analyse import detect

PEER_SAMPLES = 20_000
PEER_SERIES = 100
STEP_MS = 60_000
DAY_MS = 86_400_000
# Samples of each series before the clock starts: `extreme` sets its thresholds at 200, `seasonal` needs a season.
WARM = 64
WARM_OF: Mapping[str, int] = {"auto": 1024, "extreme": 208, "seasonal": DAY_MS // STEP_MS + WARM}
# Without a season given it is another detector, which tries a day and a week side by side.
PARAMS: Mapping[str, Mapping[str, object]] = {"seasonal": {"season_ms": DAY_MS}}
TEN_MILLION = Goal("value", ">=", 10_000_000)
GOALS: Mapping[str, Goal] = {
    **dict.fromkeys(("robust", "ewma", "seasonal"), TEN_MILLION),
    "auto": Goal("value", ">=", 2_000_000),
}
# Members of a group, for banks that judge members beside each other.
GROUP = 10
# No value is as large.
LARGEST = 600.0
# Rows of one series, as `tocsin detect` judges them; a million are to take less than 20 s.
ONE_SERIES = 100_000
# What the first fetches of a worker bring. Until blocks as large have come and gone, glibc gives the end of its heap
# back whenever something there is freed, and takes it anew page by page: calls of 20,000 samples take twice as long.
FETCHED_BYTES = 1 << 22
# Seasons of river's forecasters, in samples; the least that stands for a day.
PEER_SEASON = 24


class Spread:
    """River's exponentially weighted mean and variance."""

    def __init__(self) -> None:
        self.mean, self.variance = stats.EWMean(0.006), stats.EWVar(0.006)

    def take(self, value: float) -> float:
        """Return the value's deviation, then learn it."""
        # rounding takes river's variance below 0 where values hardly differ
        spread = max(self.variance.get(), 0.0) ** 0.5
        score = (value - self.mean.get()) / (spread or 1.0)
        self.mean.update(value)
        self.variance.update(value)
        return float(score)


class Quartiles:
    """River's windowed median and quartile distance."""

    def __init__(self) -> None:
        self.median, self.range = stats.RollingQuantile(0.5, 120), stats.RollingIQR(120)

    def take(self, value: float) -> float:
        """Return the value's deviation, then learn it."""
        score = (value - (self.median.get() or 0.0)) / (self.range.get() or 1.0)
        self.median.update(value)
        self.range.update(value)
        return score


class Drift:
    """River's Page-Hinkley test."""

    def __init__(self) -> None:
        self.test = drift.PageHinkley()

    def take(self, value: float) -> float:
        """Learn the value, and tell whether there is a drift."""
        self.test.update(value)
        return float(self.test.drift_detected)


class Error:
    """The error of one of river's forecasters."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def take(self, value: float) -> float:
        """Return the error of the forecast, then learn the value."""
        score = value - self.model.forecast(horizon=1)[0]
        self.model.learn_one(value)
        return float(score)


class Foretold:
    """River's detector that judges by the error of a forecast of trend and season."""

    def __init__(self) -> None:
        forecaster = time_series.HoltWinters(
            alpha=0.1, beta=0.01, gamma=0.1, seasonality=PEER_SEASON
        )
        for _ in range(2 * PEER_SEASON):
            forecaster.learn_one(workload.NOISE)
        self.model = anomaly.PredictiveAnomalyDetection(forecaster, horizon=1, n_std=3.0)

    def take(self, value: float) -> float:
        """Return the value's score, then learn it."""
        score = self.model.score_one(None, value)
        self.model.learn_one(None, value)
        return float(score)


class Trees:
    """River's half-space trees over the members of a group, values between 0 and 1 as they want them."""

    def __init__(self) -> None:
        self.model = anomaly.HalfSpaceTrees(seed=1)
        self.section: dict[int, float] = {}

    def take(self, value: float) -> float:
        """Return the score of the group, with its last member, and learn it."""
        self.section[len(self.section)] = value / LARGEST
        if len(self.section) < GROUP:
            return 0.0
        score = self.model.score_one(self.section)
        self.model.learn_one(self.section)
        self.section = {}
        return float(score)


def holt_winters() -> Error:
    """River's Holt's method; it cannot forecast before its first two values."""
    made = Error(time_series.HoltWinters(alpha=0.1, beta=0.01))
    for _ in range(2):
        made.model.learn_one(workload.NOISE)
    return made


def seasonal() -> Error:
    """River's method of Holt and Winters; it cannot forecast before its first two seasons."""
    made = Error(time_series.HoltWinters(alpha=0.1, beta=0.01, gamma=0.1, seasonality=PEER_SEASON))
    for _ in range(2 * PEER_SEASON):
        made.model.learn_one(workload.NOISE)
    return made


FORETOLD = "river's PredictiveAnomalyDetection, one a series"
PEERS: Mapping[str, tuple[str, Callable[[], Any]]] = {
    "ewma": ("river's EWMean and EWVar, one a series", Spread),
    "robust": ("river's RollingQuantile and RollingIQR, one a series", Quartiles),
    "seasonal": ("river's HoltWinters with a season, one a series", seasonal),
    "auto": (FORETOLD, Foretold),
    "page_hinkley": ("river's PageHinkley, one a series", Drift),
    "holt_winters": ("river's HoltWinters without season, one a series", holt_winters),
    "forecast": (
        "river's SNARIMAX of 8 lags, one a series",
        lambda: Error(time_series.SNARIMAX(p=8, d=0, q=0)),
    ),
    "half_space_trees": ("river's HalfSpaceTrees, one a group", Trees),
}


def measure(seconds: float, command: str) -> Iterator[Row]:
    """Rows of the benchmark; each figure takes about `seconds`."""
    np.ones(FETCHED_BYTES, np.uint8)
    yield gaussian(seconds, command)
    for name in registry.OURS:
        if name not in {"gaussian", "river"}:
            title, peer = PEERS.get(name, (None, None))
            yield Row(
                f"detector.{name}",
                ours(name, seconds),
                "samples/s/core",
                command,
                title,
                theirs(peer, seconds) if peer else None,
                GOALS.get(name),
            )
    yield Row(
        "detector.auto_one_series",
        one_series(seconds),
        "rows/s/core",
        command,
        FORETOLD,
        theirs(Foretold, seconds),
        Goal("value", ">=", 50_000),
    )


def one_series(seconds: float) -> float:
    """Rows in a CPU second of one series with a daily rhythm, by `auto`: what `tocsin detect` does between files."""
    times = np.arange(ONE_SERIES) * STEP_MS
    noise = np.random.default_rng(1).normal(300.0, workload.NOISE, ONE_SERIES)
    values = noise + workload.SPIKE * np.sin(times * (2 * np.pi / DAY_MS))

    def take() -> int:
        return len(detect(times, values).judged.score)

    return per_cpu_second(take, seconds)


def ours(name: str, seconds: float) -> float:
    """Samples in a CPU second of one of our banks, one sample of each series at a time."""
    bank = registry.create(name, PARAMS.get(name, {}))
    bank.grow(workload.SERIES)
    rows = np.arange(workload.SERIES, dtype=np.int64)
    if hasattr(bank, "assign"):
        bank.assign(rows, rows // GROUP)
    random, step = np.random.default_rng(1), 0
    noise = random.normal(300.0, workload.NOISE, (16, rows.size))

    def take() -> int:
        nonlocal step
        bank.update(rows, np.full(rows.size, step * STEP_MS), noise[step % len(noise)])
        step += 1
        return int(rows.size)

    for _ in range(WARM_OF.get(name, WARM)):
        take()
    return per_cpu_second(take, seconds)


def theirs(made: Callable[[], Any], seconds: float) -> float:
    """Samples in a CPU second of river's objects, one sample of each series at a time."""
    models = [made() for _ in range(PEER_SERIES)]
    values = np.random.default_rng(1).normal(300.0, workload.NOISE, PEER_SERIES).tolist()

    def take() -> int:
        for model, value in zip(models, values, strict=True):
            model.take(value)
        return PEER_SERIES

    return per_cpu_second(take, seconds)


def gaussian(seconds: float, command: str) -> Row:
    """The bank of running means and variances, two samples of each series at a time."""
    rows = np.tile(np.arange(workload.SERIES, dtype=np.int64), 2)
    values = np.random.default_rng(1).normal(300.0, workload.NOISE, rows.size)
    times = np.zeros(rows.size, np.int64)
    bank = registry.create("gaussian", {"warm_up_samples": workload.WARM_UP_SAMPLES})
    bank.grow(workload.SERIES)

    def take() -> int:
        bank.update(rows, times, values)
        return int(rows.size)

    peer = ZScores()
    samples = [
        {
            "metric": workload.METRIC,
            "labels": {"service": f"service-{n % workload.SERIES}"},
            "value": v,
        }
        for n, v in enumerate(np.resize(values, PEER_SAMPLES).tolist())
    ]

    def score() -> int:
        for sample in samples:
            peer.score(sample)
        return len(samples)

    return Row(
        "detector.gaussian",
        per_cpu_second(take, seconds),
        "samples/s/core",
        command,
        "river's mean and variance, one a series",
        per_cpu_second(score, seconds),
    )
