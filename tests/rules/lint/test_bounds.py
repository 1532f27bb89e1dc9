"""Bounds of expressions: never narrower than what arithmetic allows."""

import operator
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.rules.lint.bounds import Bounds, bounds
from streams.rules.lint.expression import Expression

SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "==": operator.eq,
}  # fmt: skip
numbers = st.integers(-3, 3)
signs = st.sampled_from(sorted(SIGNS))


@given(first=numbers, second=numbers, value=st.integers(-8, 8), a=signs, b=signs)
def test_what_passes_two_comparisons_is_within_the_bounds(
    first: int, second: int, value: int, a: str, b: str
) -> None:
    """A value that satisfies both is never outside; where there is none in between, the bounds are empty."""
    found = bounds(Expression(f"x {a} {first} {b} {second}").root)
    half = value / 2
    if SIGNS[a](half, first) and SIGNS[b](half, second):
        assert found.low <= half <= found.high
        assert not found.empty
        assert not (found.open_low and half == found.low)


@given(number=numbers, other=numbers, up=st.sampled_from([0, 1]), sign=st.sampled_from("+-*"))
def test_arithmetic_on_flags_stays_within_the_bounds(
    number: int, other: int, up: int, sign: str
) -> None:
    """`up` is 0 or 1, so what is computed of it lies between what 0 and 1 give."""
    functions = {"+": operator.add, "-": operator.sub, "*": operator.mul}
    found = bounds(Expression(f"(up {sign} {number}) * {other}").root)

    assert found.low <= functions[sign](up, number) * other <= found.high


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (Bounds(0, 2), Bounds(1, 3), Bounds(1, 2)),
        (Bounds(0, 1), Bounds(1, 1, open_low=True), Bounds(1, 1, open_low=True)),
        (Bounds(0, 1), Bounds(2, 3), Bounds(2, 1)),
    ],
)
def test_bounds_meet(one: Bounds, other: Bounds, both: Bounds) -> None:
    """In what is in both."""
    assert both == one.meet(other)
    assert both == other.meet(one)
