"""Holt-Winters: the recursion, the damped trend and the season."""

import numpy as np
import pytest

from detectors import create

STEP_MS = 60_000


def test_forecasts_are_those_of_the_recursion() -> None:
    """Without a season what is expected is Holt's damped linear forecast, step by step."""
    values = np.random.default_rng(1).normal(100, 1, 200)
    # Never ready, so never cut.
    detector = create("holt_winters", {"warm_up_samples": 1000})
    detector.grow(1)
    said = detector.update(np.zeros(200, np.int64), np.arange(200) * STEP_MS, values)
    level, trend = values[0], 0.0
    for step in range(1, 200):
        forecast = level + 0.98 * trend
        assert said.expected[step] == pytest.approx(forecast)
        error = values[step] - forecast
        level, trend = forecast + 0.1 * error, 0.98 * trend + 0.01 * error


def test_expects_the_season_and_its_trend() -> None:
    """From the third season on a rising wave is forecast to within its noise."""
    step = np.arange(12 * 240)
    wave = 100 + 20 * np.sin(2 * np.pi * step / 240) + step / 240
    values = wave + np.random.default_rng(2).normal(size=step.size)
    params = {"season_ms": 240 * STEP_MS, "slots": 48}
    detector = create("holt_winters", params)
    detector.grow(1)
    said = detector.update(np.zeros(step.size, np.int64), step * STEP_MS, values)
    assert np.isnan(said.expected[:240]).all()
    error = said.expected[6 * 240 :] - wave[6 * 240 :]
    assert np.sqrt(np.mean(error**2)) < 1.5


def test_a_slot_first_seen_later_is_learnt_then() -> None:
    """A slot that the first season had no sample in says nothing once, and is expected afterwards."""
    step = np.arange(6 * 48)
    values = 100 + 20.0 * (step % 48 >= 24)
    kept = (step >= 96) | (step % 48 < 24)
    detector = create("holt_winters", {"season_ms": 48 * STEP_MS, "slots": 48})
    detector.grow(1)
    said = detector.update(np.zeros(kept.sum(), np.int64), step[kept] * STEP_MS, values[kept])
    first = said.expected[48 + 24 : 48 + 48]
    assert np.isnan(first).all()
    assert said.expected[-24:] == pytest.approx(120, abs=3)
