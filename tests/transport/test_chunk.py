from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streams.transport.chunk import Chunk


@st.composite
def chunks(draw: st.DrawFn) -> Chunk:
    """Chunks with holes (compaction), tombstones, and sometimes nothing at all."""
    start = draw(st.integers(0, 50))
    offsets = sorted(draw(st.sets(st.integers(start, start + 30), max_size=20)))
    end = draw(st.integers(offsets[-1] + 1 if offsets else start, start + 40))
    return Chunk(
        "t",
        1,
        fetch_offset=start,
        next_offset=end,
        values=[None if offset % 3 == 0 else b"%d" % offset for offset in offsets],
        timestamps=[offset * 10 for offset in offsets],
        keys=[b"k%d" % offset for offset in offsets],
        headers=[(("h", b"%d" % offset),) for offset in offsets],
        offsets=offsets,
    )


def rows(chunk: Chunk) -> list[tuple[Any, ...]]:
    """The records of a chunk with their offsets."""
    return [
        (chunk.offset_of(i), chunk.values[i], chunk.timestamps[i], chunk.keys[i], chunk.headers[i])
        for i in range(len(chunk))
    ]


@given(chunks(), st.integers(0, 100))
def test_what_is_dropped_lies_before_the_offset(chunk: Chunk, offset: int) -> None:
    """Exactly the records from the offset on are left, each with its own offset, key, time and headers."""
    rest = chunk.drop_before(offset)
    assert [row for row in rows(chunk) if row[0] >= offset] == rows(rest)
    assert chunk.next_offset == rest.next_offset
    assert min(max(chunk.fetch_offset, offset), chunk.next_offset) == rest.fetch_offset


def test_a_tombstone_stays_none() -> None:
    """A null value is not an empty one."""
    chunk = Chunk(
        "t", 0, fetch_offset=0, next_offset=2, values=[None, b""], timestamps=[1, 2], offsets=[0, 1]
    )
    assert [None, b""] == chunk.values


def test_a_chunk_without_holes_keeps_no_list_of_offsets() -> None:
    """Contiguous offsets are counted, not stored."""
    chunk = Chunk(
        "t", 0, fetch_offset=3, next_offset=9, values=[b""] * 2, timestamps=[0, 0], offsets=[7, 8]
    )
    assert (None, 7, 8) == (
        chunk.offsets,
        chunk.offset_of(0),
        chunk.offset_of(1),
    )
