"""Functions of single values."""

import math

import pytest

from tests.rules.conftest import Evaluate, Load

CASES = {
    "abs(m)": [2.5, 2.4],
    "ceil(m)": [-2.0, 3.0],
    "floor(m)": [-3.0, 2.0],
    "round(m)": [-2.0, 2.0],
    "round(m, 0.5)": [-2.5, 2.5],
    "sgn(m)": [-1.0, 1.0],
    "clamp(m, -1, 1)": [-1.0, 1.0],
    "clamp(m, 1, -1)": [],
    "clamp_min(m, 0)": [0.0, 2.4],
    "clamp_max(m, 0)": [-2.5, 0.0],
    "exp(m * 0)": [1.0, 1.0],
    "sqrt(m * m)": [2.5, 2.4],
    "ln(m * 0 + 1)": [0.0, 0.0],
    "log2(m * 0 + 8)": [3.0, 3.0],
    "log10(m * 0 + 1000)": [3.0, 3.0],
}


@pytest.mark.parametrize("expression", CASES)
def test_functions_of_values(load: Load, evaluate: Evaluate, expression: str) -> None:
    """Of -2.5 and 2.4; halves are rounded up, crossed limits leave nothing."""
    store = load({'m{i="1"}': "-2.5", 'm{i="2"}': "2.4"})

    found = evaluate(store, expression, 0)

    assert CASES[expression] == pytest.approx(list(found.values()))
    assert ['{i="1"}', '{i="2"}'][: len(found)] == list(found)


def test_an_infinite_limit_wins_over_nan(load: Load, evaluate: Evaluate) -> None:
    """Go's Max and Min, and so Prometheus's clamps, say so."""
    store = load({"m": "NaN"})

    assert {"": math.inf} == evaluate(store, "clamp_min(m, Inf)", 0)
    assert {"": -math.inf} == evaluate(store, "clamp_max(m, -Inf)", 0)
    assert math.isnan(evaluate(store, "clamp_min(m, 0)", 0)[""])


def test_logarithms_of_what_has_none(load: Load, evaluate: Evaluate) -> None:
    """Of zero -Inf, of less NaN, without a warning."""
    store = load({"m": "0", "n": "-1"})

    assert {"": -math.inf} == evaluate(store, "ln(m)", 0)
    assert math.isnan(evaluate(store, "sqrt(n)", 0)[""])
