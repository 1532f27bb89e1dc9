"""What a standby holds of the partitions of others."""

import zlib
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from streams.state.pointer import Pointer
from streams.state.snapshots import SnapshotReader
from streams.state.standby import WRITE_HEADER, WRITES, Held, Standby
from streams.transport.broker import Broker
from tests.state.world import HERE

HOME = TopicPartition("state", 0)


def part(size_bytes: int) -> SimpleNamespace:
    """A record with so large a value."""
    return SimpleNamespace(value=bytes(size_bytes))


def record(tp: TP, write: bytes, value: bytes) -> SimpleNamespace:
    """The only part of a snapshot, as it lies on the topic."""
    key = f"detect/{tp.topic}/{tp.partition}/0/0".encode()
    return SimpleNamespace(key=key, value=value, headers=[(WRITE_HEADER, write)], timestamp=7)


def test_a_write_is_there_when_all_its_parts_are() -> None:
    """A snapshot that lacks a part is not given out."""
    held = Held()
    held.put(b"p", b"w", 1, part(1))
    assert held.get(b"p", b"w", 2) is None
    held.put(b"p", b"w", 0, part(1))
    assert {0, 1} == (held.get(b"p", b"w", 2) or {}).keys()


def test_the_write_before_the_last_is_still_there() -> None:
    """The last one may never have been committed; older ones go."""
    held = Held()
    for write in (b"1", b"2", b"3"):
        held.put(b"p", write, 0, part(10))
    assert [False, True, True] == [held.get(b"p", w, 1) is not None for w in (b"1", b"2", b"3")]
    assert 10 * WRITES == held.size_bytes


@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"p", b"q", b"r"]),
            st.sampled_from([b"1", b"2", b"3", b"4"]),
            st.integers(0, 3),
            st.integers(0, 40),
        )
    )
)
def test_it_never_holds_more_than_it_may(puts: list[tuple[bytes, bytes, int, int]]) -> None:
    """Whatever comes, its size is the sum of what it gives out, and within the limit."""
    held = Held(most_bytes=100)
    for prefix, write, index, size_bytes in puts:
        held.put(prefix, write, index, part(size_bytes))
        sizes = [len(r.value) for w in held.writes.values() for p in w.values() for r in p.values()]
        assert sum(sizes) == held.size_bytes <= 100
    for prefix in list(held.writes):
        held.forget(prefix)
    assert 0 == held.size_bytes


async def test_what_it_holds_is_restored_without_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader with a standby that has the snapshot connects to no broker; one without does."""
    standby = Standby(Broker("nowhere:1"))
    monkeypatch.setattr(standby, "_run", _nothing)
    blob = zlib.compress(b"state")
    pointer = Pointer(8, 0, 0, 0, 1, 0, zlib.crc32(blob))
    write = f"{pointer.offset}:{pointer.checksum}".encode()
    standby.take([record(HERE, write, blob)])
    standby.follow("detect", {b"detect/t/0": HOME})
    async with SnapshotReader("detect", "state", Broker("nowhere:1"), standby) as reader:
        monkeypatch.setattr(reader, "_connect", _refuse)
        with pytest.raises(ConnectionError):
            await reader.read(HERE, pointer)
        standby.take([record(HERE, write, blob)])
        assert (b"state", 7) == await reader.read(HERE, pointer)
        standby.follow("detect", {})
        with pytest.raises(ConnectionError):
            await reader.read(HERE, pointer)
    assert 1 == standby.given
    await standby.stop()


async def _nothing() -> None:
    return None


async def _refuse() -> None:
    raise ConnectionError
