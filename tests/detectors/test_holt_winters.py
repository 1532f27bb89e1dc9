"""Holt-Winters: the recursion, the damped trend and the season."""

import numpy as np
import pytest

from detectors import create
from detectors.holt_winters import HoltWintersSettings, growth
from schemas.errors import ConfigError

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


@pytest.mark.parametrize("shares", [{}, {"season_share": 0.3}])
def test_errors_fade_from_season_to_season(shares: dict[str, float]) -> None:
    """Sixty seasons after a spike next to nothing of it is left."""
    detector = create("holt_winters", {"season_ms": 8 * STEP_MS, "slots": 8, **shares})
    detector.grow(1)
    values = np.zeros(62 * 8)
    values[12] = 1e6
    times = np.arange(values.size) * STEP_MS
    said = detector.update(np.zeros(values.size, np.int64), times, values)
    assert np.isfinite(said.raw).all()
    assert np.abs(said.expected[-8:]).max() < 1e3


@pytest.mark.parametrize(
    "shares",
    [
        {"trend_share": 0.0, "damping": 0.98},
        {"level_share": 0.5, "trend_share": 0.0, "season_share": 0.9},
        {"level_share": 1.0, "trend_share": 1.0, "season_share": 0.0},
    ],
)
def test_shares_that_let_errors_fade_are_taken(shares: dict[str, float]) -> None:
    """Without a trend, or without what the season learns, there is nothing to enlarge."""
    create("holt_winters", {"season_ms": 86_400_000, **shares})


@pytest.mark.parametrize(
    "shares",
    [
        {"damping": 0.98},
        {"season_share": 0.9},
        {"level_share": 0.3, "trend_share": 0.1, "season_share": 0.3},
        {"level_share": 1.0, "trend_share": 1.0, "season_share": 1.0},
    ],
)
def test_shares_that_let_errors_grow_are_refused(shares: dict[str, float]) -> None:
    """What would become NaN after years is told at the start."""
    with pytest.raises(ConfigError, match="from season to season"):
        create("holt_winters", {"season_ms": 86_400_000, **shares})


@pytest.mark.parametrize("slots", [7, 24, 96])
@pytest.mark.parametrize("trend_share", [0.001, 0.01, 0.1])
def test_the_growth_is_that_of_the_recursion(slots: int, trend_share: float) -> None:
    """What an error has become after many seasons, worked out step by step, does not exceed it."""
    settings = HoltWintersSettings(
        season_ms=1, slots=slots, trend_share=trend_share, damping=0.98, season_share=0.3
    )
    level, trend, profile, peaks = 1.0, 0.0, [0.0] * slots, []
    for _ in range(120):
        peak = 0.0
        for slot, usual in enumerate(profile):
            error = -(level + 0.98 * trend + usual)
            level, trend = level + 0.98 * trend + 0.1 * error, 0.98 * trend + trend_share * error
            profile[slot] += 0.3 * error
            peak = max(peak, abs(error))
        peaks.append(peak)
    assert (peaks[119] / peaks[59]) ** (1 / 60) <= growth(settings) + 1e-3


def test_shares_without_a_season_are_all_sound() -> None:
    """There the bounds of each share see to it."""
    shares = {"level_share": 1.0, "trend_share": 1.0, "damping": 1.0}
    detector = create("holt_winters", shares)
    detector.grow(1)
    values = np.random.default_rng(1).normal(size=2000)
    values[1000] = 1e9
    times = np.arange(2000) * STEP_MS
    said = detector.update(np.zeros(2000, np.int64), times, values)
    assert np.abs(said.expected[-1]) < 1e3
