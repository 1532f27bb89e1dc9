"""Functions over time."""

import math

import pytest

from tests.rules.conftest import Evaluate, Load

CASES = {
    "avg_over_time(m[1m])": 4.0,
    "min_over_time(m[1m])": 1.0,
    "max_over_time(m[1m])": 8.0,
    "sum_over_time(m[1m])": 16.0,
    "count_over_time(m[1m])": 4.0,
    "quantile_over_time(0.5, m[1m])": 3.5,
    "stdvar_over_time(m[1m])": 6.5,
    "stddev_over_time(m[1m])": math.sqrt(6.5),
    "present_over_time(m[1m])": 1.0,
}


@pytest.mark.parametrize("expression", CASES)
def test_functions_over_time(load: Load, evaluate: Evaluate, expression: str) -> None:
    """Of 1, 3, 4, 8 in the window (the 99 lies on its open edge); the name goes, the labels stay."""
    store = load({'m{i="a"}': "99 1 3 4 8"})

    found = evaluate(store, expression, 60)

    assert {'{i="a"}': pytest.approx(CASES[expression])} == found


def test_first_and_last_keep_the_name(load: Load, evaluate: Evaluate) -> None:
    """They are samples of the series itself."""
    store = load({'m{i="a"}': "99 1 3 4 8"})

    assert {'m{i="a"}': 8.0} == evaluate(store, "last_over_time(m[1m])", 60)
    assert {'m{i="a"}': 1.0} == evaluate(store, "first_over_time(m[1m])", 60)


def test_sums_over_time_do_not_lose_small_values(load: Load, evaluate: Evaluate) -> None:
    """As Prometheus's compensated sum: 1e100 comes and goes, 2 stays."""
    store = load({"m": "0 1e100 1 -1e100 1"})

    assert {"": 2.0} == evaluate(store, "sum_over_time(m[1m])", 60)


def test_the_argument_of_a_quantile_may_be_computed(load: Load, evaluate: Evaluate) -> None:
    """Any scalar expression will do."""
    store = load({"m": "99 1 3 4 8", "p": "1x9"})

    assert {"": 8.0} == evaluate(store, "quantile_over_time(scalar(p), m[1m])", 60)
    assert {"": 3.5} == evaluate(store, "quantile_over_time(1 / 2, m[1m])", 60)
