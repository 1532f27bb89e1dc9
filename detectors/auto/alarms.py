"""Alarms: which samples stand out in time, and how often such a one comes without a cause.

A threshold on a probability per sample is none per week: neighbours are alike, and distances shrink as values gather.
So the loudness is brought to a common step, only a sample louder than all of the last 3 hours at least (of the last 2 %
of the row's age, a week at most; and of up to twice as long) counts, and the rate of such alarms was measured where
nothing was wrong.

Refuses to learn the rate from the row itself: what it would learn first is its own faults (measured, docs/accuracy.md).
"""

import numpy as np

from detectors.base import FloatArray, IntArray

WEEK_MS = 604_800_000
LEAST_MS, MOST_MS, AGE_SHARE = 10_800_000, WEEK_MS, 0.02
# Samples a minute apart are five times as many as those five minutes apart, and hang together: the square root of it.
STEP_POWER, COMMON_STEP_MS = 0.5, 300_000.0
# Loudness at which one alarm a week comes, and how much louder is ten times rarer, below that and above it.
ONE_A_WEEK, RARER, OFTENER = 1.66, 0.9, 0.8


def standing(loudness: FloatArray, peaks: FloatArray, *, learns: bool) -> FloatArray:
    """What each of the loudnesses [m, n] has to be above; `peaks` [m] stand before them."""
    if not learns or loudness.shape[1] == 1:
        return np.broadcast_to(peaks[:, None], loudness.shape)
    every = np.concatenate((peaks[:, None], loudness[:, :-1]), axis=1)
    out: FloatArray = np.maximum.accumulate(every, axis=1)
    return out


def stretch_ms(age_ms: IntArray) -> IntArray:
    """How long a stretch of time lasts whose loudest sample silences what follows."""
    return np.clip((AGE_SHARE * age_ms).astype(np.int64), LEAST_MS, MOST_MS)


def per_week(loudness: FloatArray) -> FloatArray:
    """Alarms at least this loud that come in a week without a cause."""
    above = ONE_A_WEEK - loudness
    rate: FloatArray = 10.0 ** (above / np.where(above > 0, OFTENER, RARER))
    return rate


def loudness_of(rate: FloatArray) -> FloatArray:
    """The loudness at which so many alarms come in a week."""
    decades = np.log10(rate)
    loudness: FloatArray = ONE_A_WEEK - decades * np.where(decades > 0, OFTENER, RARER)
    return loudness
