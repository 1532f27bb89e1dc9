"""The binary form of tocsin.samples."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import DecodeError
from schemas.handles import is_handle, make_handles, numbers_of, without_handles
from schemas.histograms import Hint, NativeHistogram
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

    with pytest.raises(DecodeError, match="version 9, this code reads 1 to 4"):
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


GOLDEN = Path(__file__).parent / "golden"
NATIVE = [
    NativeHistogram(
        schema=3,
        count=8.0,
        sum=6.0,
        zero_threshold=0.001,
        zero_count=1.0,
        positive={-8: 1.0, 5: 4.0},
        negative={2: 2.0},
    ),
    NativeHistogram(schema=-53, count=3.0, sum=2.5, positive={1: 3.0}, bounds=(0.5, 1.0)),
    NativeHistogram(count=0.5, zero_count=0.5, hint=Hint.GAUGE),
]
PLAIN = make_batch(
    "telemetry",
    3,
    watermark=1_767_225_595_000,
    record_time=1_767_225_601_000,
    samples=[
        ((("__name__", "up"), ("service", "cart")), 1_767_225_600_000, 1.5, 7),
        ((("__name__", "h"), ("service", "cart")), 1_767_225_600_000, 0.0, 7),
        ((("__name__", "up"), ("service", "cart")), 1_767_225_601_000, 2.5, 8),
    ],
)
WITH_HISTOGRAMS = replace(
    PLAIN, values=np.array([1.5, *make_handles(1, 2), 2.5]), histograms=NATIVE
)


@pytest.mark.parametrize(
    ("name", "batch"), [("samples-1.bin", PLAIN), ("samples-2.bin", WITH_HISTOGRAMS)]
)
def test_both_versions_are_what_they_were(name: str, batch: SampleBatch) -> None:
    """Bytes that were once written are read, and are written again: version 1 without histograms, 2 with them."""
    written = (GOLDEN / name).read_bytes()
    read = decode_batch(written)

    assert written == encode_batch(batch)
    assert same(batch, read)
    assert list(batch.histograms) == list(read.histograms)


def test_who_knows_version_1_only_refuses_version_2() -> None:
    """The version stands where it always stood, so older code says what it met; all else of it is as in version 1."""
    old, new = encode_batch(PLAIN), encode_batch(WITH_HISTOGRAMS)

    assert (1, 2) == (old[4], new[4])
    with pytest.raises(DecodeError, match="length of sample batch"):
        decode_batch(new[:4] + b"\x01" + new[5:])


finite = st.floats(0, 1e9)
buckets = st.dictionaries(st.integers(-300, 300), finite, max_size=4)
histograms = st.builds(
    NativeHistogram,
    st.integers(-4, 8),
    finite,
    finite,
    finite,
    finite,
    buckets,
    buckets,
    st.lists(finite, max_size=3).map(tuple),
    st.sampled_from(Hint),
)


@given(samples, st.lists(histograms, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_histograms_survive(
    found: list[tuple], native: list[NativeHistogram], chance: random.Random
) -> None:
    """Whatever they are, and whichever samples name them."""
    batch = make_batch("telemetry", 3, watermark=-5, record_time=7, samples=found)
    values = without_handles(batch.values)
    for at in range(len(values)):
        if chance.random() < 1 / 2:
            values[at : at + 1] = make_handles(1, chance.randrange(len(native)))
    batch = replace(batch, values=values, histograms=native)
    read = decode_batch(encode_batch(batch))

    assert same(batch, read)
    assert native == list(read.histograms)


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_damaged_batch_with_histograms_never_crashes(at: int, byte: int) -> None:
    """Refused or read; and what is read names no histogram that is not there."""
    data = bytearray(encode_batch(WITH_HISTOGRAMS))
    data[at % len(data)] = byte
    try:
        read = decode_batch(bytes(data))
    except DecodeError:
        return
    named = numbers_of(read.values[is_handle(read.values)])
    assert len(read) == 3
    assert data[4] == 1 or named.max(initial=-1) < len(read.histograms)


def test_a_histogram_that_is_not_there_is_refused() -> None:
    """A sample that names number 3 of three."""
    wrong = replace(WITH_HISTOGRAMS, values=np.array([1.0, *make_handles(1, 3), 1.0]))

    with pytest.raises(DecodeError, match="names a histogram that is not in its batch"):
        decode_batch(encode_batch(wrong))


def test_late_samples_travel_with_the_watermarks_that_they_came_behind() -> None:
    """A batch of late samples is of version 3, and nothing of it is lost on the way."""
    labels = make_labels({"__name__": "m"})
    batch = make_batch("t", 0, watermark=1, record_time=2, samples=[(labels, 5, 1.0, 7)] * 2)
    late = replace(batch, late_at=np.array([9, 11], np.int64))
    data = encode_batch(late)
    read = decode_batch(data)

    assert (3, len(encode_batch(batch)) + 16) == (data[4], len(data))
    assert read.late_at is not None
    assert [9, 11] == read.late_at.tolist()
    assert [11] == read.keep(np.array([False, True])).late_at.tolist()  # type: ignore[union-attr]  # as asserted above
    with pytest.raises(DecodeError, match="length"):
        decode_batch(data[:-8])


def test_late_histograms_travel_too() -> None:
    """A batch of late samples with histograms is of version 4."""
    late = replace(WITH_HISTOGRAMS, late_at=np.arange(3) + 9)
    data = encode_batch(late)
    read = decode_batch(data)

    assert 4 == data[4]
    assert read.late_at is not None
    assert late.late_at is not None
    assert late.late_at.tolist() == read.late_at.tolist()
    assert WITH_HISTOGRAMS.histograms == read.histograms
    assert (WITH_HISTOGRAMS.values.view(np.int64) == read.values.view(np.int64)).all()
