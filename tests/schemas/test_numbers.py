"""Free numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.numbers import FreeNumbers

NUMBERS = st.integers(0, 2**31 - 1)


@given(st.lists(NUMBERS), st.lists(st.none() | st.lists(NUMBERS)))
def test_it_is_a_stack(first: list[int], steps: list[list[int] | None]) -> None:
    """Whatever is put in and taken out, it does as a list does."""
    free, known = FreeNumbers(first), [*first]
    for step in steps:
        if step is not None:
            free.extend(step)
            known.extend(step)
        elif known:
            assert known.pop() == free.pop()
        assert (known, len(known)) == (free.all().tolist(), len(free))


def test_nothing_comes_out_of_an_empty_one() -> None:
    """Who asks for a number where none is free is told so."""
    with pytest.raises(IndexError, match="no number is free"):
        FreeNumbers().pop()
