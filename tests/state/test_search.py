"""The newest whole snapshot among the records of the state topic."""

import zlib
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from streams.state.pointer import Pointer
from streams.state.search import Part, Parts, sort_parts

PREFIX = b"detect/t/0"


class Record(NamedTuple):
    """A record of the state topic."""

    offset: int
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


def written(at: int, slot: int, covers: int, blob: bytes, parts: int) -> list[Record]:
    """The records of one write, that begins at an offset of the topic."""
    write = b"%d:%d" % (covers, zlib.crc32(blob))
    size = -(-len(blob) // parts)
    return [
        Record(
            at + n,
            b"%b/%d/%d" % (PREFIX, slot, n),
            blob[n * size : (n + 1) * size],
            (("write", write),),
        )
        for n in range(parts)
    ]


def newest(records: list[Record]) -> Pointer | None:
    """What is found among these."""
    parts = Parts()
    sort_parts(records, "write", {PREFIX: parts})
    return parts.newest(5)


def test_the_last_whole_write_is_found() -> None:
    """Three writes in three slots: the last one counts, though an older one covers more."""
    records = [
        *written(0, 0, 900, b"aaaa", 2),
        *written(2, 1, 100, b"bbbbbb", 3),
        *written(5, 2, 200, b"cc", 1),
    ]
    assert Pointer(200, 5, 5, 5, 1, 2, zlib.crc32(b"cc")) == newest(records)
    assert Pointer(100, 5, 2, 4, 3, 1, zlib.crc32(b"bbbbbb")) == newest(records[:5])
    # the second write lacks its last part
    assert Pointer(900, 5, 0, 1, 2, 0, zlib.crc32(b"aaaa")) == newest(records[:4])


def test_what_is_not_ours_is_passed_over() -> None:
    """Other stages' parts, parts without a header, and nothing at all."""
    (record,) = written(0, 0, 1, b"x", 1)
    others = [record._replace(key=b"ingest/t/0/0/0"), record._replace(headers=())]
    assert newest(others) is None
    assert newest([]) is None


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.binary(min_size=4)), min_size=1),
    st.data(),
)
def test_whatever_was_cut_off_a_whole_write_is_found(
    writes: list[tuple[int, int, bytes]], data: st.DataObject
) -> None:
    """Of writes over one another in three slots, cut anywhere, what is found is whole; uncut, it is the last one."""
    records: list[Record] = []
    for covers, (slot, parts, blob) in enumerate(writes):
        records += written(len(records), slot, covers, blob, parts)
    found = newest(records)
    assert found is not None
    assert (len(writes) - 1, zlib.crc32(writes[-1][2])) == (found.offset, found.checksum)
    cut = data.draw(st.integers(0, len(records)))
    some = newest(records[:cut])
    if some is not None:
        assert some.checksum == zlib.crc32(writes[some.offset][2])
        assert some.last < cut


def test_a_part_of_a_longer_write_before_does_not_count() -> None:
    """A slot's third part is left over from a longer snapshot: it is of another write."""
    records = [*written(0, 0, 1, b"aaabbbccc", 3), *written(3, 0, 2, b"dddeee", 2)]
    found = newest(records)
    assert found is not None
    assert (2, 3, 4, 2) == (found.offset, found.first, found.last, found.parts)


def test_parts_hold_no_more_than_there_are_keys() -> None:
    """However often a slot was written, its last parts are what is held."""
    parts = Parts()
    for at in range(100):
        parts.put(0, 0, Part(at, (at, 0), b""))
    assert 1 == len(parts._parts)
