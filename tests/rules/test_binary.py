"""Operators, matching, and what Prometheus refuses."""

import pytest

from schemas.errors import RuleError
from tests.rules.conftest import Evaluate, Load

SERIES = {
    'a{i="1",s="x"}': "1",
    'a{i="2",s="x"}': "2",
    'a{i="1",s="y"}': "10",
    'b{i="1",s="x"}': "4",
    'b{i="2",s="x"}': "0",
    'd{i="1",s="x"}': "5",
    'c{s="x",team="red"}': "100",
    'c{s="z",team="blue"}': "200",
}
X1, X2, Y1 = '{i="1",s="x"}', '{i="2",s="x"}', '{i="1",s="y"}'

CASES = {
    "a + 1": {X1: 2.0, X2: 3.0, Y1: 11.0},
    "1 - a": {X1: 0.0, X2: -1.0, Y1: -9.0},
    "-a": {X1: -1.0, X2: -2.0, Y1: -10.0},
    "2 ^ 3 ^ 2": {"": 512.0},
    "-2 ^ 2": {"": -4.0},
    "-5 % 3": {"": -2.0},
    "1 > bool 2": {"": 0.0},
    "a > 1": {f"a{X2}": 2.0, f"a{Y1}": 10.0},
    "1 < a": {f"a{X2}": 2.0, f"a{Y1}": 10.0},
    "a > bool 1": {X1: 0.0, X2: 1.0, Y1: 1.0},
    "a / b": {X1: 0.25, X2: float("inf")},
    "a < b": {f"a{X1}": 1.0},
    "a < bool b": {X1: 1.0, X2: 0.0},
    'a{i="1"} + on (s) b{i="1"}': {'{s="x"}': 5.0},
    'a{i="2"} + ignoring (i) b{i="1"}': {'{s="x"}': 6.0},
    'a{i="1"} > ignoring (s) b{i="2"}': {},
    "a * on (s) group_left c": {X1: 100.0, X2: 200.0},
    "a * on (s) group_left (team) c": {
        '{i="1",s="x",team="red"}': 100.0,
        '{i="2",s="x",team="red"}': 200.0,
    },
    "c * on (s) group_right () a": {X1: 100.0, X2: 200.0},
    "c - on (s) group_right () a": {X1: 99.0, X2: 98.0},
    "c > on (s) group_right () a": {f"a{X1}": 100.0, f"a{X2}": 100.0},
    "a and b": {f"a{X1}": 1.0, f"a{X2}": 2.0},
    "a and on (s) c": {f"a{X1}": 1.0, f"a{X2}": 2.0},
    "a unless b": {f"a{Y1}": 10.0},
    "a unless on (s) c": {f"a{Y1}": 10.0},
    "a or b": {f"a{X1}": 1.0, f"a{X2}": 2.0, f"a{Y1}": 10.0},
    "b or a": {f"b{X1}": 4.0, f"b{X2}": 0.0, f"a{Y1}": 10.0},
    "a and on () c": {f"a{X1}": 1.0, f"a{X2}": 2.0, f"a{Y1}": 10.0},
    "a or nope": {f"a{X1}": 1.0, f"a{X2}": 2.0, f"a{Y1}": 10.0},
    "a + nope": {},
    "(a > 1) * (b + 1)": {X2: 2.0},
    '{__name__=~"a|d"} >= on (__name__, s, i) {__name__=~"a|d"}': {
        f"a{X1}": 1.0,
        f"a{X2}": 2.0,
        f"a{Y1}": 10.0,
        f"d{X1}": 5.0,
    },
    '{__name__=~"a|d"} * on (__name__, s, i) ({__name__=~"a|d"} > 4)': {Y1: 100.0, X1: 25.0},
}


@pytest.mark.parametrize("expression", CASES)
def test_operators(load: Load, evaluate: Evaluate, expression: str) -> None:
    """Values, labels and names of results are Prometheus's."""
    assert CASES[expression] == evaluate(load(SERIES), expression, 0)


REFUSED = {
    '{__name__=~"a|d"} * on (__name__, s, i) {__name__=~"a|d"}': "metrics with the same labelset",
    '{__name__=~"a|d"} > bool on (__name__, s, i) {__name__=~"a|d"}': "with the same labelset",
    "a * on (s) b": "found duplicate series for the match group",
    "c * on (s) a": "on the right hand-side",
    "a * on (s) c": "many-to-one matching must be explicit",
    "a * on (s) group_right c": "on the left hand-side",
    "a * on (s) group_left (i) c": "grouping labels must ensure unique matches",
    '{__name__=~"a|b"} + 1': "vector cannot contain metrics with the same labelset",
    '-{__name__=~"a|b"}': "vector cannot contain metrics with the same labelset",
}


@pytest.mark.parametrize("expression", REFUSED)
def test_ambiguous_matches_are_refused(load: Load, evaluate: Evaluate, expression: str) -> None:
    """Results that could be one thing or another are errors, in Prometheus's words."""
    with pytest.raises(RuleError, match=REFUSED[expression]):
        evaluate(load(SERIES), expression, 0)


def test_ranges_of_two_names_must_not_fall_together(load: Load, evaluate: Evaluate) -> None:
    """A function that takes names away refuses two series that differ by name only."""
    store = load({"a": "1 2", "b": "1 2"})

    with pytest.raises(RuleError, match="same labelset"):
        evaluate(store, 'rate({__name__=~"a|b"}[1m])', 15)


def test_a_match_may_change_from_tick_to_tick(load: Load, evaluate: Evaluate) -> None:
    """`group_left` takes its labels from the partner of the moment."""
    store = load(
        {
            "a": "1x3",
            'c{team="red"}': "1 stale",
            'c{team="blue"}': "_ 2 2",
        }
    )
    expression = "a * on () group_left (team) c"

    assert {'{team="red"}': 1.0} == evaluate(store, expression, 0)
    assert {'{team="blue"}': 2.0} == evaluate(store, expression, 15)
