"""Walk: moving levels, a profile of the day and what they leave over, one sample after the other.

The same lines walk one series through a stretch of time as plain numbers, and many series through a step as arrays:
only +, - and * and look-ups by index happen, which give the same bits in both.

Refuses branches: what hangs on age stands in tables.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from detectors.base import FloatArray, IntArray

SLOTS = 48
SLOT_MS = 1_800_000
LEVEL_SHARE, FAST_SHARE, SLOT_SHARE, NATURE_SHARE = 0.05, 0.15, 0.05, 0.002
# Visits after which a slot's usual value counts.
SETTLED_VISITS = 2
# The state of a walk: both levels, the mean, the usual distances from it and from the profile, the last value, and the
# mean step with its sign and without.
STATE = ("level", "fast", "mean", "spread", "left", "last", "net", "travel")
MOST_VISITS = 250
_VISITS = np.arange(MOST_VISITS + 1)
# By the number of visits to a slot: what the next one weighs, and the number after it.
WEIGHTS = np.maximum(SLOT_SHARE, 1.0 / (_VISITS + 1))
AFTER = np.minimum(_VISITS + 1, MOST_VISITS).astype(np.uint8)
SETTLED = (_VISITS >= SETTLED_VISITS).astype(np.float64)
_TABLES = (WEIGHTS.tolist(), AFTER.tolist(), SETTLED.tolist())


class Path(NamedTuple):
    """Before each sample [m, n]: both levels, the profile, visits to its slot; and the fast level after it."""

    level: FloatArray
    fast: FloatArray
    profile: FloatArray
    visits: IntArray
    after: FloatArray


def slots(times: IntArray) -> IntArray:
    """The half hour of the day, UTC."""
    half_hours: IntArray = times // SLOT_MS
    # numpy divides many times faster than it takes rests
    half_hours -= half_hours // SLOTS * SLOTS
    return half_hours


def shares(samples: IntArray, length: int) -> list[list[Any]]:
    """What each of `length` samples after `samples` [m] weighs in the three means: as in the plain mean at first.

    By sample: arrays [m], or plain numbers where one is enough.
    """
    least = (LEVEL_SHARE, FAST_SHARE, NATURE_SHARE)
    if NATURE_SHARE * int(samples.min()) >= 1.0:
        return [[share] * length for share in least]
    first = 1.0 / (samples + np.arange(1, length + 1)[:, None])
    every = [np.maximum(share, first) for share in least]
    return [each[:, 0].tolist() if samples.size == 1 else list(each) for each in every]


def walk(
    values: Sequence[Any],
    places: Sequence[Any],
    weights: Sequence[Sequence[Any]],
    start: Sequence[Any],
    tables: Sequence[Any],
    *,
    single: bool,
    follow: bool,
) -> tuple[list[list[Any]], tuple[Any, ...]]:
    """Go through samples: `values`, `places` in the tables (profile, visits) and the three `weights`, by sample.

    Returns the fields of `Path` by sample, and the `STATE` at the end. Changes the tables where it follows.
    """
    profile, visits = tables
    slow, fast, mean, spread, left, last, net, travel = start
    slot_weights, slot_after, settled = _TABLES if single else (WEIGHTS, AFTER, SETTLED)
    out: list[list[Any]] = [[], [], [], [], []]
    levels, fasts, profiles, seen, afters = out
    for value, place, slow_share, fast_share, share in zip(values, places, *weights, strict=True):
        usual, count = profile[place], visits[place]
        levels.append(slow)
        fasts.append(fast)
        profiles.append(usual)
        seen.append(count)
        moved = fast + fast_share * (value - fast)
        afters.append(moved)
        if follow:
            slow = slow + slow_share * (value - slow)
            fast = moved
            profile[place] = usual + slot_weights[count] * (value - usual)
            visits[place] = slot_after[count]
            spread = spread + share * (abs(value - mean) - spread)
            mean = mean + share * (value - mean)
            left = left + share * settled[count] * (abs(value - usual) - left)
            step = value - last
            net = net + share * (step - net)
            travel = travel + share * (abs(step) - travel)
            last = value
    return out, (slow, fast, mean, spread, left, last, net, travel)
