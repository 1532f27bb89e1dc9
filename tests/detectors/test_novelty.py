"""Novelty: the nearest earlier value, and the sketch that keeps it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import create


@settings(max_examples=25)
@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=50))
def test_what_is_expected_is_the_nearest_earlier_value(values: list[float]) -> None:
    """As long as the sketch has room the nearest value is exact."""
    detector = create("novelty", {"warm_up_samples": 200})
    detector.grow(1)
    said = detector.update(
        np.zeros(len(values), np.int64), np.arange(len(values)), np.array(values)
    )
    for position in range(1, len(values)):
        nearest = min(abs(values[position] - earlier) for earlier in values[:position])
        assert abs(values[position] - said.expected[position]) == pytest.approx(nearest, abs=1e-9)


def test_rare_values_are_kept_when_the_sketch_is_thinned() -> None:
    """After 5,000 values a sketch of 64 still has the one that was seen once, far from all others."""
    values = np.random.default_rng(1).normal(size=5000)
    values[20] = 50.0
    detector = create("novelty", {"values": 64})
    detector.grow(1)
    detector.update(np.zeros(5000, np.int64), np.arange(5000), values)
    kept = detector.snapshot()["seen"][0]
    assert kept.shape == (64,)
    assert 50.0 in kept
    body = np.sort(kept[np.abs(kept) < 1.5])
    assert np.diff(body).max() < 0.6


def test_a_second_time_is_not_novel() -> None:
    """A level that was there for long is no news when it returns; one never seen is."""
    random = np.random.default_rng(2)
    values = np.where(np.arange(3000) // 300 % 2, 10.0, 0.0) + random.normal(0, 0.1, 3000)
    values[2950], values[2960] = 10.0, 5.0
    detector = create("novelty", {})
    detector.grow(1)
    said = detector.update(np.zeros(3000, np.int64), np.arange(3000), values)
    assert said.score[2950] < 0.99
    assert said.score[2960] > 0.9999


def test_odd_values_are_taken_in_when_there_were_eight() -> None:
    """A new level is novel for eight samples, then known."""
    values = np.random.default_rng(3).normal(size=2000)
    values[1900:] += 50
    detector = create("novelty", {})
    detector.grow(1)
    said = detector.update(np.zeros(2000, np.int64), np.arange(2000), values)
    assert (said.score[1900:1908] > 0.999).all()
    assert abs(said.expected[1908] - values[1908]) < 10
