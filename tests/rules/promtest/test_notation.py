"""Series notation, as Prometheus's parser reads it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import RuleError
from schemas.samples import STALE_BITS
from streams.rules.promtest.notation import Line, load_lines, read_line, read_metric
from streams.rules.promtest.suite import InputSeries


def read(text: str) -> list[float | str | None]:
    """Values of a series `x`: None where one is left out."""
    written = read_line(Line(2, f"x {text}", 7))
    stale = written.values.view(np.int64) == STALE_BITS
    return [
        "stale" if s else float(v) if t else None
        for v, t, s in zip(written.values, written.there, stale, strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1 2.5 -3 +4", [1.0, 2.5, -3.0, 4.0]),
        ("_ _x2 1", [None, None, None, 1.0]),
        ("1x2", [1.0, 1.0, 1.0]),
        ("0+10x3", [0.0, 10.0, 20.0, 30.0]),
        ("5-2x2", [5.0, 3.0, 1.0]),
        ("-1-2.5x1", [-1.0, -3.5]),
        ("1 stale 2", [1.0, "stale", 2.0]),
        ("Inf -inf +Inf", [np.inf, -np.inf, np.inf]),
        ("1e3 .5 010", [1000.0, 0.5, 8.0]),
        ("1_000 1_0+1_0x1", [1000.0, 10.0, 20.0]),
        ("", []),
    ],
)
def test_values_are_written_in_short(text: str, values: list[float | str | None]) -> None:
    """Gaps, repetitions, steps, stale markers, infinities, and octal numbers as in Go."""
    assert values == read(text)


def test_histograms_are_added_one_by_one() -> None:
    """A literal, a repeated one, and one to which another is added; by their positions among the values."""
    written = read_line(Line(2, "x 1 {{count:1}} {{count:2}}x1 {{count:1}}+{{count:2}}x2", 7))

    assert 7 == len(written.values)
    assert {1: 1.0, 2: 2.0, 3: 2.0, 4: 1.0, 5: 3.0, 6: 5.0} == {
        at: each.count for at, each in written.histograms.items()
    }


@given(start=st.integers(-99, 99), step=st.integers(-99, 99), times=st.integers(0, 40))
def test_steps_are_added_one_by_one(start: int, step: int, times: int) -> None:
    """The last digit is that of a loop which adds tenths."""
    shown = f"{start / 10}{step / 10:+}x{times}"
    expected, value = [], start / 10
    for _ in range(times + 1):
        expected.append(value)
        value += step / 10

    assert expected == read(shown)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "x 1 foo",
            '2:5: parse error: unexpected identifier "foo" in series values, expected number',
        ),
        ("x 1 ?", "2:5: parse error: unexpected character in series sequence: '?'"),
        ("x 1+2", '2:3: parse error: unexpected "1+2" in series values'),
        ("x 1x99999999999", "more than 10000000 values"),
        ("x{a=1} 1", "2:5: parse error: unexpected character inside braces: '1'"),
        ("x{a", "2:4: parse error: unexpected end of input inside braces"),
        ("x{", "2:3: parse error: unexpected end of input inside braces"),
        ("x {{sum:1 foo:1}}", '2:11: parse error: bad histogram descriptor found: "foo"'),
        (
            "x {{schema:2}}+{{schema:1}}x3",
            "error combining histograms: cannot merge from schema 1 to 2",
        ),
        ("x {{schema:99}}", "no schema 99"),
    ],
)
def test_faults_have_a_place(text: str, message: str) -> None:
    """Line and column as Prometheus counts them."""
    with pytest.raises(RuleError) as caught:
        read_line(Line(2, text, 7))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("up", (("__name__", "up"),)),
        ('up{b="2", a="1"}', (("__name__", "up"), ("a", "1"), ("b", "2"))),
        ("{a='it\\'s \"x\"'}", (("a", 'it\'s "x"'),)),
        ("{a=`raw\\n`}", (("a", "raw\\n"),)),
        ('{"odd.name", "a.b"="c"}', (("__name__", "odd.name"), ("a.b", "c"))),
        ('up{a="tab\\t\\"q\\""}', (("__name__", "up"), ("a", 'tab\t"q"'))),
        ('up{a=""}', (("__name__", "up"),)),
        ("{}", ()),
        ("", ()),
    ],
)
def test_label_sets_are_read(text: str, labels: tuple[tuple[str, str], ...]) -> None:
    """With names in quotes, all kinds of quotes, and without empty labels."""
    assert labels == read_metric(text)


def test_an_empty_line_ends_the_input() -> None:
    """So does promtool: what comes after a block text's last newline is not there."""
    lines = load_lines([InputSeries(3, "a", "1 2\n"), InputSeries(9, "b", "3")])

    assert [Line(2, "a 1 2", 3)] == lines
