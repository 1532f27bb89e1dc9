"""`count_values`: values become labels."""

import pytest

from streams.rules.tally import plain
from tests.rules.conftest import Evaluate, Load

SERIES = {'m{i="a",j="x"}': "1", 'm{i="b",j="x"}': "1", 'm{i="c",j="y"}': "2.5"}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('count_values("v", m)', {'{v="1"}': 2.0, '{v="2.5"}': 1.0}),
        ('count_values by (j) ("v", m)', {'{j="x",v="1"}': 2.0, '{j="y",v="2.5"}': 1.0}),
        ('count_values without (i) ("v", m)', {'{j="x",v="1"}': 2.0, '{j="y",v="2.5"}': 1.0}),
        (
            'count_values without (v) ("v", m * 0)',
            {'{i="a",j="x"}': 1.0, '{i="b",j="x"}': 1.0, '{i="c",j="y"}': 1.0},
        ),
        ('count_values by (i) ("i", m)', {'{i="1"}': 2.0, '{i="2.5"}': 1.0}),
    ],
)
def test_members_are_counted_by_value(
    load: Load, evaluate: Evaluate, expression: str, expected: dict[str, float]
) -> None:
    """Group by group; a label of the same name is written over."""
    assert expected == evaluate(load(SERIES), expression, 0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3.0, "3"),
        (-0.0, "-0"),
        (1e21, "1000000000000000000000"),
        (1.5e-7, "0.00000015"),
        (float("nan"), "NaN"),
        (float("inf"), "+Inf"),
        (float("-inf"), "-Inf"),
    ],
)
def test_values_are_written_without_exponent(value: float, expected: str) -> None:
    """As short as they can be read back."""
    assert expected == plain(value)
