"""Values as Go's fmt prints them (1.2x)."""

import math

import pytest

from streams.rules.template.gofmt import print_float, quote, sprintf


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
    assert text == sprintf(form, *values)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ('a"b\\', '"a\\"b\\\\"'),
        ("tab\tline\n", '"tab\\tline\\n"'),
        ("\x00\u00ad\U000e0001", '"\\x00\\u00ad\\U000e0001"'),
        ("grün", '"grün"'),
    ],
)
def test_texts_are_quoted_as_go_quotes_them(text: str, quoted: str) -> None:
    """What cannot be printed becomes an escape of Go's strconv.Quote."""
    assert quoted == quote(text)
