"""Seasonal: profile, warm-up and odd clocks."""

import numpy as np
import pytest

from detectors import Reason, create
from detectors.seasonal import DAY_MS, SeasonalSettings

STEP_MS = 10_000
SEASON = 60  # samples of a ten-minute season
TEN_MINUTES = {"season_ms": SEASON * STEP_MS, "slots": 20}


def wave(seasons: int) -> tuple[np.ndarray, np.ndarray]:
    step = np.arange(seasons * SEASON)
    noise = np.random.default_rng(1).normal(size=step.size)
    return step * STEP_MS, 100 + 20 * np.sin(2 * np.pi * step / SEASON) + noise


def test_speaks_after_one_season() -> None:
    """The first season is warm-up; from the second on every slot that was seen speaks."""
    times, values = wave(3)
    detector = create("seasonal", TEN_MINUTES)
    detector.grow(1)
    said = detector.update(np.zeros(times.size, np.int64), times, values)
    assert set(said.reason[:SEASON].tolist()) == {Reason.WARM_UP}
    assert Reason.WARM_UP not in said.reason[SEASON:]


def test_expects_the_profile() -> None:
    """What is expected follows the season to within its noise and the width of a slot."""
    times, values = wave(8)
    detector = create("seasonal", TEN_MINUTES)
    detector.grow(1)
    said = detector.update(np.zeros(times.size, np.int64), times, values)
    error = said.expected[4 * SEASON :] - values[4 * SEASON :]
    assert np.sqrt(np.mean(error**2)) < 3
    assert np.mean(values[4 * SEASON :] > said.high[4 * SEASON :]) < 0.01


def test_follows_a_slow_rise() -> None:
    """A level that rises by a tenth of the swing each season stays expected."""
    times, values = wave(12)
    rising = values + 2.0 * times / (SEASON * STEP_MS)
    detector = create("seasonal", TEN_MINUTES)
    detector.grow(1)
    said = detector.update(np.zeros(times.size, np.int64), times, rising)
    assert np.abs(np.mean(said.expected[-SEASON:] - rising[-SEASON:])) < 2
    assert (said.score[SEASON:] < 0.9999).all()


def test_a_slot_never_seen_says_nothing() -> None:
    """A slot that always fell into a gap is still in warm-up when its first sample comes."""
    times, values = wave(5)
    kept = (times // STEP_MS % SEASON < 30) | (times >= 4 * SEASON * STEP_MS)
    detector = create("seasonal", TEN_MINUTES)
    detector.grow(1)
    said = detector.update(np.zeros(kept.sum(), np.int64), times[kept], values[kept])
    assert set(said.reason[-30:].tolist()) == {Reason.WARM_UP}
    assert Reason.WARM_UP not in said.reason[120:150]


@pytest.mark.parametrize(
    ("season_ms", "slots"),
    [(600_000, 24), (3_600_000, 24), (DAY_MS, 96), (7 * DAY_MS, 672), (30 * DAY_MS, 672)],
)
def test_slots_are_quarter_hours_within_bounds(season_ms: int, slots: int) -> None:
    """Without an order a slot is a quarter of an hour, and there are 24 to 672 of them."""
    assert SeasonalSettings(season_ms=season_ms).slot_count == slots
