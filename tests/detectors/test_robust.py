"""Robust: the windowed median and its scale."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import create
from detectors.robust import middle, middle_distance

EXACT = {"window_samples": 20, "refresh_samples": 1, "warm_up_samples": 4}


@settings(max_examples=30)
@given(st.lists(st.floats(-1e3, 1e3), min_size=5, max_size=60))
def test_median_and_deviation_are_those_of_the_window(values: list[float]) -> None:
    """What is expected is the median of the last window, in its median absolute deviations."""
    detector = create("robust", EXACT)
    detector.grow(1)
    said = detector.update(
        np.zeros(len(values), np.int64), np.arange(len(values)), np.array(values)
    )
    for position in range(2, len(values)):
        window = np.array(values[max(position - 20, 0) : position])
        median = np.median(window)
        assert said.expected[position] == pytest.approx(median)
        typical = np.median(np.abs(window - median))
        if typical > 1e-3 * max(abs(median), 1e-9):
            expected = min(abs(values[position] - median) / (1.4826 * typical), 4096.0)
            assert said.raw[position] == pytest.approx(expected, rel=1e-6, abs=1e-9)


@given(st.lists(st.lists(st.integers(-9, 9), min_size=1, max_size=12), min_size=1, max_size=9))
def test_median_distance_is_that_of_all_distances(rows: list[list[float]]) -> None:
    """Sorted rows of any lengths, ties among them: the median of the distances from the median, to the bit."""
    filled = np.array([len(row) for row in rows])
    ordered = np.full((len(rows), 12), np.inf)
    for cells, row in zip(ordered, rows, strict=True):
        cells[: len(row)] = np.sort(row) * 0.1
    median = middle(ordered, filled)
    expected = [
        np.median(np.abs(cells[:count] - about))
        for cells, count, about in zip(ordered, filled, median, strict=True)
    ]

    assert expected == middle_distance(ordered, filled, median).tolist()


def test_half_of_the_window_may_be_wrong() -> None:
    """With two fifths of the window far out the normal level is still what is expected."""
    values = np.random.default_rng(1).normal(10, 1, 120)
    values[-48:] = 1000.0
    detector = create("robust", {"window_samples": 120})
    detector.grow(1)
    detector.update(np.zeros(120, np.int64), np.arange(120), values)
    said = detector.update(np.array([0]), np.array([120]), np.array([10.0]))
    assert said.expected[0] == pytest.approx(10, abs=2)


def test_mostly_constant_series_have_a_scale() -> None:
    """Where more than half of the window is one value the mean deviation stands in for the median one."""
    values = np.where(np.arange(100) % 10 == 0, 5.0, 0.0)
    detector = create("robust", {"window_samples": 100, "refresh_samples": 1})
    detector.grow(1)
    detector.update(np.zeros(100, np.int64), np.arange(100), values)
    assert detector.snapshot()["scale"][0] == pytest.approx(1.2533 * 0.5)


def test_floors() -> None:
    """The scale of a constant is the relative floor times its level."""
    detector = create("robust", {"relative_floor": 0.01})
    detector.grow(1)
    detector.update(np.zeros(80, np.int64), np.arange(80), np.full(80, 50.0))
    assert detector.snapshot()["scale"][0] == pytest.approx(0.5)


def test_refresh_bounds_the_work_and_not_the_window() -> None:
    """Between refreshes the last median stands; at a refresh it is that of the whole window."""
    values = np.arange(160.0)
    detector = create("robust", {"window_samples": 16, "refresh_samples": 8})
    detector.grow(1)
    said = detector.update(np.zeros(160, np.int64), np.arange(160), values)
    expected = np.repeat(np.arange(0, 160, 8) - 8.5, 8)
    assert said.expected[16:].tolist() == expected[16:].tolist()
