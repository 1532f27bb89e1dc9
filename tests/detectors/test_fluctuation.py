"""Fluctuation: what comes every day is no news."""

import numpy as np
import pytest

from detectors import create

STEP_MS = 600_000
DAY = 144


def days(count: int) -> np.ndarray:
    """Return noise with a spike each day at step 100."""
    values = 100 + np.random.default_rng(1).normal(size=count * DAY)
    values[100::DAY] += 30
    return values


def scored(values: np.ndarray, **params: object) -> np.ndarray:
    detector = create("fluctuation", params)
    detector.grow(1)
    times = np.arange(values.size) * STEP_MS
    return detector.update(np.zeros(values.size, np.int64), times, values).score


def test_the_daily_spike_is_quiet_and_the_same_at_another_hour_is_not() -> None:
    """A spike of every day is ordinary at its time, within a slot, and odd at another."""
    values = days(8)
    values[7 * DAY + 60] += 30
    values[7 * DAY + 100], values[7 * DAY + 102] = 100, 130
    score = scored(values)
    assert (score[3 * DAY + 100 : 7 * DAY : DAY] < 0.999).all()
    assert score[7 * DAY + 102] < 0.999
    assert score[7 * DAY + 60] > 0.9999


def test_without_days_every_spike_counts() -> None:
    """With `days: 0` the record is left out, and the daily spike is an alarm each time."""
    values = days(4)
    assert (scored(values, days=0)[2 * DAY + 100 :: DAY] > 0.99).all()


def test_days_that_are_over_are_forgotten() -> None:
    """A spike that has not come for longer than the remembered days is news again."""
    values = 100 + np.random.default_rng(2).normal(size=9 * DAY)
    values[2 * DAY + 100] += 30
    values[8 * DAY + 100] += 30
    assert scored(values, days=3)[8 * DAY + 100] > 0.9999
    assert scored(values, days=7)[8 * DAY + 100] < 0.999


@pytest.mark.parametrize("slot", [0, 47])
def test_the_day_is_a_ring(slot: int) -> None:
    """A spike at the beginning or end of a day is known beside it across midnight."""
    values = 100 + np.random.default_rng(3).normal(size=6 * DAY)
    spike = slot * 3 + 1
    values[spike::DAY] += 30
    moved = 4 * DAY + spike + (-3 if slot == 0 else 3)
    values[4 * DAY + spike], values[moved] = 100, 130
    score = scored(values)
    assert score[moved] < 0.999
    assert (score[2 * DAY + spike : 4 * DAY : DAY] < 0.999).all()
