"""Value and threshold of a comparison, as texts that can be evaluated by themselves."""

import pytest

from streams.rules.sides import condition_of, sides_of


@pytest.mark.parametrize(
    ("expression", "sides", "condition"),
    [
        ("up == 0", ("up{}", "0"), "== 0"),
        ("((temperature > 80))", ("temperature{}", "80"), "> 80"),
        ("a / b >= 2 * c", ("a{} / b{}", "2 * c{}"), ">= 2 * c{}"),
        ("absent(up)", ("absent(up)", ""), ""),
        ("a > 1 and b", ("a > 1 and b", ""), ""),
        ("a + b", ("a + b", ""), ""),
    ],
)
def test_comparison_is_taken_apart(expression: str, sides: tuple[str, str], condition: str) -> None:
    """Through brackets; what is no comparison at its top stays whole."""
    assert sides == sides_of(expression)
    assert condition == condition_of(expression)
