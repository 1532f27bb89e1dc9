"""Quality on simple scenes: what must be found, and what must stay quiet, at the default threshold."""

import numpy as np
import pytest

from detectors import create, threshold_for

MINUTE_MS = 60_000
WEEKLY = threshold_for(1, 7 * 86_400, 60)
TEN_HOURS = {"season_ms": 36_000_000}
SERIES = 20
STEP_DETECTORS = [("ewma", {}), ("robust", {}), ("seasonal", TEN_HOURS)]


def scored(
    name: str, params: dict[str, object], values: np.ndarray, step_ms: int = MINUTE_MS
) -> np.ndarray:
    """Feed values[step, series] and return the scores in the same shape."""
    steps, series = values.shape
    detector = create(name, params)
    detector.grow(series)
    rows = np.tile(np.arange(series), steps)
    times = np.repeat(np.arange(steps) * step_ms, series)
    return detector.update(rows, times, values.ravel()).score.reshape(values.shape)


def noise(steps: int = 5000) -> np.ndarray:
    return 100 + np.random.default_rng(5).normal(size=(steps, SERIES))


@pytest.mark.parametrize(("name", "params"), [("gaussian", {}), *STEP_DETECTORS])
def test_fault_free_noise_is_quiet(name: str, params: dict[str, object]) -> None:
    """5,000 minutes of normal noise at one alarm a week: on average within a factor of two, at most 4."""
    alarms = (scored(name, params, noise()) >= WEEKLY).sum(axis=0)
    asked = 5000 / (7 * 1440)
    assert asked / 2.5 <= alarms.mean() <= asked * 2
    assert alarms.max() <= 4


@pytest.mark.parametrize(("name", "params"), [("gaussian", {}), *STEP_DETECTORS])
@pytest.mark.parametrize("size", [8.0, -8.0])
def test_a_step_is_found_at_once_and_stays_found(
    name: str, params: dict[str, object], size: float
) -> None:
    """A step of eight standard deviations is an alarm within two samples, and for at least ten more."""
    values = noise(2000)
    values[1500:] += size
    alarms = scored(name, params, values) >= WEEKLY
    assert alarms[1500:1502].any(axis=0).all()
    assert alarms[1501:1511].all()


@pytest.mark.parametrize(
    "name",
    ["change_point", "cusum", "extreme", "forecast", "holt_winters", "novelty", "page_hinkley"],
)
def test_the_others_are_quiet_on_noise_and_find_a_step(name: str) -> None:
    """Of 1,200 minutes of noise fewer than one sample a series is an alarm; a step is found within 40."""
    values = noise(1240)
    values[1200:] += 8
    alarms = scored(name, {}, values) >= WEEKLY
    assert alarms[:1200].sum(axis=0).mean() < 1
    assert alarms[1200:1240].any(axis=0).all()


@pytest.mark.parametrize("name", ["ewma", "robust"])
def test_a_step_in_early_life_is_found(name: str) -> None:
    """The prior of the calibration is enough to find a step soon after the warm-up."""
    values = noise(100)
    values[90:] += 8
    assert (scored(name, {}, values)[90:92] >= WEEKLY).any(axis=0).all()


def day(step_minutes: int, days: int = 8) -> np.ndarray:
    """Return a daily sine, peak at 06:00, with noise of a tenth of its swing."""
    steps = 1440 // step_minutes
    curve = 100 + 50 * np.sin(2 * np.pi * np.arange(steps * days) / steps)
    return curve[:, None] + np.random.default_rng(6).normal(0, 5, (steps * days, SERIES))


@pytest.mark.parametrize("step_minutes", [5, 15])
def test_the_right_value_at_the_right_time_is_quiet(step_minutes: int) -> None:
    """Seven days of a daily rhythm after the first cost about one alarm a series, at most five."""
    threshold = threshold_for(1, 7 * 86_400, step_minutes * 60)
    alarms = (scored("seasonal", {}, day(step_minutes), step_minutes * MINUTE_MS) >= threshold).sum(
        axis=0
    )
    assert alarms.mean() <= 2
    assert alarms.max() <= 5


@pytest.mark.parametrize("step_minutes", [5, 15])
def test_the_right_value_at_the_wrong_time_is_found(step_minutes: int) -> None:
    """The peak's value in the trough is an alarm of seasonal within two samples, and none of robust."""
    values = day(step_minutes)
    trough = 6 * (1440 // step_minutes) + 18 * 60 // step_minutes
    values[trough : trough + 3] = 150
    threshold = threshold_for(1, 7 * 86_400, step_minutes * 60)
    seasonal = scored("seasonal", {}, values, step_minutes * MINUTE_MS)
    robust = scored("robust", {}, values, step_minutes * MINUTE_MS)
    assert (seasonal[trough : trough + 2] >= threshold).any(axis=0).all()
    assert not (robust[trough : trough + 2] >= threshold).any()
