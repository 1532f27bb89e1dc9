"""Double exponential smoothing, the median absolute deviation, and when extremes were."""

import math
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import RuleError
from tests.rules.conftest import Evaluate, Load, evaluate_at, make_store

values = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20)
factors = st.floats(0.01, 0.99)


def smoothed(found: list[float], level_factor: float, trend_factor: float) -> float:
    """One sample after the other, as the books have it."""
    before, level, slope = 0.0, found[0], found[1] - found[0]
    for at, value in enumerate(found[1:], start=1):
        if at > 1:
            slope = trend_factor * (level - before) + (1 - trend_factor) * slope
        before, level = level, level_factor * value + (1 - level_factor) * (level + slope)
    return level


@given(st.lists(values, min_size=1, max_size=4), factors, factors)
def test_smoothing_is_that_of_each_series_alone(
    series: list[list[float]], level: float, trend: float
) -> None:
    """Series of different lengths side by side do not touch each other."""
    store = make_store({f'm{{i="{i}"}}': " ".join(map(repr, v)) for i, v in enumerate(series)})

    found = evaluate_at(store, f"double_exponential_smoothing(m[1h], {level}, {trend})", 300)

    for i, each in enumerate(series):
        expected = smoothed(each, level, trend)
        assert expected == pytest.approx(found[f'{{i="{i}"}}'], rel=1e-9, abs=1e-6)


def test_holt_winters_is_its_old_name(load: Load, evaluate: Evaluate) -> None:
    """Rule files of Prometheus 2 still have it."""
    store = load({"m": "1 2 4 8"})

    assert evaluate(store, "holt_winters(m[1h], 0.5, 0.5)", 60) == evaluate(
        store, "double_exponential_smoothing(m[1h], 0.5, 0.5)", 60
    )


@pytest.mark.parametrize("factor", ["0", "1", "-1", "2"])
def test_factors_outside_are_errors(load: Load, evaluate: Evaluate, factor: str) -> None:
    """Both lie between 0 and 1."""
    with pytest.raises(RuleError, match="invalid smoothing factor"):
        evaluate(load({"m": "1 2"}), f"double_exponential_smoothing(m[1h], {factor}, 0.5)", 60)


@given(values)
def test_the_deviation_is_that_from_the_median(found: list[float]) -> None:
    """Median of the distances from the median."""
    store = make_store({"m": " ".join(map(repr, found))})
    middle = median(found)

    (deviation,) = evaluate_at(store, "mad_over_time(m[1h])", 300).values()

    assert median(abs(v - middle) for v in found) == pytest.approx(deviation, rel=1e-9, abs=1e-6)


def test_the_deviation_of_what_is_not_a_number_is_none(load: Load, evaluate: Evaluate) -> None:
    """One NaN is enough."""
    (found,) = evaluate(load({"m": "1 NaN 3"}), "mad_over_time(m[1h])", 60).values()

    assert math.isnan(found)


@pytest.mark.parametrize(
    ("function", "expected"),
    [("max", 45.0), ("min", 30.0), ("first", 0.0), ("last", 60.0)],
)
def test_times_are_those_of_the_last_extreme(
    load: Load, evaluate: Evaluate, function: str, expected: float
) -> None:
    """Of equal values the newest counts; NaN is none."""
    store = load({"m": "5 9 1 9 NaN"})

    assert {"": expected} == evaluate(store, f"ts_of_{function}_over_time(m[5m])", 60)
