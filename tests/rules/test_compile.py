"""What compiles and what is refused, by name and place."""

import pytest

from schemas.errors import RuleError
from schemas.labels import Matcher, MatchOp
from streams.rules.plan import compile_expression

REFUSED = {
    "sum by (a) (x": "1:12: '\\(' is not closed",
    "x +": "1:4: unexpected end, an expression is wanted",
    "": "1:1: unexpected end, an expression is wanted",
    "a\n  + foo(b)": "2:5: unknown function with name 'foo'",
    "a +\n info(x)": "2:2: function 'info' is not supported",
    "1 + histogram_quantiles(x, 'q', 0.5)": "1:5: function 'histogram_quantiles' is not supported",
    "x @ 100": "1:3: a fixed time after '@' would have to be remembered for ever",
    "sum_over_time(x[5m:1m] @ 100)": "1:24: a fixed time after '@'",
    "x{a='@'} @ 100": "1:10: a fixed time after '@'",
    "x > 1e400": "a number is too big",
    "x offset -5m": "1:3: a negative offset looks after the evaluation",
    "x @ end() offset -1s": "1:11: a negative offset looks after",
    "max_over_time((x offset -2m)[5m:] offset 1m)": "1:18: a negative offset looks after",
    "max_over_time(x[1d:1s])": "a subquery of more than 11000 steps",
    'label_replace(x, "", "a", "b", "c")': "1:1: label_replace cannot write the label ''",
    'label_replace(x, "__tenant__", "a", "b", "c")': "1:1: label_replace cannot write the label",
    'label_replace(x, "a", "b", "c", "(")': "1:1: regular expression '\\(': missing \\)",
    'label_join(x, "a", "-", "")': "1:1: label_join: a label needs a name",
    'count_values("__tenant__", x)': "1:1: count_values cannot write the label",
    'x{a=~"(?=b)"}': "1:7: illegal regex for",
    'x{a="b" or c="d"}': "1:9: 'or' between matchers is not supported",
    "x[5m]": "1:2: a rule needs an instant vector",
    '"text"': "a string has no place here",
    "rate(x)": "1:1: expected type matrix",
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


def test_a_plan_keeps_what_its_subqueries_look_back_on() -> None:
    """Range and offset of every subquery around a selector count; after `@ end()` only its own do."""
    spans = {
        "max_over_time(rate(a[5m])[1h:1m])": 65,
        "max_over_time(rate(a[5m] offset 2m)[1h:1m] offset 10m)": 77,
        "max_over_time(max_over_time(a[10m:1m])[1h:1m])": 75,
        "max_over_time((a offset -3m)[10m:1m] offset 5m)": 17,
        "max_over_time(rate(a[5m] @ end())[1h:1m])": 5,
        "max_over_time(a[10m:1m] @ start() offset 1m)": 16,
    }
    found = {text: compile_expression(text).retention_ms / 60_000 for text in spans}
    assert spans == found


def test_where_the_store_holds_everything_any_time_may_be_named() -> None:
    """Fixed times and offsets into the future, as unit tests and single evaluations may have them."""
    for expression in ("x @ 100", "x offset -5m", "sum_over_time(x[5m:1m] @ 100)"):
        compile_expression(expression, whole=True)
    with pytest.raises(RuleError, match="1:3: a time before 1970 is not supported"):
        compile_expression("x @ -5", whole=True)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a", True),
        ("(a) > 5", True),
        ("5 < -a / 2 + 1", True),
        ("abs(a) >= bool 1", True),
        ("a offset 1m", False),
        ("a @ end()", False),
        ("timestamp(a)", False),
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
