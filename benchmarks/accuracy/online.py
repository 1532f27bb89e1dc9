"""Online: a detector's pass over all series of a set, and what its scores claim in alarms a week.

All series are rows of one bank, each from nothing, in order of time; none knows of another. A score claims that so many
alarms a week come without a cause: (1 - score) of the samples of a week. `claims` is -log10 of that, so 0 is the
threshold of `false_alarms: 1 per week`, and thresholds compare between detectors and steps.

Refuses to look ahead, and to choose by set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.kinds import Series
from detectors import registry
from detectors.base import FloatArray

WEEK_MS = 604_800_000
# The threshold of the setting that is shipped.
ONE_A_WEEK = 0.0
# 1 - score cannot be told from 0 below.
SMALLEST = 2.0**-53


@dataclass(frozen=True)
class Said:
    """What a detector said of a set: claims and raw numbers by name of the series."""

    claims: Mapping[str, FloatArray]
    raw: Mapping[str, FloatArray]


def usual_step_ms(series: Series) -> float:
    """The median step, which the threshold of a rule hangs on."""
    steps = np.diff(series.times)
    return float(np.median(steps[steps > 0]))


def listen(detector: str, corpus: Sequence[Series], parameters: Mapping[str, object]) -> Said:
    """One pass of a detector over a set."""
    bank = registry.create(detector, parameters)
    bank.grow(len(corpus))
    sizes = [series.times.size for series in corpus]
    rows = np.repeat(np.arange(len(corpus)), sizes)
    scores = bank.update(
        rows,
        np.concatenate([series.times for series in corpus]),
        np.concatenate([series.values for series in corpus]),
    )
    cuts = np.cumsum(sizes)[:-1]
    claims, raw = {}, {}
    for series, score, number in zip(
        corpus, np.split(scores.score, cuts), np.split(scores.raw, cuts), strict=True
    ):
        rate = np.maximum(1.0 - score, SMALLEST) * WEEK_MS / usual_step_ms(series)
        claims[series.name] = np.where(score > 0, -np.log10(rate), -np.inf)
        raw[series.name] = number
    return Said(claims, raw)
