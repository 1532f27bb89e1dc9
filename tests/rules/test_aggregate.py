"""Aggregation over series."""

import math

import pytest

from tests.rules.conftest import Evaluate, Load

SERIES = {
    'm{s="x",i="1"}': "1",
    'm{s="x",i="2"}': "3",
    'm{s="y",i="1"}': "10",
}

CASES = {
    "sum(m)": {"": 14.0},
    "sum by (s) (m)": {'{s="x"}': 4.0, '{s="y"}': 10.0},
    "sum without (i) (m)": {'{s="x"}': 4.0, '{s="y"}': 10.0},
    "sum without () (m)": {'{i="1",s="x"}': 1.0, '{i="2",s="x"}': 3.0, '{i="1",s="y"}': 10.0},
    "avg by (s) (m)": {'{s="x"}': 2.0, '{s="y"}': 10.0},
    "min by (s) (m)": {'{s="x"}': 1.0, '{s="y"}': 10.0},
    "max by (i) (m)": {'{i="1"}': 10.0, '{i="2"}': 3.0},
    "count by (nope) (m)": {"": 3.0},
    "count by (__name__) (m)": {"m": 3.0},
    "group(m)": {"": 1.0},
    "stdvar by (s) (m)": {'{s="x"}': 1.0, '{s="y"}': 0.0},
    "quantile by (s) (0.5, m)": {'{s="x"}': 2.0, '{s="y"}': 10.0},
    "sum(m > 100)": {},
    "count(m > 2)": {"": 2.0},
}


@pytest.mark.parametrize("expression", CASES)
def test_groups(load: Load, evaluate: Evaluate, expression: str) -> None:
    """Members, names and labels of groups are Prometheus's; a group without members is none."""
    assert CASES[expression] == evaluate(load(SERIES), expression, 0)


def test_nan_is_skipped_by_extremes_and_kept_by_sums(load: Load, evaluate: Evaluate) -> None:
    """`min` and `max` pass over NaN, `sum` and `avg` do not."""
    store = load({'m{i="1"}': "NaN", 'm{i="2"}': "3"})

    assert {"": 3.0} == evaluate(store, "min(m)", 0)
    assert {"": 3.0} == evaluate(store, "max(m)", 0)
    assert math.isnan(evaluate(store, "sum(m)", 0)[""])
    assert math.isnan(evaluate(store, "avg(m)", 0)[""])


def test_a_sum_does_not_hang_on_the_order_of_arrival(load: Load, evaluate: Evaluate) -> None:
    """The same series, first seen in another order, add up to the same bits."""
    series = {f'm{{i="{i}"}}': f"{0.1 * i} {1e16 / (i + 1)}" for i in range(50)}
    backwards = dict(reversed(series.items()))

    for expression in ("sum(m)", "avg(rate(m[1m]))", "stddev(m)"):
        first = evaluate(load(series), expression, 15)
        second = evaluate(load(backwards), expression, 15)
        assert repr(first) == repr(second)
