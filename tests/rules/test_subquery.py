"""Subqueries and `@`: which steps are asked, and that each is what an evaluation at its time gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import RuleError
from streams.rules.plan import compile_expression
from streams.rules.subquery import steps
from tests.rules.conftest import Evaluate, Load, evaluate_at, make_store


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**7), st.integers(1, 10**6))
def test_steps_are_the_multiples_in_a_window_open_at_the_left(
    end_ms: int, range_ms: int, step_ms: int
) -> None:
    """None at its beginning, one at its end if that is a multiple."""
    found = list(steps(end_ms - range_ms, end_ms, step_ms)[:50])

    first = -(-(end_ms - range_ms + 1) // step_ms) * step_ms
    assert found == list(range(first, end_ms + 1, step_ms)[:50])


@pytest.mark.parametrize("at_s", [60, 61, 299])
def test_a_subquery_gathers_what_evaluations_at_its_steps_give(load: Load, at_s: int) -> None:
    """The sum over the steps is the sum of the values."""
    store = load({"m": "1+3x10 _ 7 stale 5 9", 'm{a="b"}': "0+1x30"})
    plan = compile_expression("sum(rate(m[1m]))")
    expected = sum(
        value
        for t_ms in steps(at_s * 1000 - 120_000, at_s * 1000, 20_000)
        for value in plan.evaluate(store, t_ms).values.tolist()
    )

    found = evaluate_at(store, "sum_over_time(sum(rate(m[1m]))[2m:20s])", at_s)

    assert expected == pytest.approx(sum(found.values()))


def test_a_subquery_without_a_step_has_the_default_interval(load: Load) -> None:
    """15 s unless who compiles says otherwise."""
    store = load({"m": "0+1x40"})
    expression = "count_over_time(m[1m:])"

    by_default = compile_expression(expression).evaluate(store, 300_000)
    other = compile_expression(expression, subquery_step_ms=5000).evaluate(store, 300_000)

    assert ([4.0], [12.0]) == (by_default.values.tolist(), other.values.tolist())


def test_at_the_end_is_the_time_of_the_whole_evaluation(load: Load, evaluate: Evaluate) -> None:
    """Also within a subquery, whose steps do not move it."""
    store = load({"m": "0+1x40"})

    assert {"": 20.0} == evaluate(store, "max_over_time((m @ end())[1m:15s] offset 5m)", 300)
    assert {"": 20.0} == evaluate(store, "min_over_time((m @ start())[1m:15s])", 300)
    assert {"": 16.0} == evaluate(store, "max_over_time(m[1m:15s] @ end() offset 1m)", 300)


def test_falls_between_series_are_no_resets(load: Load, evaluate: Evaluate) -> None:
    """The end of one series and the beginning of the next lie side by side in the columns."""
    store = load({'m{i="a"}': "100+1x20", 'm{i="b"}': "1+1x20"})

    assert {'{i="a"}': 0.0, '{i="b"}': 0.0} == evaluate(store, "resets(m[2m:15s])", 300)
    assert {'{i="a"}': 8.0, '{i="b"}': 8.0} == evaluate(store, "increase(m[2m:15s])", 300)


def test_series_that_lose_their_names_must_differ_over_all_steps(load: Load) -> None:
    """A range function refuses two that were never there at once; an operator joins them, as in Prometheus."""
    store = load({"m": "1 2 3 stale", "n": "_ _ _ _ _ _ _ _ _ _ 5 6 7"})
    both = '{__name__=~"m|n"}'

    with pytest.raises(RuleError, match="same labelset"):
        evaluate_at(store, f"sum_over_time(rate({both}[30s])[5m:15s])", 180)
    assert {"": 6.0} == evaluate_at(store, f"count_over_time((-{both})[5m:15s])", 180)


def test_an_empty_subquery_yields_nothing() -> None:
    """No series at any step."""
    found = compile_expression("sum_over_time(m[1m:5s])").evaluate(make_store({}), 0)

    assert np.zeros(0).tolist() == found.values.tolist()
