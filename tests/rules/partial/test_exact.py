"""Exact sums: nothing is lost, however the addends are spread."""

from fractions import Fraction
from math import inf, isnan, nan, nextafter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.rules.partial.exact import average, expansion, expansions, total

FINITE = st.floats(allow_nan=False, allow_infinity=False)
ANY = st.floats()


@given(st.lists(FINITE, min_size=1, max_size=40))
def test_an_expansion_loses_nothing(values: list[float]) -> None:
    """As fractions, its members add up to the sum of the values."""
    assert sum(map(Fraction, expansion(values))) == sum(map(Fraction, values))


@given(st.lists(FINITE, min_size=2, max_size=40), st.data())
def test_the_total_is_the_same_however_the_values_are_spread(
    values: list[float], data: st.DataObject
) -> None:
    """Expansions of any parts of the values have the total of the values themselves."""
    cut = data.draw(st.integers(1, len(values) - 1))
    order = data.draw(st.permutations(values))

    assert total(values) == total([*expansion(order[:cut]), *expansion(order[cut:])])


@given(st.lists(FINITE, min_size=1, max_size=20))
def test_an_average_is_finite_where_the_sum_is_not(values: list[float]) -> None:
    """The mean lies between the least and the greatest value, but for rounding of one unit in the last place."""
    mean = average(expansion(values), len(values))

    assert nextafter(min(values), -inf) <= mean <= nextafter(max(values), inf)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([inf, 1.0], inf),
        ([-inf, 1e308, 1e308], -inf),
        ([inf, -inf], nan),
        ([nan, 1.0], nan),
        ([1e308, 1e308], inf),
        ([-1e308, -1e308], -inf),
        ([1e308, 1e308, -1e308], 1e308),
    ],
)
def test_what_is_not_finite_adds_up_as_ieee_754_says(values: list[float], expected: float) -> None:
    """Also where only the way to the total is beyond the largest float."""
    found = total(expansion(values))

    assert (isnan(found) and isnan(expected)) or found == expected


@given(st.lists(st.lists(ANY, min_size=1, max_size=6), min_size=1, max_size=6))
def test_stretches_are_summed_each_by_itself(groups: list[list[float]]) -> None:
    """The columns hold for each stretch the expansion of its values."""
    high = np.cumsum([len(each) for each in groups])
    low = high - np.array([len(each) for each in groups])
    values = np.array([value for each in groups for value in each])

    stretches, places, found = expansions(values, low, high)

    for number, each in enumerate(groups):
        mine = stretches == number
        assert list(range(int(mine.sum()))) == places[mine].tolist()
        np.testing.assert_equal(total(found[mine].tolist()), total(each))
