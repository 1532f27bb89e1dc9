"""Alarms: how many come where nothing is wrong, against how many were asked for.

An alarm is a run of flagged rows outside of labelled events. The rate is that of all series of a set together: alarms
by series-weeks outside of events. On public sets some of these alarms are of events that nobody labelled: labels of the
servers name the metrics of each event, so there the rate outside of any event of the machine stands beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.accuracy import shop
from benchmarks.accuracy.events import outside
from benchmarks.accuracy.kinds import Series
from benchmarks.accuracy.online import WEEK_MS, listen, usual_step_ms
from detectors.base import FloatArray

ASKED = {"1 a day": 7.0, "1 in 3 days": 7 / 3, "1 a week": 1.0, "1 a month": 7 / 30}


def weeks(series: Series) -> float:
    """Weeks of a series outside of events; a gap counts as one usual step."""
    usual = usual_step_ms(series)
    # the last row has no step of its own
    steps = np.append(np.diff(series.times), usual)
    return float(np.minimum(steps, usual)[outside(series)].sum()) / WEEK_MS


def came(corpus: Sequence[Series], claims: Mapping[str, FloatArray], asked: float) -> float:
    """Alarms a week and series at the threshold of so many a week."""
    alarms, length = 0, 0.0
    for series in corpus:
        flagged = (claims[series.name] >= -np.log10(asked)) & outside(series)
        alarms += int(np.count_nonzero(flagged & ~np.append(False, flagged[:-1])))
        length += weeks(series)
    return alarms / length


def for_one(corpus: Sequence[Series], claims: Mapping[str, FloatArray]) -> dict[str, float]:
    """Alarms that came for one that was asked for, by what was asked."""
    return {asked: round(came(corpus, claims, rate) / rate, 2) for asked, rate in ASKED.items()}


def wider(corpus: Sequence[Series]) -> list[Series]:
    """The same series, with the events of all that they belong to for their own."""
    return [replace(series, events=series.whole or series.events) for series in corpus]


def of_the_shop() -> dict[str, float]:
    """The same where there is no fault at all: `auto` on the simulated shop."""
    calm = list(shop.series())
    return for_one(calm, listen("auto", calm, {}).claims)
