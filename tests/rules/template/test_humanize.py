"""What the functions of rule templates give, against Prometheus's."""

import math

import pytest

from streams.rules.template.functions import FUNCTIONS
from streams.rules.template.humanize import (
    humanize,
    humanize_1024,
    humanize_duration,
    humanize_percentage,
    humanize_timestamp,
)


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
