"""Groups: sections, medians of the others, and how a call is cut."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from detectors.group import ALONE, GroupSettings, Members, Sections, cut

VALUES = arrays.arrays(np.float64, st.integers(1, 12), elements=st.floats(-1e6, 1e6))


@given(VALUES, st.data())
def test_the_median_of_the_others_is_numpys(values: np.ndarray, data: st.DataObject) -> None:
    """For each member it is the plain median of those of its group that count, itself left out; NaN where none is."""
    size = values.size
    groups = np.array(data.draw(st.lists(st.integers(ALONE, 2), min_size=size, max_size=size)))
    counts = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    found, others = Sections(groups, np.arange(size)).others_median(values, counts)
    for at in range(size):
        mates = (groups == groups[at]) & counts & (groups[at] != ALONE)
        mates[at] = False
        assert others[at] == mates.sum()
        expected = np.median(values[mates]) if mates.any() else np.nan
        np.testing.assert_allclose(found[at], expected, rtol=1e-12, atol=1e-9)


@given(VALUES)
def test_sums_are_those_of_the_group(values: np.ndarray) -> None:
    """Each sample is told the sum over its group, and those that are alone their own value."""
    groups = np.arange(values.size) % 3 - 1
    found = Sections(groups, np.arange(values.size)).sums(values)
    for at in range(values.size):
        mine = values[groups == groups[at]].sum() if groups[at] != ALONE else values[at]
        np.testing.assert_allclose(found[at], mine, rtol=1e-9, atol=1e-6)


def test_a_call_is_cut_where_the_time_changes() -> None:
    """Samples of one time are judged together; where a row comes twice at one time, one after the other."""
    bank = Members.__new__(Members)
    rows = np.array([2, 0, 1, 0, 2, 0, 0])
    times = np.array([1, 1, 1, 2, 2, 3, 3])
    parts = [np.arange(7)[each].tolist() for each in bank._rounds(rows, times)]
    assert parts == [[1, 2, 0], [3, 4], [5], [6]]


def test_what_is_not_credible_is_cut_to_three_scales() -> None:
    """Beyond three scales of what was expected a value is brought back; before that is known it is taken as it is."""
    one = np.ones(2)
    found = cut(np.array([9.0, 9.0]), one, one, np.array([True, False]))
    assert found.tolist() == [4.0, 9.0]


def test_settings_have_a_half_life() -> None:
    """Levels of members are learnt slowly unless somebody says otherwise."""
    assert GroupSettings().half_life_samples == 1000.0
