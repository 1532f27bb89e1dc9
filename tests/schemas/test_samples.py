"""The binary form of tocsin.samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import DecodeError
from schemas.labels import make_labels
from schemas.samples import SampleBatch, decode_batch, encode_batch, make_batch

samples = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from("abc"), st.text(max_size=4), max_size=3).map(make_labels),
        st.integers(-(2**62), 2**62),
        st.floats(),
        st.integers(0, 2**62),
    ),
    max_size=20,
)


def same(one: SampleBatch, other: SampleBatch) -> bool:
    """Whether two batches are equal, NaN bits included."""
    return (
        (one.topic, one.partition, one.watermark, one.record_time)
        == (other.topic, other.partition, other.watermark, other.record_time)
        and list(one.label_bytes) == list(other.label_bytes)
        and all(
            getattr(one, c).tobytes() == getattr(other, c).tobytes()
            for c in ("fingerprints", "series", "times", "values", "offsets")
        )
    )


@given(samples)
def test_decoding_gives_back_what_was_encoded(found: list[tuple]) -> None:
    """A batch survives its binary form bit by bit."""
    batch = make_batch("telemetry", 3, watermark=-5, record_time=7, samples=found)

    assert same(decode_batch(encode_batch(batch)), batch)


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(data: bytes) -> None:
    """Bytes that are no batch raise DecodeError and nothing else."""
    with pytest.raises(DecodeError):
        decode_batch(data)


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_damaged_batch_never_crashes(at: int, byte: int) -> None:
    """A batch with one byte changed is refused or read, but raises nothing else."""
    data = bytearray(
        encode_batch(
            make_batch("t", 0, watermark=1, record_time=2, samples=[((("a", "b"),), 1, 2.0, 3)])
        )
    )
    data[at % len(data)] = byte
    try:
        read = decode_batch(bytes(data))
    except DecodeError:
        return
    assert len(read) == 1


def test_version_of_the_future_is_refused_by_number() -> None:
    """A reader says which version it met and which it knows."""
    data = bytearray(encode_batch(make_batch("t", 0, watermark=1, record_time=2)))
    data[4] = 9

    with pytest.raises(DecodeError, match="version 9, this code reads 1"):
        decode_batch(bytes(data))


def test_keep_leaves_the_dictionary_whole() -> None:
    """Masked samples go; fingerprints and labels stay where series point."""
    batch = make_batch(
        "t",
        0,
        watermark=1,
        record_time=2,
        samples=[((("a", "1"),), 1, 1.0, 0), ((("a", "2"),), 2, 2.0, 1)],
    )
    kept = batch.keep(np.array([False, True]))

    assert kept.values.tolist() == [2.0]
    assert kept.labels(int(kept.series[0])) == (("a", "2"),)
