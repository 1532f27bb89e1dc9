"""Scalars, and the ways between scalars and vectors."""

import math

import pytest

from tests.rules.conftest import Evaluate, Load


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", 7.0),
        ("time()", 90.0),
        ("vector(2)", 2.0),
        ("scalar(m)", 5.0),
        ("m + scalar(m)", 10.0),
        ("pi()", math.pi),
        ("-(1)", -1.0),
        ("time() - scalar(m) > bool 80", 1.0),
    ],
)
def test_scalars(load: Load, evaluate: Evaluate, expression: str, expected: float) -> None:
    """A scalar that stands alone is one element without labels."""
    assert {"": expected} == evaluate(load({"m": "5"}), expression, 90)


def test_a_scalar_of_none_or_several_is_nan(load: Load, evaluate: Evaluate) -> None:
    """Only a single element is a number."""
    store = load({'m{i="1"}': "5", 'm{i="2"}': "6"})

    assert math.isnan(evaluate(store, "scalar(m)", 0)[""])
    assert math.isnan(evaluate(store, "scalar(nope)", 0)[""])
    assert {"": 6.0} == evaluate(store, 'vector(scalar(m{i="2"}))', 0)
