"""What rule templates print, against Go's fmt (1.2x) and Prometheus's template functions."""

import math

import pytest

from streams.rules.humanize import (
    FUNCTIONS,
    humanize,
    humanize_1024,
    humanize_duration,
    humanize_percentage,
    humanize_timestamp,
    print_float,
    printf,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (100000.0, "100000"),
        (999999.0, "999999"),
        (1e6, "1e+06"),
        (1234567.0, "1.234567e+06"),
        (12345678.9, "1.23456789e+07"),
        (1e21, "1e+21"),
        (0.0001, "0.0001"),
        (0.00001234, "1.234e-05"),
        (-2.5, "-2.5"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (math.nan, "NaN"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
    ],
)
def test_floats_print_as_go_prints_them(value: float, text: str) -> None:
    """The text is that of Go's %v."""
    assert text == print_float(value)


@pytest.mark.parametrize(
    ("form", "values", "text"),
    [
        ("%.2f", (1234567.0,), "1234567.00"),
        ("%.4g", (100000.0,), "1e+05"),
        ("%g|%e", (1234567.0, 123456.0), "1.234567e+06|1.234560e+05"),
        ("%5.1f|%-8.1f|%08.3f", (-2.5, 2.0, -3.14159), " -2.5|2.0     |-003.142"),
        ("%d", (3.0,), "%!d(float64=3)"),
        ("%s", (1e6,), "%!s(float64=1e+06)"),
        ("%d %05d %+d", (3, 42, 7), "3 00042 +7"),
        ("%q", ('a"b',), '"a\\"b"'),
        ("%5s|%-5s|%.3s", ("ab", "ab", "abcdef"), "   ab|ab   |abc"),
        ("%d %s", (3,), "3 %!s(MISSING)"),
        ("%d", (3, 4.5), "3%!(EXTRA float64=4.5)"),
        ("%d%%", ("x",), "%!d(string=x)%"),
        ("%v", ({"b": "1", "a": "2"},), "map[a:2 b:1]"),
        ("%.1f", (math.inf,), "+Inf"),
        ("%t %x", (True, "hi"), "true 6869"),
    ],
)
def test_printf_is_gos(form: str, values: tuple[object, ...], text: str) -> None:
    """Verbs, flags, widths and even the complaints are Go's."""
    assert text == printf(form, *values)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (1234567.0, "1.235M"),
        (0.12, "120m"),
        (0.000_001_2, "1.2u"),
        (-1500.0, "-1.5k"),
        (math.inf, "+Inf"),
        (math.nan, "NaN"),
    ],
)
def test_humanize_takes_si_prefixes(value: float, text: str) -> None:
    """Large and small numbers get a prefix and four digits."""
    assert text == humanize(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1.0, "1"), (1048576.0, "1Mi"), (0.12, "0.12"), (1e30, "8.272e+05Yi")],
)
def test_humanize1024_takes_binary_prefixes(value: float, text: str) -> None:
    """Only numbers above 1 get a prefix."""
    assert text == humanize_1024(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0s"),
        (1.0, "1s"),
        (899.99, "14m 59s"),
        (86400.0, "1d 0h 0m 0s"),
        (-3661.0, "-1h 1m 1s"),
        (59.5, "59.5s"),
        (0.1, "100ms"),
        (0.0001, "100us"),
        ("60", "1m 0s"),
    ],
)
def test_durations_are_split(value: object, text: str) -> None:
    """Seconds become days, hours, minutes and seconds, or a small prefix."""
    assert text == humanize_duration(value)


@pytest.mark.parametrize(
    ("value", "text"), [(0.1234567, "12.35%"), (1.0, "100%"), (math.nan, "NaN%")]
)
def test_shares_become_percent(value: float, text: str) -> None:
    """Four digits of the hundredfold."""
    assert text == humanize_percentage(value)


def test_timestamps_print_as_go_prints_a_time() -> None:
    """Milliseconds without trailing zeros, then the zone twice."""
    assert humanize_timestamp(1435065584.128) == "2015-06-23 13:19:44.128 +0000 UTC"
    assert humanize_timestamp(1435065584.0) == "2015-06-23 13:19:44 +0000 UTC"


@pytest.mark.parametrize(
    ("name", "given", "text"),
    [
        ("title", ("foo bar-baz",), "Foo Bar-Baz"),
        ("toUpper", ("ab",), "AB"),
        ("reReplaceAll", ("(\\w+):(\\d+)", "${2} $1", "db:90"), "90 db"),
        ("match", ("a.c", "xabcx"), True),
        ("stripPort", ("host:9100",), "host"),
        ("stripDomain", ("host.example.com:9100",), "host:9100"),
        ("stripDomain", ("10.0.0.1:9100",), "10.0.0.1:9100"),
        ("print", (1, 2, "a", "b", 3.5), "1 2ab3.5"),
        ("parseDuration", ("1h30m",), 5400.0),
        ("len", ("é",), 2),
        ("ne", (math.nan, math.nan), True),
        ("le", (math.nan, 1.0), False),
    ],
)
def test_functions_of_templates(name: str, given: tuple[object, ...], text: object) -> None:
    """Each does what Go's or Prometheus's function of that name does."""
    assert text == FUNCTIONS[name].call(*given)
