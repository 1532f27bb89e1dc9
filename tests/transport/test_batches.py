"""Batches: their records as places, against what aiokafka makes of them."""

import pytest
from aiokafka.consumer.fetcher import READ_UNCOMMITTED, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.structs import TopicPartition
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import compiled
from schemas.spans import Spans
from streams.transport import batches
from streams.transport.batches import WALK, KeptRecords
from streams.transport.chunk import Chunk
from streams.transport.fetch import gather

RECORD = st.tuples(
    st.integers(0, 3),  # offsets that compaction took away before it
    st.integers(-(2**40), 2**40),
    st.none() | st.binary(max_size=3),
    st.none() | st.binary(max_size=200),
    st.lists(st.tuples(st.text(max_size=2), st.none() | st.binary(max_size=2)), max_size=2),
)
BATCH = st.tuples(
    st.integers(0, 4),  # codec
    st.booleans(),  # the time of the log
    st.integers(0, 5),  # offsets before it
    st.lists(RECORD, min_size=1, max_size=6),
)
Record = tuple[int, int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]
LOG_TIME_BIT, CONTROL_BIT = 0x08, 0x20


def build(first: int, codec: int, records: list[Record], bits: int = 0) -> tuple[bytes, int]:
    """A batch as it lies on the wire, and the offset behind it."""
    builder = DefaultRecordBatchBuilder(2, codec, False, -1, -1, -1, 1 << 20)
    offset = -1
    for hole, time, key, value, headers in records:
        offset += 1 + hole
        builder.append(offset, time, key, value, headers)
    batch = bytearray(builder.build())
    batch[0:8] = first.to_bytes(8, "big")
    batch[22] |= bits
    return bytes(batch), first + offset + 1


def unpack(kept: bytes, fetch_offset: int, *, walk: bool) -> Chunk:
    """The chunk of a fetch, whose checksums nobody asks."""
    records = PartitionRecords(
        TopicPartition("t", 0),
        KeptRecords(kept),
        [],
        fetch_offset,
        None,
        None,
        False,
        READ_UNCOMMITTED,
    )
    fetched = gather("t", 0, records, highwater=9, want_keys=False, want_headers=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "WORTH_CALLING", 0 if walk else 1 << 60)
        WALK.load()
        return fetched.unpack()


def shown(chunk: Chunk) -> list[object]:
    """All that a chunk says."""
    places = chunk.fetch_offset, chunk.next_offset, chunk.offset
    offsets = [chunk.offset_of(row) for row in range(len(chunk))]
    return [places, list(chunk.values), list(chunk.timestamps), offsets, chunk.offsets is None]


@settings(max_examples=100, deadline=None)
@given(st.lists(BATCH, min_size=1, max_size=4), st.integers(0, 12), st.integers(0, 12))
def test_places_are_the_records_that_aiokafka_makes(
    drawn: list[tuple[int, bool, int, list[Record]]], fetch_offset: int, cut: int
) -> None:
    """Whatever the codec, with holes, nulls, headers, from the middle of a batch; parts of the chunk too."""
    kept, offset = b"", 0
    for codec, time_of_log, hole, records in drawn:
        batch, offset = build(offset + hole, codec, records, LOG_TIME_BIT * time_of_log)
        kept += batch
    expected, found = (unpack(kept, fetch_offset, walk=walk) for walk in (False, True))
    assert shown(expected) == shown(found)
    assert shown(expected.drop_before(cut)) == shown(found.drop_before(cut))
    if cut < len(expected):
        assert [*map(shown, expected.split(cut))] == [*map(shown, found.split(cut))]


def test_plain_records_are_walked() -> None:
    """No object is made of a value that nobody asks for."""
    records: list[Record] = [(0, row, b"k", b"v%d" % row, [("h", b"v")]) for row in range(3)]
    chunk = unpack(build(5, 0, records)[0], 0, walk=True)
    assert isinstance(chunk.values, Spans)
    assert [b"v0", b"v1", b"v2"] == list(chunk.values)
    assert all(type(time) is int for time in chunk.timestamps)


def test_a_marker_between_batches_has_no_place() -> None:
    """Control batches are no records."""
    one, end = build(0, 0, [(0, 1, None, b"a", [])])
    marker, end = build(end, 0, [(0, 1, b"k", b"m", [])], CONTROL_BIT)
    two, _ = build(end, 4, [(0, 1, None, b"b", [])])
    chunk = unpack(one + marker + two, 0, walk=True)
    assert ([b"a", b"b"], [0, 2]) == (list(chunk.values), list(chunk.offsets or ()))


def test_a_codec_that_is_not_here_is_left_to_aiokafka(monkeypatch: pytest.MonkeyPatch) -> None:
    """It can say which."""
    monkeypatch.setattr(batches, "_CODECS", {0: bytes})
    chunk = unpack(build(0, 1, [(0, 1, None, b"a", [])])[0], 0, walk=True)
    assert [b"a"] == chunk.values


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_broken_records_are_what_they_are_to_aiokafka(draw: st.DataObject) -> None:
    """With any byte changed: the same records, or a fault of the same kind."""
    batch, _ = build(0, 0, draw.draw(st.lists(RECORD, min_size=1, max_size=4)))
    broken = bytearray(batch)
    # not the header, where the checksum stands in the way
    broken[draw.draw(st.integers(61, len(batch) - 1))] = draw.draw(st.integers(0, 255))
    outcomes = []
    for walk in (False, True):
        try:
            outcomes.append(shown(unpack(bytes(broken), 0, walk=walk)))
        except (CorruptRecordException, ValueError, OverflowError) as error:
            # not its text: aiokafka reads beyond the end, and says what it found there
            outcomes.append([type(error)])
    assert outcomes[0] == outcomes[1]
