import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import CheckpointError
from streams.state.pointer import SLOTS, VERSION, Pointer, Position, next_slot

NUMBERS = st.integers(0, 2**62)
POINTERS = st.builds(
    Pointer, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.integers(0, SLOTS - 1), NUMBERS
)
POSITIONS = st.builds(Position, st.just(VERSION), POINTERS, st.none() | POINTERS)


@given(POSITIONS)
def test_a_position_survives_the_commit(position: Position) -> None:
    """A position comes back equal, and fits into the 4,096 bytes that Kafka allows."""
    text = position.to_text()
    assert position == Position.from_text(text)
    assert len(text.encode()) < 4096


def test_no_metadata_means_no_snapshot() -> None:
    """An offset that was set by hand has empty metadata."""
    assert Position.from_text("") is None


@pytest.mark.parametrize("text", ["x", "{}", "[1]", '{"v":1}', "[2,[0,0,0,0,0,0,0],null]"])
def test_foreign_metadata_is_refused(text: str) -> None:
    """Metadata that this program did not write is an error, not an empty state."""
    with pytest.raises(CheckpointError):
        Position.from_text(text)


@given(st.integers(1, 20))
def test_a_new_snapshot_never_overwrites_the_two_it_may_be_replaced_by(steps: int) -> None:
    """The slot being written is neither the current nor the previous one."""
    position = None
    for offset in range(steps):
        slot = next_slot(position)
        pointer = Pointer(offset, 0, 0, 0, 1, slot, 0)
        if position is None:
            position = Position(VERSION, pointer)
        else:
            used = [p.slot for p in (position.current, position.previous) if p is not None]
            assert slot not in used
            position = position.followed_by(pointer)
