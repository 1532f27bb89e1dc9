"""Trial: what the conformance suite feeds to detectors, how it feeds it, and how it compares what they say.

The samples are at a quarter of an hour, from a formula: no randomness at run time. A plain detector gets three series
of two and a half days; one over groups gets two groups of three for half as long, each section of theirs in one call.

Refuses to judge: that is `checks`.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from detectors.base import Detector, FloatArray, IntArray, Scores

Factory: TypeAlias = Callable[[], Detector]
Samples: TypeAlias = tuple[IntArray, IntArray, FloatArray]

SERIES = 3
GROUPS = 2
STEPS, GROUP_STEPS = 240, 120
STEP_MS = 900_000
FIELDS = ("raw", "score", "expected", "low", "high", "reason")
# Sums over a group's members in another order differ in their last bits.
SAME = 1e-9


def grouped(factory: Factory) -> bool:
    """Whether this makes detectors over groups."""
    return hasattr(factory(), "assign")


def width(factory: Factory) -> int:
    """Return how many series this detector is tried on."""
    return GROUPS * SERIES if grouped(factory) else SERIES


def steps(factory: Factory) -> int:
    """Return how many samples each series has."""
    return GROUP_STEPS if grouped(factory) else STEPS


def samples(factory: Factory, seed: int = 1) -> Samples:
    """Return noise on a daily rhythm with a few spikes, all series in turn, in time order."""
    series, count = width(factory), steps(factory)
    random = np.random.default_rng(seed)
    step = np.arange(count)
    daily = 10.0 * np.sin(2 * np.pi * step / 96)
    values = 100.0 + daily[:, None] + random.normal(size=(count, series))
    values[random.integers(0, count, 6), random.integers(0, series, 6)] += 40.0
    rows = np.tile(np.arange(series), count)
    return rows, np.repeat(step * STEP_MS, series), values.ravel()


def part(given: Samples, chosen: IntArray | slice) -> Samples:
    """Return some of the samples."""
    rows, times, values = given
    return rows[chosen], times[chosen], values[chosen]


def made(factory: Factory, rows: IntArray | None = None, capacity: int = 0) -> Detector:
    """Return a new detector with `rows`, or as many as it is tried on; three after the other are a group."""
    detector = factory()
    rows = np.arange(width(factory)) if rows is None else rows
    detector.grow(max(capacity, int(rows.max()) + 1))
    told(detector, rows, np.arange(rows.size) // SERIES)
    return detector


def told(detector: Detector, rows: IntArray, groups: IntArray) -> None:
    """Tell a detector over groups who belongs to whom."""
    assign = getattr(detector, "assign", None)
    if assign:
        assign(rows, groups)


def fed(detector: Detector, given: Samples, cuts: list[int]) -> Scores:
    """Feed `given` in calls that end at `cuts`, and join the scores."""
    ends = [*cuts, given[0].size]
    calls = [slice(start, end) for start, end in zip([0, *cuts], ends, strict=True)]
    scores = [detector.update(*part(given, call)) for call in calls]
    return Scores(*(np.concatenate([getattr(s, field) for s in scores]) for field in FIELDS))


def equal(expected: Scores, actual: Scores, promise: str, *, within: float = 0.0) -> None:
    """Assert that all fields are the same bits, or as near as `within`; NaN is like NaN."""
    for field in FIELDS:
        one, other = getattr(expected, field), getattr(actual, field)
        same = np.array_equal(one, other, equal_nan=field != "reason")
        if within and not same:
            same = bool(np.allclose(one, other, within, within, equal_nan=True))
        assert same, f"{promise}: {field} differs"


def taken(scores: Scores, chosen: IntArray | slice) -> Scores:
    """Return the scores of some samples."""
    return Scores(*(getattr(scores, field)[chosen] for field in FIELDS))
