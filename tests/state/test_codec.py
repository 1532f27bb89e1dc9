import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from schemas.errors import CheckpointError
from streams.state.codec import decode, encode, freeze

DTYPES = st.sampled_from(["<i8", "<f8", "<u4", "|b1", "<f4", "|S7", "<U3", "<M8[ms]"])
COLUMNS = st.dictionaries(
    st.text(max_size=8),
    st.binary(max_size=40)
    | DTYPES.flatmap(lambda d: arrays(d, array_shapes(min_side=0, max_side=4))),
    max_size=4,
)


@given(COLUMNS)
def test_columns_come_back_bit_for_bit(columns: dict[str, Any]) -> None:
    """Every column has the same type, shape and bytes after a round trip."""
    frame = encode(columns, kind="k", version=3, meta={"n": 1})
    state = decode(frame, kind="k", version=3)
    assert list(columns) == list(state.columns)
    for name, column in columns.items():
        found = state.columns[name]
        if isinstance(column, bytes):
            assert column == found
        else:
            assert (column.dtype, column.shape, column.tobytes()) == (
                found.dtype,
                found.shape,
                found.tobytes(),
            )


@given(COLUMNS)
def test_what_is_frozen_changes_no_more(columns: dict[str, Any]) -> None:
    """The frame is that of the time of freezing, whatever becomes of the columns before it is sealed."""
    wanted = encode(columns, kind="k", version=3)
    seal = freeze(columns, kind="k", version=3)
    for column in columns.values():
        if not isinstance(column, bytes):
            column[...] = np.zeros(1, column.dtype)[0]
    assert wanted == bytes(seal())


@given(st.data())
def test_any_changed_byte_is_noticed(data: st.DataObject) -> None:
    """Whichever byte of a frame is changed, and wherever it is cut, it is refused."""
    frame = encode({"a": np.arange(300)}, kind="k", version=1, meta={"x": "y"})
    at = data.draw(st.integers(0, len(frame) - 1))
    flip = data.draw(st.integers(1, 255))
    changed = frame[:at] + bytes([frame[at] ^ flip]) + frame[at + 1 :]
    for damaged in (changed, frame[:at]):
        with pytest.raises(CheckpointError):
            decode(damaged)


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(noise: bytes) -> None:
    """What is no snapshot is refused with CheckpointError, never with another error."""
    with pytest.raises(CheckpointError):
        decode(noise)


def test_metadata_keeps_nan_and_nesting() -> None:
    """Metadata comes back equal, and NaN stays NaN."""
    meta = {"nan": math.nan, "deep": {"list": [1, "two", None, 3.5, True]}, "big": 2**62}
    found = decode(encode({}, kind="k", version=1, meta=meta)).meta
    assert math.isnan(found.pop("nan"))
    assert {"deep": {"list": [1, "two", None, 3.5, True]}, "big": 2**62} == found


def test_restored_columns_can_be_written_to() -> None:
    """A detector updates its columns in place, so they are no views of the frame."""
    column = decode(encode({"a": np.zeros(3)}, kind="k", version=1)).columns["a"]
    column[0] = 1.0
    assert [1.0, 0.0, 0.0] == column.tolist()


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"kind": "other"}, "snapshot is of kind 'detect', expected 'other'"),
        ({"version": 2}, "snapshot is of version 1, expected 2"),
    ],
)
def test_another_kind_or_version_is_refused_by_name(wanted: dict[str, Any], message: str) -> None:
    """The error says what was found and what was expected."""
    with pytest.raises(CheckpointError, match=message):
        decode(encode({}, kind="detect", version=1), **wanted)


@pytest.mark.parametrize("dtype", [object, [("a", "<i4")]])
def test_columns_without_a_fixed_form_are_refused(dtype: Any) -> None:
    """Python objects and structured rows are refused when they are written, not when they are read."""
    with pytest.raises(TypeError, match="has no fixed form"):
        encode({"a": np.zeros(2, dtype)}, kind="k", version=1)
