"""EWMA: half-lives, and what wild values may do."""

import numpy as np
import pytest

from detectors import Detector, create


def fed(detector: Detector, times: np.ndarray, values: np.ndarray) -> float:
    """Feed one row and return its mean."""
    detector.grow(1)
    detector.update(np.zeros(len(values), np.int64), times, values)
    return float(detector.snapshot()["mean"][0])


@pytest.mark.parametrize("half_life", [10.0, 100.0])
def test_half_life_in_samples(half_life: float) -> None:
    """One half-life after a change the mean has gone half of the way."""
    values = np.concatenate([np.tile([0.0, 10.0], 500), np.full(int(half_life), 10.0)])
    detector = create("ewma", {"half_life_samples": half_life})
    assert fed(detector, np.arange(values.size), values) == pytest.approx(7.5, abs=0.4)


def test_half_life_in_seconds_does_not_hang_on_the_step() -> None:
    """However often a signal is sampled, one half-life after a change the mean has gone half of the way."""
    means = []
    for step_ms in (1000, 2000, 5000):
        times = np.arange(0, 900_000, step_ms)
        detector = create("ewma", {"half_life_seconds": 60.0})
        swinging = 4.0 + times // 10_000 % 2 * 4.0
        means.append(fed(detector, times, np.where(times < 840_000, swinging, 8.0)))
    assert means == pytest.approx([7.0, 7.0, 7.0], abs=0.25)


def test_repeated_times_add_nothing() -> None:
    """With a half-life in seconds, an old series learns nothing from samples at one and the same time."""
    detector = create("ewma", {"half_life_seconds": 60.0, "warm_up_samples": 10})
    before = fed(detector, np.arange(1000) * 1000, np.tile([1.0, 2.0], 500))
    after = fed(detector, np.full(5, 999_000), np.full(5, 2.0))
    assert after == pytest.approx(before, abs=0.01)


def test_one_wild_value_hardly_moves_the_mean_and_the_band() -> None:
    """After one value a million scales out the mean has moved by less than a tenth of a scale."""
    values = np.random.default_rng(2).normal(100, 1, 500)
    detector = create("ewma", {})
    before = fed(detector, np.arange(500), values)
    spread = float(detector.snapshot()["variance"][0])
    after = fed(detector, np.array([500]), np.array([1e6]))
    assert abs(after - before) < 0.1
    assert float(detector.snapshot()["variance"][0]) < 1.1 * spread


def test_a_lasting_change_is_learnt() -> None:
    """A few hundred samples after a step of eight scales the new level is normal."""
    random = np.random.default_rng(3)
    values = random.normal(100, 1, 1500)
    values[500:] += 8
    detector = create("ewma", {})
    assert fed(detector, np.arange(1500), values) == pytest.approx(108, abs=1.0)
