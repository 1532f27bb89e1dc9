"""What compiles and what is refused, by name and place."""

import pytest

from schemas.errors import RuleError
from schemas.labels import Matcher, MatchOp
from streams.rules.plan import compile_expression

REFUSED = {
    "sum by (a) (x": "unclosed left parenthesis",
    "x +": "invalid promql query",
    "": "no expression found",
    "a\n  + foo(b)": "2:5: unknown function with name 'foo'",
    "sort(x)": "1:1: function 'sort' is not supported",
    "1 + topk(3, x)": "1:5: aggregation 'topk' is not supported",
    "rate(x[5m:1m])": "the subquery x\\[5m:1m\\] is not supported",
    "x @ 100": "1:3: the modifier '@' is not supported",
    "x offset -5m": "1:3: a negative offset looks into the future",
    'x{a="b" or c="d"}': "1:9: 'or' between matchers is not supported",
    "x[5m]": "1:2: a rule needs an instant vector",
    '"text"': "a string has no place here",
    "rate(x)": "expected type matrix",
    "x + fill(0) y": "fill values are not supported",
    "(" * 900 + "x" + ")" * 900: "nested too deeply",
    "x offset 1e999": "too big",
    "-" * 100_000 + "x": "more than 1000 operators",
}


@pytest.mark.parametrize("expression", REFUSED)
def test_what_is_not_supported_is_refused_by_name(expression: str) -> None:
    """The message says what, and line and column where they are known."""
    with pytest.raises(RuleError, match=REFUSED[expression]):
        compile_expression(expression)


def test_a_plan_tells_what_it_reads() -> None:
    """Names, matchers and how much of the past it needs."""
    plan = compile_expression('sum(rate(a{x="y"}[10m] offset 1m)) / sum(b)')

    first, second = plan.selectors
    assert ("a", "b") == (first.metric, second.metric)
    assert Matcher("x", MatchOp.EQUAL, "y") in first.matchers
    assert 660_000 == first.span_ms == plan.retention_ms
    assert 300_000 == second.span_ms


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a", True),
        ("(a) > 5", True),
        ("5 < -a / 2 + 1", True),
        ("abs(a) >= bool 1", True),
        ("a offset 1m", False),
        ("a > scalar(b)", False),
        ("a > time()", False),
        ("a > b", False),
        ("rate(a[1m]) > 1", False),
        ("sum(a)", False),
        ("1", False),
    ],
)
def test_which_expressions_can_be_evaluated_on_arrival(expression: str, *, expected: bool) -> None:
    """One instant selector, and nothing but constants beside it."""
    assert expected == compile_expression(expression).is_per_series
