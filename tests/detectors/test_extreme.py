"""Extreme: the fit against scipy's law, the probabilities, and the drift window."""

import numpy as np
import pytest
from scipy.special import erfc
from scipy.stats import genpareto

from detectors import create
from detectors.extreme import moments


@pytest.mark.parametrize("shape", [0.0, 0.1, 0.25])
def test_the_fit_finds_the_law(shape: float) -> None:
    """Of 20,000 excesses from a generalised Pareto law shape and scale are found again."""
    excesses = genpareto.rvs(shape, scale=3.0, size=20_000, random_state=1)
    found, scale = moments(excesses[None, :], np.array([20_000]))
    assert found[0] == pytest.approx(shape, abs=0.05)
    assert scale[0] == pytest.approx(3.0, rel=0.06)


def test_the_fit_counts_filled_cells_alone_and_survives_equal_ones() -> None:
    """Cells behind the filled ones change nothing; equal excesses have the exponential law of their mean."""
    row = np.array([[2.0, 2.0, 2.0, 99.0]])
    assert [x[0] for x in moments(row, np.array([3]))] == [0.0, 2.0]


@pytest.mark.parametrize("direction", ["both", "up"])
def test_probabilities_are_those_of_the_law(direction: str) -> None:
    """The score of exponential noise is its own tail probability within a factor of two, doubled for two sides."""
    values = np.random.default_rng(2).exponential(size=4000)
    detector = create("extreme", {"direction": direction, "first_samples": 400})
    detector.grow(1)
    rows = np.zeros(4000, np.int64)
    detector.update(rows, np.arange(4000), values)
    said = detector.update(np.array([0]), np.array([4000]), np.array([8.0]))
    sides = 2 if direction == "both" else 1
    asked = sides * np.exp(-8.0)
    assert asked / 2 < 1 - said.score[0] < asked * 2
    assert 1 - said.score[0] == pytest.approx(erfc(said.raw[0] / np.sqrt(2)) * sides / 2)


def test_with_a_drift_window_a_spike_in_a_trough_is_found() -> None:
    """On a level that wanders by ten deviations, a spike in the trough is odd to DSPOT and not to SPOT."""
    step = np.arange(1800)
    values = 100 + 10 * np.sin(2 * np.pi * step / 500)
    values += np.random.default_rng(3).normal(size=step.size)
    values[1375] += 12
    score = {}
    for drift in (0, 10):
        detector = create("extreme", {"first_samples": 500, "drift_samples": drift})
        detector.grow(1)
        said = detector.update(np.zeros(step.size, np.int64), step, values)
        score[drift] = said.score[1375]
    assert score[10] > 0.9999
    assert score[0] < 0.99
