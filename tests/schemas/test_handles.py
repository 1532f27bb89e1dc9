"""Handles: which values name histograms, and the same values with other numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.handles import is_handle, make_handles, numbers_of, pick
from schemas.histograms import NativeHistogram

HISTOGRAMS = [NativeHistogram(count=float(n)) for n in range(5)]


@given(st.integers(0, 2**47 - 1), st.integers(0, 20))
def test_a_handle_says_its_number(first: int, count: int) -> None:
    """Numbers from the first on, and nothing else is a handle."""
    handles = make_handles(count, first)

    assert is_handle(handles).all()
    assert list(range(first, first + count)) == numbers_of(handles).tolist()


@given(
    st.lists(st.one_of(st.floats(allow_nan=False), st.sampled_from(range(5)).map(str)), max_size=9),
    st.integers(0, 99),
)
def test_what_is_picked_is_what_was_named(given_: list[float | str], first: int) -> None:
    """Numbers stay; each handle names the histogram that it named, in a list of those that are named."""
    values = np.array([0.0 if isinstance(each, str) else each for each in given_])
    for at, each in enumerate(given_):
        if isinstance(each, str):
            values[at : at + 1] = make_handles(1, int(each))
    before = values.copy()
    picked, named = pick(values, HISTOGRAMS, first)
    at = is_handle(picked)

    assert [HISTOGRAMS[int(each)] for each in given_ if isinstance(each, str)] == named
    assert list(range(first, first + len(named))) == numbers_of(picked[at]).tolist()
    assert [each for each in given_ if not isinstance(each, str)] == picked[~at].tolist()
    assert before.tobytes() == values.tobytes()
