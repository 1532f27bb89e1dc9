"""Snapshots are compressed, and what was compressed before is still read."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import CheckpointError
from streams.state.packing import compress, decompress


@given(st.binary(max_size=2_000))
def test_what_is_compressed_comes_back(snapshot: bytes) -> None:
    """Also from a view of memory, and from the form of before."""
    assert snapshot == decompress(compress(memoryview(snapshot)))
    assert snapshot == decompress(zlib.compress(snapshot, 1))


@pytest.mark.parametrize("cut", [0, 1, 3, 10, -1])
def test_what_is_cut_is_refused(cut: int) -> None:
    """In either form, with a reason."""
    snapshot = bytes(range(256)) * 9
    for blob in (compress(snapshot), zlib.compress(snapshot)):
        with pytest.raises(CheckpointError, match="does not decompress"):
            decompress(blob[:cut])
