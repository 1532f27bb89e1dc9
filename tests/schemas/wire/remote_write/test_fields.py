"""Fields of many messages at once: what one message after the other gives, and what protobuf itself reads."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.messages import WRITE_1, make
from schemas.errors import DecodeError
from schemas.wire.remote_write.fields import PADDING, VARINT, read_packed, read_varints, split
from schemas.wire.remote_write.message import Value, read_message
from schemas.wire.remote_write.message import read_varints as read_one_by_one

SAMPLE = make(WRITE_1)["Sample"]
HISTOGRAM = make(WRITE_1)["Histogram"]


def place(messages: list[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """These messages in one buffer: data, and where each begins and ends."""
    data = np.frombuffer(b"".join([*messages, bytes(PADDING)]), np.uint8)
    ends = np.cumsum([len(each) for each in messages]).astype(np.int64)
    return data, np.concatenate(([0], ends))[: len(messages)].astype(np.int64), ends


def read_together(messages: list[bytes]) -> list[list[tuple[int, Value]] | None]:
    """Tags and values of each message, None for what is none."""
    data, starts, ends = place(messages)
    fields, bad = split(data, starts, ends)
    found: list[list[tuple[int, Value]] | None] = [None if each else [] for each in bad.tolist()]
    numbers = read_varints(data, fields.start)[0].view(np.uint64).tolist()
    rows = zip(*(column.tolist() for column in fields), numbers, strict=True)
    for owner, tag, _, start, end, number in rows:
        values = found[owner]
        assert values is not None
        values.append((tag, number if tag & 7 == VARINT else data[start:end].tobytes()))
    return found


def read_each(message: bytes) -> list[tuple[int, Value]] | None:
    """The same of one message, read by a plain loop."""
    try:
        return list(read_message(message))
    except DecodeError:
        return None


written = st.builds(
    lambda value, time: SAMPLE(value=value, timestamp=time).SerializeToString(),
    st.floats(),
    st.integers(-(2**63), 2**63 - 1),
)
histograms = st.builds(
    lambda count, schema, deltas, length: HISTOGRAM(
        count_int=count, schema=schema, positive_deltas=deltas, positive_spans=[{"length": length}]
    ).SerializeToString(),
    st.integers(0, 2**64 - 1),
    st.integers(-(2**31), 2**31 - 1),
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=200),
    st.integers(0, 2**32 - 1),
)


@given(st.lists(st.one_of(written, histograms, st.binary(max_size=12)), max_size=8))
def test_many_at_once_are_what_one_after_the_other_is(messages: list[bytes]) -> None:
    """Good messages beside bad ones: every field of each, and which are no message."""
    assert list(map(read_each, messages)) == read_together(messages)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_a_neighbour_changes_nothing(one: bytes, other: bytes) -> None:
    """A message that is cut off does not run on into the next one."""
    assert read_together([one])[0] == read_together([one, other])[0]


@given(
    st.lists(
        st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 300), max_size=6)
        | st.lists(st.integers(0, 2**14 - 1), max_size=6),
        max_size=6,
    )
)
def test_packed_numbers_are_read_stretch_by_stretch(stretches: list[list[int]]) -> None:
    """Every number, and how many each stretch has."""
    texts = [
        HISTOGRAM(count_int=0, positive_deltas=[]).SerializeToString() + b"".join(map(varint, each))
        for each in stretches
    ]
    data, starts, ends = place(texts)
    lengths = [sum(len(varint(number)) for number in each) for each in stretches]
    starts = ends - np.array(lengths, np.int64)
    values, counts, bad = read_packed(data, starts, ends)

    assert [number for each in stretches for number in each] == values.view(np.uint64).tolist()
    assert [len(each) for each in stretches] == counts.tolist()
    assert not bad.any()


@given(st.lists(st.binary(max_size=14), max_size=5))
def test_a_stretch_that_is_cut_off_is_bad_alone(texts: list[bytes]) -> None:
    """Packed numbers of any bytes: those of good stretches, whatever stands between them."""
    values, counts, bad = read_packed(*place(texts))
    expected: list[list[int] | None] = []
    for text in texts:
        try:
            expected.append(read_one_by_one(text))
        except DecodeError:
            expected.append(None)
    cuts = np.split(values.view(np.uint64), np.cumsum(counts)[:-1]) if texts else []

    assert [each is None for each in expected] == bad.tolist()
    assert [e for e in expected if e is not None] == [
        part.tolist() for part, is_bad in zip(cuts, bad, strict=True) if not is_bad
    ]


def varint(number: int) -> bytes:
    """A number as protobuf writes it."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


@pytest.mark.parametrize(
    "message",
    [
        b"\x08",
        b"\x0a\x05abc",
        b"\x00\x01",
        b"\x0b",
        b"\x0f\x01",
        b"\x08" + b"\xff" * 10,
        b"\x09\x01",
    ],
    ids=[
        "no value",
        "too short",
        "field 0",
        "group",
        "wire type 7",
        "endless number",
        "half a double",
    ],
)
def test_what_is_no_message_is_named(message: bytes) -> None:
    """Each of the ways in which bytes are no message is seen, by both readers."""
    assert [None] == read_together([message])
    assert read_each(message) is None
