"""Stable sorting against NumPy's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.order import stable_order


@pytest.mark.parametrize("most", [3, 65_535, 65_536, 2**32 - 1, 2**32, 2**62])
@given(data=st.data())
def test_order_is_that_of_a_stable_sort(most: int, data: st.DataObject) -> None:
    """Equal numbers keep their places among each other, small and large numbers are sorted alike."""
    few = st.sampled_from([0, 1, most - 1, most, most // 2])
    numbers = data.draw(st.lists(st.one_of(few, st.integers(0, most)), max_size=40))
    column = np.array(numbers, np.int64)

    assert np.argsort(column, kind="stable").tolist() == stable_order(column).tolist()


def test_negative_numbers_are_sorted_too() -> None:
    """A number below zero comes before zero."""
    assert [1, 2, 0] == stable_order(np.array([5, -1, 0])).tolist()
