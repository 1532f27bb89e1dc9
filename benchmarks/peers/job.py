"""The job that every peer does, in plain Python: a running z-score and a 10 s mean for each series, with checksums.

A state is a list of six numbers, because that is what every engine can keep: in a dict, or as JSON in its own store.
A z-score is of a sample against the mean and variance of those before it; then the sample is learnt. A window of a
series closes when a sample of a later one arrives, so the results hang on nothing but the order within a series.
Imports the standard library alone: peers run in environments of their own.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

WARM_UP_SAMPLES = 20
TAIL = 1e-6
LIMIT = -NormalDist().inv_cdf(TAIL / 2)
"""Standard deviations beyond which a sample is an alert: what a normal law exceeds once in a million, on both sides."""
SCORED_FROM = 2
"""Samples that a variance needs; from the next one on there are scores."""
WINDOW_MS = 10_000

COUNT, MEAN, SQUARES, WINDOW, IN_WINDOW, SUM = range(6)
State = list[float]


def new_state() -> State:
    """Of a series that nobody has seen: count, mean, sum of squared deviations; window, its count, its sum."""
    return [0, 0.0, 0.0, -1, 0, 0.0]


@dataclass(slots=True)
class Totals:
    """What was done, and checksums of the results: two peers that did the same job have the same ones.

    Attributes:
        messages: samples learnt.
        alerts: those beyond `LIMIT`, after `WARM_UP_SAMPLES` of their series.
        scores: sum of all scores, without their signs.
        windows: that have closed.
        means: sum of the means of these.

    """

    messages: int = 0
    alerts: int = 0
    scores: float = 0.0
    windows: int = 0
    means: float = 0.0

    def notes(self) -> dict[str, int]:
        """As whole numbers: how sums of floats are rounded hangs on how partitions were interleaved."""
        return {
            "samples": self.messages,
            "alerts": self.alerts,
            "scores": round(self.scores),
            "windows": self.windows,
            "means": round(self.means),
        }


def learn(state: State, time_ms: int, value: float, totals: Totals) -> float:
    """Judge one sample by the state of its series, then learn it; its score where it is an alert, else 0.

    Mean and variance are Welford's (Technometrics 4, 1962, 419-420), the variance that of a sample.
    """
    count, mean, squares, window, in_window, total = state
    delta = value - mean
    alert = 0.0
    if count >= SCORED_FROM and squares > 0.0:
        score = delta / math.sqrt(squares / (count - 1))
        totals.scores += abs(score)
        if count >= WARM_UP_SAMPLES and abs(score) >= LIMIT:
            totals.alerts += 1
            alert = score
    count += 1
    mean += delta / count
    state[COUNT], state[MEAN] = count, mean
    state[SQUARES] = squares + delta * (value - mean)
    now = time_ms // WINDOW_MS
    if now == window:
        state[IN_WINDOW], state[SUM] = in_window + 1, total + value
    else:
        if in_window:
            totals.windows += 1
            totals.means += total / in_window
        state[WINDOW], state[IN_WINDOW], state[SUM] = now, 1, value
    totals.messages += 1
    return alert
