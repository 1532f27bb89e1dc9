"""Where a text stops being PromQL."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import RuleError
from streams.rules.parse import parse_expression
from streams.rules.syntax import Syntax, tokens
from tests.rules.differential.expressions import Grammar

MALFORMED = {
    "sum(rate(a[5m])) by (b) > > 1": "1:27: unexpected '>', an expression is wanted",
    "sum by (a) (\n  rate(b[5m]\n)": "1:12: '\\(' is not closed",
    "a / sum(rate(b[5m])": "1:8: '\\(' is not closed",
    "rate(a[5m]))": "1:12: unexpected '\\)', an operator is wanted",
    "rate(a[5m],)": "1:12: unexpected '\\)', an expression is wanted",
    "rate(a[5m] b)": "1:12: unexpected 'b', an operator, ',' or '\\)' is wanted",
    "a +\n": "1:4: unexpected end, an expression is wanted",
    "sum by job (a)": "1:8: unexpected 'job', '\\(' is wanted",
    "sum by (job inst) (a)": "1:13: unexpected 'inst', ',' or '\\)' is wanted",
    "a + on(1) b": "1:8: unexpected '1', a label is wanted",
    'a{b="c"': "1:2: '{' is not closed",
    "a{b=c}": "1:5: unexpected 'c', a text in quotes is wanted",
    'a{b-c="d"}': "1:4: unexpected '-', =, !=, =~ or !~ is wanted",
    'a{b="c}': "1:5: a text that is not closed",
    'a{b="c" # why\n d="e"}': "2:2: unexpected 'd', ',' or '}' is wanted",
    "a[5m": "1:2: '\\[' is not closed",
    "a[]": "1:3: unexpected ']', a duration is wanted",
    "a[5 minutes]": "1:5: unexpected 'minutes', ':' or '\\]' is wanted",
    "a[5min]": "1:3: '5min' is neither a number nor a duration",
    "a offset b": "1:10: unexpected 'b', a duration is wanted",
    "a @ b": "1:5: unexpected 'b', a time is wanted",
    "a @ start": "1:10: unexpected end, '\\(' is wanted",
    "a && b": "1:3: unexpected character '&'",
    "1__0": "1:1: '1__0' is neither a number nor a duration",
}
MISTYPED = {
    "a + rate(b)": "1:5: expected type matrix in call to function 'rate', got vector",
    "rate(a[5m]) + rate(b)": "1:15: expected type matrix in call to function 'rate'",
    "a > (\n  1 and b)": "2:3: set operator 'and' not allowed",
    "b + sum_over_time(time()[1m:5s])": "1:19: subquery is only allowed on vector",
    'a and b{c="d", e="\\q"}': "1:18: unknown escape sequence 'q'",
    'a + b{c=~"\\\\Qd\\\\E"}': "1:5: illegal regex for",
}


@pytest.mark.parametrize("text", [*MALFORMED, *MISTYPED])
def test_an_error_says_where(text: str) -> None:
    """Line and column are those of the token that has no place, or of the smallest part that is wrong."""
    with pytest.raises(RuleError, match=f"^{(MALFORMED | MISTYPED)[text]}"):
        parse_expression(text)


@given(st.integers(0, 2**32))
def test_a_text_that_is_read_has_no_fault(seed: int) -> None:
    """What the parser takes is well formed, and all of it is seen."""
    text = Grammar(Random(seed)).expression(3)
    parse_expression(text)
    syntax = Syntax(text)

    assert syntax.fault is None
    assert (0, len(text)) in syntax.parts


@given(st.integers(0, 2**32))
def test_a_spoilt_text_is_refused_with_a_place(seed: int) -> None:
    """With a token more, less or in another place, a text is either read or refused with line and column."""
    chance = Random(seed)
    pieces = [token.text for token in tokens(Grammar(chance).expression(2))]
    at, other = chance.randrange(len(pieces)), chance.choice(pieces)
    pieces[at : at + chance.randint(0, 1)] = [other] * chance.randint(0, 1)
    try:
        parse_expression(" ".join(pieces))
    except RuleError as error:
        line, column, _ = str(error).split(":", 2)

        assert "1" == line
        assert int(column) > 0


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1_000.5", "1000.5"),
        ("0x1_F + 1e1_0", "31 + 1e10"),
        ("a_1_0 > 1_0", "a_1_0 > 10"),
        (r"a{b=~`\d+\.\w`}", r'a{b=~"\\d+\\.\\w"}'),
        ('a{b=`"1_0"`}', r'a{b="\"1_0\""}'),
        ("a{b=`\n`}", r'a{b="\n"}'),
        ('a{b="`1_0`"} # `1_0', 'a{b="`1_0`"}'),
        ("a offset 0s", "a offset 0"),
        ("a + 0h0m", "a + 0"),
    ],
)
def test_what_prometheus_reads_is_read(written: str, read: str) -> None:
    """Backquotes take backslashes as they stand, digits may be apart, and an offset may be nothing."""
    assert parse_expression(read).prettify() == parse_expression(written).prettify()


def test_a_text_nested_without_end_is_refused_all_the_same() -> None:
    """Where the grammar cannot be followed so deep, the refusal has no place."""
    with pytest.raises(RuleError, match="unclosed left parenthesis"):
        parse_expression("(" * 900 + "x")
