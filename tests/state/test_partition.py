import pytest
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from streams.state.partition import GapError, Partition
from streams.transport.chunk import Chunk


class Log:
    """A stage that remembers what it has applied."""

    def __init__(self) -> None:
        self.offsets = []

    def snapshot(self) -> bytes:
        return b""

    def restore(self, blob: bytes) -> None:
        raise NotImplementedError


def chunk(start: int, end: int) -> Chunk:
    """Records from start up to end, each holding its own offset."""
    rows = range(start, end)
    return Chunk(
        "t",
        0,
        fetch_offset=start,
        next_offset=end,
        values=[b"%d" % i for i in rows],
        timestamps=list(rows),
        offsets=rows,
    )


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=40))
def test_every_offset_is_applied_once_and_in_order(fetches: list[tuple[int, int]]) -> None:
    """However a log is cut and re-read, a partition applies each record once, in order."""
    partition = Partition(TP("t", 0), Log(), 0)
    for back, length in fetches:
        start = max(partition.next_offset - back, 0)
        fresh = partition.admit(chunk(start, start + length))
        if fresh is not None:
            partition.stage.offsets += [int(value) for value in fresh.values]
            partition.applied(fresh)
    assert list(range(partition.next_offset)) == partition.stage.offsets


def test_a_lost_slice_is_an_error() -> None:
    """A chunk that begins beyond the next offset is refused, and the state stays as it was."""
    partition = Partition(TP("t", 0), Log(), 5)
    with pytest.raises(GapError, match="expected offset 5"):
        partition.admit(chunk(6, 9))
    assert (5, False) == (partition.next_offset, partition.dirty)


def test_a_change_from_outside_the_log_is_saved_too() -> None:
    """An injected event makes the partition dirty without moving its offset."""
    partition = Partition(TP("t", 0), Log(), 5)
    partition.touched()
    assert (5, True) == (partition.next_offset, partition.dirty)
