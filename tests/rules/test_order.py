"""The order of a vector's elements, which `limitk` shows."""

import pytest

from streams.rules.order import comes_first
from streams.rules.plan import compile_expression
from tests.rules.conftest import Load

SERIES = {'m{i="a2"}': "1", 'm{i="a10"}': "NaN", 'm{i="b"}': "-3"}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("sort(m)", ["b", "a2", "a10"]),
        ("sort_desc(m)", ["a2", "b", "a10"]),
        ('sort_by_label(m, "i")', ["a2", "a10", "b"]),
        ('sort_by_label_desc(m, "i")', ["b", "a10", "a2"]),
        ('sort_by_label(m, "missing")', ["a10", "a2", "b"]),
    ],
)
def test_elements_come_in_order(load: Load, expression: str, expected: list[str]) -> None:
    """NaN last by value; labels in natural order, then by the whole label set."""
    plan = compile_expression(expression)

    rows = plan.evaluate(load(SERIES), 0).rows.tolist()

    assert expected == [dict(plan.space.labels[row])["i"] for row in rows]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a2", "a10", True),
        ("a10", "a2", False),
        ("a", "b", True),
        ("a", "a1", True),
        ("1", "a", True),
    ],
)
def test_natural_order(one: str, other: str, *, expected: bool) -> None:
    """Runs of digits compare as numbers."""
    assert expected is comes_first(one, other)
