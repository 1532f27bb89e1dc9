"""Rates and their kin, computed by hand from Prometheus's rules."""

import math

import pytest

from tests.rules.conftest import Evaluate, Load

CASES = {
    # Samples 5 .. 8 at 75 .. 120 s in (60, 120]: 3 over 45 s; the start is 15 s away, under 1.1 * 15 s.
    "the left edge is reached by extrapolation": ("1+1x20", "increase(m[1m])", 120, 4.0),
    "a rate is the increase by the second": ("1+1x20", "rate(m[1m])", 120, 4.0 / 60),
    # Evaluated 7 s later, samples 75 .. 120 in (67, 127]: 3 * (45 + 8 + 7) / 45.
    "both edges are reached": ("1+1x20", "increase(m[1m])", 127, 4.0),
    # Series from 60 s on: first sample 60 s after the start, so half a step is added there: 3 * (45 + 7.5) / 45.
    "far edges add half a step": ("_x3 10+1x3", "increase(m[2m])", 105, 3 * 52.5 / 45),
    # As above, but the line meets zero 5 s before the first sample: value 1/3 a second.
    "a counter does not begin below zero": ("_x3 1+3x3", "increase(m[2m])", 105, 9 * 50 / 45),
    "a gauge may": ("_x3 1+3x3", "delta(m[2m])", 105, 9 * 52.5 / 45),
    # 10, 12, then reset to 1, 3: 12 - 10 + 12 is lost and won: 3 - 10 + 12 = 5, times 60 / 45.
    "a fall is a reset to zero": ("0 10 12 1 3", "increase(m[1m])", 60, 5 * 60 / 45),
    "a gauge falls": ("0 10 12 1 3", "delta(m[1m])", 60, -7 * 60 / 45),
    "two resets add both values": (
        "0 10 2 5 1",
        "increase(m[1m])",
        60,
        (1 - 10 + 10 + 5) * 60 / 45,
    ),
    "gaps change the mean distance": ("0 1 _ 3 4", "increase(m[1m])", 60, 4.0),
    "resets are counted": ("0 10 2 5 1 1", "resets(m[5m])", 75, 2.0),
    "changes are counted": ("0 1 1 NaN NaN 2", "changes(m[5m])", 75, 3.0),
    "irate takes the last two": ("0 1 5 20", "irate(m[5m])", 45, 1.0),
    "irate after a reset takes the last": ("0 10 3", "irate(m[5m])", 30, 0.2),
    "idelta takes the last two": ("0 10 3", "idelta(m[5m])", 30, -7.0),
    "the slope of a line": ("0+3x8", "deriv(m[2m])", 120, 0.2),
    "the slope of a level": ("7x8", "deriv(m[2m])", 120, 0.0),
    "a line goes on": ("0+3x8", "predict_linear(m[2m], 60)", 120, 36.0),
}


@pytest.mark.parametrize("name", CASES)
def test_rates(load: Load, evaluate: Evaluate, name: str) -> None:
    """Each case says in its name what it shows."""
    values, expression, at_s, expected = CASES[name]

    found = evaluate(load({"m": values.replace("_x3", "_ _ _ _")}), expression, at_s)

    assert [pytest.approx(expected, rel=1e-12)] == list(found.values())


@pytest.mark.parametrize("function", ["rate", "increase", "delta", "irate", "idelta", "deriv"])
def test_one_sample_makes_no_rate(load: Load, evaluate: Evaluate, function: str) -> None:
    """What needs two samples has no value for one."""
    assert {} == evaluate(load({"m": "1 2"}), f"{function}(m[15s])", 15)


def test_the_slope_of_a_level_at_infinity_is_nan(load: Load, evaluate: Evaluate) -> None:
    """As in Prometheus, Inf - Inf is no slope."""
    (slope,) = evaluate(load({"m": "Inf Inf"}), "deriv(m[1m])", 15).values()

    assert math.isnan(slope)


def test_a_stale_marker_in_a_window_is_skipped(load: Load, evaluate: Evaluate) -> None:
    """The marker is no sample: the increase goes on over it."""
    store = load({"m": "0 1 stale 3 4"})

    assert {"": 4.0} == evaluate(store, "increase(m[1m])", 60)
