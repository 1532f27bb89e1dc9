import pytest
from aiokafka.consumer.fetcher import READ_COMMITTED, READ_UNCOMMITTED, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.structs import TopicPartition

from streams.transport.batches import KeptRecords
from streams.transport.chunk import Chunk
from streams.transport.fetch import gather

TOPIC = TopicPartition("t", 0)


def batch(base_offset: int, values: list[bytes | None]) -> bytes:
    """One Kafka record batch as it lies on the wire."""
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1 << 20)
    for row, value in enumerate(values):
        builder.append(row, 1_000 + row, b"k", value, [("h", b"v")])
    data = bytearray(builder.build())
    data[0:8] = base_offset.to_bytes(8, "big")
    return bytes(data)


def fetched(data: bytes, fetch_offset: int = 0) -> PartitionRecords:
    """What aiokafka keeps of a fetch."""
    return PartitionRecords(
        TOPIC, KeptRecords(data), [], fetch_offset, None, None, True, READ_UNCOMMITTED
    )


def take(records: PartitionRecords) -> Chunk:
    return gather("t", 0, records, highwater=9, want_keys=True, want_headers=True).unpack()


def test_all_batches_of_a_fetch_become_one_chunk() -> None:
    """Values, keys, times and headers of all batches stand in order, tombstones included."""
    chunk = take(fetched(batch(0, [b"a", None]) + batch(2, [b"c"])))
    assert [b"a", None, b"c"] == chunk.values
    assert [1_000, 1_001, 1_000] == list(chunk.timestamps)
    assert [b"k"] * 3 == chunk.keys
    assert [(("h", b"v"),)] * 3 == chunk.headers
    assert (0, 3, 9) == (chunk.fetch_offset, chunk.next_offset, chunk.highwater)


def test_a_fetch_from_the_middle_of_a_batch_skips_its_beginning() -> None:
    """The broker sends whole batches; what lies before the asked offset is left out."""
    chunk = take(fetched(batch(0, [b"a", b"b", b"c"]), fetch_offset=2))
    assert ([b"c"], 2, 3, 2) == (
        chunk.values,
        chunk.fetch_offset,
        chunk.next_offset,
        chunk.offset_of(0),
    )


def test_holes_of_compaction_are_covered() -> None:
    """Offsets that compaction took away belong to the chunk, so no gap is seen after it."""
    chunk = take(fetched(batch(4, [b"a"]) + batch(9, [b"b"])))
    assert (0, 10, [4, 9]) == (chunk.fetch_offset, chunk.next_offset, list(chunk.offsets or ()))


def test_good_batches_before_a_corrupt_one_are_handed_on() -> None:
    """The position stops at the corrupt batch, so it is fetched again."""
    bad = bytearray(batch(2, [b"c"]))
    bad[-1] ^= 1
    records = fetched(batch(0, [b"a", b"b"]) + bytes(bad))
    chunk = take(records)
    assert ([b"a", b"b"], 2, 2) == (chunk.values, chunk.next_offset, records.next_fetch_offset)


def test_a_corrupt_first_batch_is_an_error() -> None:
    """With nothing good before it, the fault is raised with the place."""
    bad = bytearray(batch(0, [b"c"]))
    bad[-1] ^= 1
    with pytest.raises(CorruptRecordException, match="invalid checksum in t-0 at 0"):
        take(fetched(bytes(bad)))


def test_a_transaction_marker_moves_the_position_without_a_record() -> None:
    """A chunk may be empty; it still covers the marker's offset."""
    marker = bytearray(batch(0, [b"x"]))
    marker[21:23] = (int.from_bytes(marker[21:23], "big") | 0x20).to_bytes(2, "big")
    records = fetched(bytes(marker))
    records._check_crcs = False
    chunk = take(records)
    assert ([], 0, 1) == (chunk.values, chunk.fetch_offset, chunk.next_offset)


ABORT, COMMIT = 0, 1
CONTROL = 0x20


def of_transaction(base_offset: int, value: bytes, producer: int, key: bytes = b"k") -> bytes:
    """A batch that a producer has written within a transaction."""
    builder = DefaultRecordBatchBuilder(2, 0, True, producer, 0, 0, 1 << 20)
    builder.append(0, 1_000, key, value, [])
    data = bytearray(builder.build())
    data[0:8] = base_offset.to_bytes(8, "big")
    return bytes(data)


def marker(base_offset: int, kind: int, producer: int) -> bytes:
    """The control batch with which the broker ends a producer's transaction."""
    key = b"\0\0" + kind.to_bytes(2, "big")
    data = bytearray(of_transaction(base_offset, b"\0" * 6, producer, key))
    data[21:23] = (int.from_bytes(data[21:23], "big") | CONTROL).to_bytes(2, "big")
    return bytes(data)


@pytest.mark.parametrize(
    ("isolation", "expected"),
    [(READ_COMMITTED, [b"kept", b"next"]), (READ_UNCOMMITTED, [b"lost", b"kept", b"next"])],
)
def test_after_an_abort_the_same_producer_s_next_transaction_counts(
    isolation: int, expected: list[bytes]
) -> None:
    """Only what was written up to the abort marker is left out, by who reads what is committed."""
    data = b"".join(
        [
            of_transaction(0, b"lost", 7),
            of_transaction(1, b"kept", 8),
            marker(2, ABORT, 7),
            of_transaction(3, b"next", 7),
            marker(4, COMMIT, 7),
            marker(5, COMMIT, 8),
        ]
    )
    records = PartitionRecords(TOPIC, KeptRecords(data), [(7, 0)], 0, None, None, False, isolation)
    chunk = take(records)
    assert (expected, 0, 6) == (chunk.values, chunk.fetch_offset, chunk.next_offset)
