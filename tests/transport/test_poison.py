"""Records that make a stage raise, without any broker."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.poison import FEW, isolate
from streams.stage import Outgoing
from streams.transport.chunk import Chunk
from tests.transport.tally import Tally, expected

POISON = "poison"


def chunk(values: list[str], first: int = 5) -> Chunk:
    """These values as records from an offset on."""
    return Chunk(
        "t",
        3,
        fetch_offset=first,
        next_offset=first + len(values),
        values=[value.encode() for value in values],
        timestamps=[1000 + at for at in range(len(values))],
    )


@given(st.lists(st.sampled_from(["a:1", "b:2", "c:3", POISON]), max_size=40))
def test_what_makes_a_stage_raise_leaves_no_trace(values: list[str]) -> None:
    """Outputs and state are those of the other records alone, and each poisoned record has its letter, in order."""
    found = isolate(Tally("t"), chunk(values), lambda: Tally("t"))
    sound = [value for value in values if value != POISON]
    assert expected(sound) == [output.value for output in found.outputs]
    alone = Tally("t")
    alone.apply(chunk(sound))
    assert alone.seen == found.stage.seen
    poisoned = [5 + at for at, value in enumerate(values) if value == POISON]
    assert poisoned == [letter.offset for letter in found.letters]


def test_a_letter_names_the_place_and_never_the_message() -> None:
    """A message may hold what the record held; type, file and line do not."""
    letter = isolate(Tally("t"), chunk([POISON]), lambda: Tally("t")).letters[0]
    assert letter.detail.startswith("ValueError at tally.py:")
    assert letter.detail.endswith(", in _count")
    assert ("t", 3, 5, 1000) == (
        letter.topic,
        letter.partition,
        letter.offset,
        letter.record_time,
    )


def test_a_stage_that_fails_on_most_records_is_the_one_to_blame() -> None:
    """Its error is raised; a share that is smaller than what is sound is set aside, however many records it is."""
    with pytest.raises(ValueError, match=POISON):
        isolate(Tally("t"), chunk([POISON] * (FEW + 1)), lambda: Tally("t"))
    found = isolate(Tally("t"), chunk(["a:1", "a:2", POISON] * FEW * 2), lambda: Tally("t"))
    assert 2 * FEW == len(found.letters)


def test_what_no_record_is_to_blame_for_is_raised() -> None:
    """A stage whose disk is full has not met a bad record."""

    class Full(Tally):
        def apply(self, chunk: Chunk) -> list[Outgoing]:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        isolate(Full("t"), chunk(["a:1", "a:2"]), lambda: Full("t"))


def test_a_chunk_is_split_without_a_gap() -> None:
    """Both parts cover all offsets, and a tombstone and a hole stay where they are."""
    whole = Chunk(
        "t",
        0,
        fetch_offset=2,
        next_offset=9,
        values=[b"x", None, b"z"],
        timestamps=[1, 2, 3],
        keys=[None, b"k", None],
        offsets=[3, 6, 7],
    )
    left, right = whole.split(1)
    assert (2, 6, 6, 9) == (
        left.fetch_offset,
        left.next_offset,
        right.fetch_offset,
        right.next_offset,
    )
    assert ([b"x"], [None, b"z"], [b"k", None]) == (left.values, right.values, right.keys)
    assert (3, 6, 7) == (left.offset_of(0), right.offset_of(0), right.offset_of(1))
