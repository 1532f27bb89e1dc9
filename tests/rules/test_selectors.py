"""What selectors pick and what they see of it."""

import pytest

from streams.rules.plan import compile_expression
from tests.rules.conftest import Evaluate, Load

SERIES = {
    'm{i="a",job="x"}': "1",
    'm{i="b"}': "2",
    'n{i="a"}': "3",
    'm{i="ab"}': "4",
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('m{i="a"}', {1.0}),
        ('m{i!="a"}', {2.0, 4.0}),
        ('m{i=~"a.*"}', {1.0, 4.0}),
        ('m{i!~"a|b"}', {4.0}),
        ('m{job=""}', {2.0, 4.0}),
        ('m{job!=""}', {1.0}),
        ('m{job=~"x|"}', {1.0, 2.0, 4.0}),
        ('m{nope="x"}', set()),
        ('{__name__=~"n|o"}', {3.0}),
        ('{i="a"}', {1.0, 3.0}),
    ],
)
def test_matchers_pick_as_prometheus_does(
    load: Load, evaluate: Evaluate, expression: str, expected: set[float]
) -> None:
    """Four operators, anchored, a missing label being an empty one."""
    assert expected == set(evaluate(load(SERIES), expression, 0).values())


@pytest.mark.parametrize(
    ("at_s", "expected"),
    [(0, {"m": 1.0}), (299, {"m": 1.0}), (299.999, {"m": 1.0}), (300, {})],
)
def test_look_back_is_five_minutes_open_at_the_left(
    load: Load, evaluate: Evaluate, at_s: float, expected: dict[str, float]
) -> None:
    """A sample exactly five minutes old is not seen."""
    assert expected == evaluate(load({"m": "1"}), "m", at_s)


def test_a_stale_series_is_gone_at_once(load: Load, evaluate: Evaluate) -> None:
    """No look-back over a stale marker, and the series returns with its next sample."""
    store = load({"m": "1 stale _ 4"})

    found = [evaluate(store, "m", at) for at in (14, 15, 30, 45)]

    assert [{"m": 1.0}, {}, {}, {"m": 4.0}] == found


def test_an_offset_looks_at_the_past(load: Load, evaluate: Evaluate) -> None:
    """`offset` moves instants and windows alike."""
    store = load({"m": "1 2 3 4 5"})

    assert {"m": 3.0} == evaluate(store, "m offset 30s", 60)
    assert {"": 2.5} == evaluate(store, "avg_over_time(m[30s] offset 30s)", 60)


def test_a_window_is_open_at_the_left(load: Load, evaluate: Evaluate) -> None:
    """Four samples lie in one minute at 15 s, not five; a window as long as a step holds one."""
    store = load({"m": "1+1x20"})

    assert [4.0] == list(evaluate(store, "count_over_time(m[1m])", 120).values())
    assert [1.0] == list(evaluate(store, "count_over_time(m[15s])", 120).values())


def test_series_that_come_later_are_picked(load: Load) -> None:
    """A plan notices series that are added, and rows that were retired and used again."""
    plan = compile_expression('m{i="a"}')
    store = load({'m{i="b"}': "1"})
    assert [] == plan.evaluate(store, 0).values.tolist()
    store.retire(1)
    other = load({'m{i="a"}': "7"})
    columns = other.snapshot()
    store.restore(columns)

    assert [7.0] == plan.evaluate(store, 0).values.tolist()


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[[:alpha:]]", {1.0, 2.0}),
        ("\\\\pL+", {1.0, 2.0, 4.0}),
        ("A", set()),
        ("(?i)A", {1.0}),
        ("a\\\\z", {1.0}),
        ("a$", {1.0}),
        ("\\\\d", {5.0}),
        (".", {1.0, 2.0, 5.0, 6.0, 7.0}),
    ],
)
def test_patterns_are_read_as_re2_reads_them(
    load: Load, evaluate: Evaluate, pattern: str, expected: set[float]
) -> None:
    """Classes, flags and anchors are Prometheus's: digits are ASCII, a dot matches a newline too."""
    store = load({**SERIES, 'm{i="7"}': "5", 'm{i="\u0663"}': "6", 'm{i="\n"}': "7"})

    assert expected == set(evaluate(store, f'm{{i=~"{pattern}"}}', 0).values())
