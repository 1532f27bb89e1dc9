"""Histograms of remote write: spans and differences to counts by bucket, and what is refused."""

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.messages import WRITE_1, WRITE_2, make
from schemas.errors import DecodeError
from schemas.histograms import CUSTOM_SCHEMA, Hint, NativeHistogram
from schemas.reasons import DeadLetterReason as Why
from schemas.samples import STALE_BITS
from schemas.wire.remote_write.histogram import TimedHistogram, read_histogram

HISTOGRAM, LATER = make(WRITE_1)["Histogram"], make(WRITE_2)["Histogram"]


def spans(buckets: dict[int, int], gap: int) -> tuple[list[dict[str, int]], list[int]]:
    """Spans over these buckets, and their counts; a gap of up to so many empty buckets is filled."""
    made: list[dict[str, int]] = []
    counts: list[int] = []
    behind = 0
    for index in sorted(buckets):
        if made and index - behind <= gap:
            counts += [0] * (index - behind)
            made[-1]["length"] += index - behind + 1
        else:
            made.append({"offset": index - behind, "length": 1})
        counts.append(buckets[index])
        behind = index + 1
    return made, counts


def written(histogram: NativeHistogram, time: int, gap: int, *, as_float: bool, kind: Any) -> bytes:
    """A histogram of whole counts as Prometheus writes it, with counts or with differences."""
    message = kind(
        sum=histogram.sum,
        schema=histogram.schema,
        zero_threshold=histogram.zero_threshold,
        reset_hint=histogram.hint,
        timestamp=time,
        custom_values=histogram.bounds,
    )
    if as_float:
        message.count_float, message.zero_count_float = histogram.count, histogram.zero_count
    else:
        message.count_int, message.zero_count_int = int(histogram.count), int(histogram.zero_count)
    for side, buckets in (("positive", histogram.positive), ("negative", histogram.negative)):
        made, counts = spans({index: int(n) for index, n in buckets.items()}, gap)
        for each in made:
            getattr(message, f"{side}_spans").add(**each)
        if as_float:
            getattr(message, f"{side}_counts").extend(counts)
        else:
            before = [0, *counts]
            steps = [now - last for now, last in zip(counts, before, strict=False)]
            getattr(message, f"{side}_deltas").extend(steps)
    return message.SerializeToString()


sides = st.dictionaries(st.integers(-30, 30), st.integers(1, 10**6).map(float), max_size=8)


@st.composite
def histograms(draw: st.DrawFn) -> NativeHistogram:
    """Histograms whose buckets come to their count."""
    positive, negative = draw(sides), draw(sides)
    zeros = float(draw(st.integers(0, 100)))
    return NativeHistogram(
        schema=draw(st.integers(-4, 8)),
        count=sum(positive.values()) + sum(negative.values()) + zeros,
        sum=draw(st.floats(-1e9, 1e9)),
        zero_threshold=draw(st.floats(0, 1)),
        zero_count=zeros,
        positive=positive,
        negative=negative,
        hint=draw(st.sampled_from(Hint)),
    )


@given(
    histograms(), st.integers(0, 2**42), st.integers(0, 5), st.booleans(), st.sampled_from([1, 2])
)
def test_what_is_written_is_read(
    histogram: NativeHistogram, time: int, gap: int, as_float: bool, version: int
) -> None:
    """Every field, from counts and from differences, whatever gaps the spans leave, in both versions."""
    kind = {1: HISTOGRAM, 2: LATER}[version]
    data = written(histogram, time, gap, as_float=as_float, kind=kind)

    assert TimedHistogram(histogram, time) == read_histogram(data)


def test_custom_bounds() -> None:
    """Buckets by number of their bound, the last behind all of them."""
    made = HISTOGRAM(
        count_int=7, sum=6.5, schema=CUSTOM_SCHEMA, custom_values=[0.5, 1.0], timestamp=5
    )
    made.positive_spans.add(offset=0, length=1)
    made.positive_spans.add(offset=1, length=1)
    made.positive_deltas.extend([2, 3])

    expected = NativeHistogram(
        schema=CUSTOM_SCHEMA, count=7.0, sum=6.5, positive={0: 2.0, 2: 5.0}, bounds=(0.5, 1.0)
    )
    assert TimedHistogram(expected, 5) == read_histogram(made.SerializeToString())


def test_a_stale_marker_is_told_by_the_bits_of_the_sum() -> None:
    """It is no histogram; a sum that is any other NaN is one."""
    made = HISTOGRAM(timestamp=9).SerializeToString() + b"\x19"

    assert TimedHistogram(None, 9) == read_histogram(made + struct.pack("<q", STALE_BITS))
    other = read_histogram(made + struct.pack("<d", math.nan))
    assert other.histogram is not None
    assert math.isnan(other.histogram.sum)


def one(**fields: Any) -> bytes:
    """A histogram of one bucket with a count of 2, some fields of which are other."""
    plain = {"count_int": 2, "positive_spans": [{"length": 1}], "positive_deltas": [2]}
    return HISTOGRAM(**{**plain, **fields}).SerializeToString()


FLOAT = {"count_int": None, "count_float": 2.0, "positive_deltas": []}
BAD = {
    "a schema that is not known": one(schema=9),
    "a schema below all": one(schema=-5),
    "buckets beyond the count": one(count_int=1),
    "a count beyond the buckets": one(count_int=3),
    "a negative count": one(positive_deltas=[-2]),
    "a negative float": one(**FLOAT, positive_counts=[-1.0]),
    "a count that is NaN": one(**FLOAT | {"count_float": math.nan}, positive_counts=[1.0]),
    "an infinite bucket": one(**FLOAT, positive_counts=[math.inf]),
    "more buckets than spans": one(positive_deltas=[2, 0]),
    "longer spans than buckets": one(positive_spans=[{"length": 2**32 - 1}]),
    "spans that overlap": one(
        positive_spans=[{"length": 1}, {"offset": -1, "length": 1}], positive_deltas=[2, 0]
    ),
    "a bucket beyond all numbers": one(positive_spans=[{"offset": 2000, "length": 1}]),
    "bounds with an exponential schema": one(custom_values=[1.0]),
    "a bucket without a bound": one(schema=-53, positive_spans=[{"offset": 1, "length": 1}]),
    "a bucket before all bounds": one(schema=-53, positive_spans=[{"offset": -1, "length": 1}]),
    "bounds that do not ascend": one(schema=-53, custom_values=[1.0, 1.0]),
    "a bound that is NaN": one(schema=-53, custom_values=[math.nan]),
    "a zero bucket with custom bounds": one(schema=-53, count_int=3, zero_count_int=1),
    "a hint that is not known": one(reset_hint=4),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_a_histogram_that_contradicts_itself_is_refused(data: bytes) -> None:
    """Each by the same reason, and its words say what is wrong."""
    with pytest.raises(DecodeError) as told:
        read_histogram(data)

    assert Why.BAD_HISTOGRAM is told.value.reason
    assert told.value.detail.startswith("histogram: ")


@pytest.mark.parametrize(
    "data",
    [b"\x19\x00", b"\x1a\x00", b"\x62\x01\xff", b"\x82\x01\x07abcdefg", b"\x58\x05", b"\x0a\x00"],
    ids=[
        "half a sum",
        "empty sum",
        "endless step",
        "seven bytes",
        "a span that is a number",
        "a count in bytes",
    ],
)
def test_what_is_no_histogram_is_malformed(data: bytes) -> None:
    """Fields that are cut off, or of another type."""
    with pytest.raises(DecodeError) as told:
        read_histogram(data)

    assert Why.MALFORMED is told.value.reason


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Nothing else is raised, and no bucket is beyond all numbers."""
    try:
        found = read_histogram(data).histogram
    except DecodeError:
        return
    assert found is None or all(abs(index) < 2**20 for index in found.positive)
