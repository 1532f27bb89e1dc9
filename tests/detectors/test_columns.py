"""Columns: growth, forgetting and snapshots of a bank's state."""

import numpy as np
import pytest

from detectors.columns import Column, Columns
from schemas.errors import CheckpointError


def made() -> Columns:
    columns = Columns({"mean": Column(fill=5.0), "window": Column(np.float32, [1, 2, 3], 3)})
    columns.grow(2)
    return columns


def test_new_rows_hold_the_fill() -> None:
    """Growing adds rows that know nothing and keeps the others."""
    columns = made()
    columns["mean"][:] = [7.0, 8.0]
    columns.grow(3)
    assert columns["mean"].tolist() == [7.0, 8.0, 5.0]
    assert columns["window"][2].tolist() == [1, 2, 3]


def test_reset_fills_again() -> None:
    """A reset row is like a new one and its neighbours are untouched."""
    columns = made()
    columns["mean"][:] = 9.0
    columns["window"][:] = 9.0
    columns.reset(np.array([1]))
    assert columns["mean"].tolist() == [9.0, 5.0]
    assert columns["window"].tolist() == [[9, 9, 9], [1, 2, 3]]


def test_taken_rows_come_in_order_with_blank_ones_behind() -> None:
    """Rows are numbered anew, the others forgotten, and the capacity is what was asked for."""
    columns = made()
    columns["mean"][:] = [7.0, 8.0]
    columns["window"][1] = 9.0
    columns.take(np.array([1]), 3)
    assert 3 == columns.capacity
    assert [8.0, 5.0, 5.0] == columns["mean"].tolist()
    assert [[9, 9, 9], [1, 2, 3], [1, 2, 3]] == columns["window"].tolist()


def test_a_seldom_written_column_is_like_any_other() -> None:
    """Written or not, grown, reset, taken or restored, it reads as one with memory of its own does."""
    seldom = Columns({"a": Column(fill=5.0, seldom=True), "b": Column(fill=np.nan, seldom=True)})
    common = Columns({"a": Column(fill=5.0), "b": Column(fill=np.nan)})
    for columns in (seldom, common):
        columns.grow(3)
        columns.reset(np.array([1]))
        columns.own("a")[1] = 7.0
        columns.grow(4)
        columns.take(np.array([1, 3]), 3)
        columns.restore(columns.snapshot())
    assert (True, False) == (seldom.unwritten("b"), seldom.unwritten("a", "b"))
    for name in ("a", "b"):
        np.testing.assert_array_equal(common[name], seldom[name])


def test_a_seldom_written_column_takes_no_memory() -> None:
    """Until somebody owns it, however long it is, and again where a snapshot has nothing but the fill."""
    columns = Columns({"a": Column(fill=5.0, seldom=True)})
    columns.grow(1000)
    assert columns["a"].strides == (0,)
    with pytest.raises(ValueError, match="read-only"):
        columns["a"][0] = 1.0
    columns.own("a")
    columns.restore(columns.snapshot())
    assert columns["a"].strides == (0,)


def test_snapshots_are_copies() -> None:
    """What happens after a snapshot, or to it, does not leak into the other."""
    columns = made()
    kept = columns.snapshot()
    columns["mean"][:] = 1.0
    assert kept["mean"].tolist() == [5.0, 5.0]
    columns.restore(kept)
    kept["mean"][:] = 2.0
    assert columns["mean"].tolist() == [5.0, 5.0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"odd": np.zeros(2)}, "odd"),
        ({"mean": np.zeros(2, np.float32)}, "mean"),
        ({"window": np.zeros((2, 4), np.float32)}, "window"),
        ({"mean": np.zeros(3)}, "window"),
    ],
    ids=["unknown column", "other type", "other width", "unequal lengths"],
)
def test_a_snapshot_that_does_not_fit_is_refused(change: dict[str, np.ndarray], said: str) -> None:
    """A foreign snapshot is a CheckpointError that names the column, and changes nothing."""
    columns = made()
    with pytest.raises(CheckpointError, match=said):
        columns.restore(columns.snapshot() | change)
    assert columns["mean"].tolist() == [5.0, 5.0]


def test_a_missing_column_is_refused() -> None:
    """A snapshot without one of the columns is a CheckpointError that names it."""
    with pytest.raises(CheckpointError, match="window"):
        made().restore({"mean": np.zeros(2)})
