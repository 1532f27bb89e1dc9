"""Spans: a sequence of byte strings like any other, made only where somebody asks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.spans import Spans

VALUES = st.lists(st.none() | st.binary(max_size=5), max_size=12)
PLACES = st.none() | st.integers(-13, 13)


@given(VALUES)
def test_spans_are_the_byte_strings_they_were_made_of(values: list[bytes | None]) -> None:
    """Nulls and empty ones included, by iteration and one by one, also made of spans again."""
    spans = Spans.of(values)
    assert values == list(spans) == [spans[at] for at in range(len(spans))]
    assert Spans.of(spans) is spans


@given(VALUES, PLACES, PLACES, st.sampled_from([None, 1, 2, -1]))
def test_a_slice_of_spans_is_that_of_a_list(
    values: list[bytes | None], first: int | None, last: int | None, step: int | None
) -> None:
    """Before and after the objects were made, with a step and without."""
    spans = Spans.of(values)
    expected = values[first:last:step]
    assert expected == list(spans[first:last:step])
    assert values == list(spans)
    assert expected == list(spans[first:last:step])


@given(VALUES, st.data())
def test_some_rows_are_taken_without_the_others(
    values: list[bytes | None], draw: st.DataObject
) -> None:
    """The same rows before and after all objects were made."""
    rows = draw.draw(
        st.lists(st.integers(0, len(values) - 1), max_size=5) if values else st.just([])
    )
    spans = Spans.of(values)
    expected = [values[row] for row in rows]
    assert expected == spans.take(np.array(rows, np.intp))
    assert values == list(spans)
    assert expected == spans.take(np.array(rows, np.intp))
