"""Forecast: the weights that are learnt, and values that are odd only where they stand."""

import numpy as np
import pytest

from detectors import create


def process(steps: int) -> np.ndarray:
    """Return a second-order autoregression around 100: 1.2 and -0.6 of the last two values."""
    random = np.random.default_rng(1)
    values = np.zeros(steps)
    for step in range(2, steps):
        values[step] = 1.2 * values[step - 1] - 0.6 * values[step - 2] + random.normal()
    return 100 + values


def test_the_weights_are_found() -> None:
    """After 3,000 samples of a known process its two weights are learnt to a tenth, and the error is its noise."""
    values = process(3000)
    detector = create("forecast", {"lags": 2})
    detector.grow(1)
    said = detector.update(np.zeros(3000, np.int64), np.arange(3000), values)
    assert detector.snapshot()["weights"][0, 1:] == pytest.approx([1.2, -0.6], abs=0.1)
    assert np.std(said.expected[1000:] - values[1000:]) == pytest.approx(1.0, abs=0.1)


def test_with_nothing_forgotten_it_is_ridge_regression() -> None:
    """With forgetting 1 the inverse is that of the ridge regression on all standardised lags."""
    values = process(300)
    detector = create("forecast", {"lags": 2, "forgetting": 1.0, "warm_up_samples": 10_000})
    detector.grow(1)
    gram = np.eye(3)
    for step, value in enumerate(values.tolist()):
        kept = detector.snapshot()
        spread = max(np.sqrt(kept["variance"][0]), 1e-4 * abs(kept["mean"][0]), 1e-12)
        lags = np.clip((kept["lags"][0] - kept["mean"][0]) / spread, -8, 8)
        inputs = np.array([1.0, *lags])
        gram += np.outer(inputs, inputs)
        detector.update(np.array([0]), np.array([step]), np.array([value]))
    inverse = detector.snapshot()["inverse"][0].reshape(3, 3)
    assert inverse == pytest.approx(np.linalg.inv(gram), rel=1e-6, abs=1e-10)


def test_an_ordinary_value_at_the_wrong_place_is_found() -> None:
    """In a fast wave the value of the crest is odd in the trough, to the forecast and not to the median."""
    step = np.arange(2000)
    values = 100 + 10 * np.sin(2 * np.pi * step / 20)
    values += np.random.default_rng(2).normal(0, 0.3, 2000)
    values[1915] = 110
    score = {}
    for name in ("forecast", "robust"):
        detector = create(name, {})
        detector.grow(1)
        score[name] = detector.update(np.zeros(2000, np.int64), step, values).score[1915]
    assert score["forecast"] > 0.9999
    assert score["robust"] < 0.99


def test_constants_do_not_wind_up() -> None:
    """A constant for 50,000 samples leaves the inverse bounded, so the next values are not forecast wildly."""
    detector = create("forecast", {"lags": 4, "forgetting": 0.95})
    detector.grow(1)
    detector.update(np.zeros(5000, np.int64), np.arange(5000), np.full(5000, 7.0))
    assert np.abs(detector.snapshot()["inverse"]).max() < 1e4
    said = detector.update(np.zeros(3, np.int64), np.arange(3), np.array([7.0, 7.1, 7.0]))
    assert said.expected == pytest.approx(7.0, abs=0.2)
