"""Numbers of the label sets of an Arrow batch."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.wire.label_columns import _numbered, _numbered_by_table


@given(st.lists(st.integers(0, 11), min_size=1, max_size=60))
def test_a_table_numbers_as_a_hash_does(drawn: list[int]) -> None:
    """Numbers in the order of appearance, first rows and keys are the same by both ways."""
    key = np.array(drawn, np.int64)
    hashed, placed = _numbered(key, 1 << 40), _numbered_by_table(key, 12)
    for one, other in zip(hashed, placed, strict=True):
        assert one.tolist() == other.tolist()
    number, first, keys = placed
    assert drawn == keys[number].tolist() == key[first][number].tolist()
    assert list(dict.fromkeys(drawn)) == keys.tolist()
