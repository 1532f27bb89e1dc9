"""Exponential histograms: as native ones, coarser where they must be, and added up."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.metrics.v1.metrics_pb2 import ExponentialHistogramDataPoint as Point
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData

from schemas.errors import DecodeError
from schemas.handles import is_handle
from schemas.histograms import NativeHistogram
from schemas.reasons import DeadLetterReason as Why
from schemas.wire.otlp.exponential import (
    LEAST_ZERO_THRESHOLD,
    MOST_BUCKETS,
    Exponential,
    added,
    exponential,
)
from tests.schemas.wire.otlp.reading import GOLDEN, Reading

NOW_NS = 1_700_000_000_000_000_000


def read(point: Point) -> Exponential:
    value = point.SerializeToString()
    return exponential(value, 0, len(value))


def of(values: list[float], scale: int) -> Point:
    """A point of these observations, none of which is on a bound."""
    base = 2.0 ** (2.0**-scale)
    point = Point(scale=scale, count=len(values), sum=sum(values))
    indexes = [math.ceil(math.log(value, base)) - 1 for value in values]
    if indexes:
        point.positive.offset = min(indexes)
        counts = [indexes.count(n) for n in range(min(indexes), max(indexes) + 1)]
        point.positive.bucket_counts.extend(counts)
    return point


def test_buckets_are_numbered_as_prometheus_numbers_them() -> None:
    """A value in (1, 2] is in bucket 0 there and in bucket 1 here."""
    found = read(of([1.5, 3.0, 3.5], 0)).histogram

    assert {1: 1.0, 2: 2.0} == found.positive
    assert (0, 3.0, 8.0, LEAST_ZERO_THRESHOLD) == (
        found.schema,
        found.count,
        found.sum,
        found.zero_threshold,
    )


def test_negative_ones_and_zeros_are_there() -> None:
    """Both sides, the bucket around zero and its width."""
    point = Point(scale=2, count=5, zero_count=2, zero_threshold=0.5)
    point.negative.offset = -3
    point.negative.bucket_counts.extend([1, 0, 2])
    found = read(point).histogram

    assert {-2: 1.0, 0: 2.0} == found.negative
    assert (2.0, 0.5) == (found.zero_count, found.zero_threshold)


near = st.lists(st.floats(1.01, 2.0).filter(lambda v: math.log2(v) % 1 > 1e-6), max_size=9)
values = st.lists(st.floats(0.001, 1000.0).filter(lambda v: math.log2(v) % 1 > 1e-6), max_size=20)


@given(near, st.integers(9, 10))
def test_a_scale_that_is_too_fine_is_made_coarser(found: list[float], scale: int) -> None:
    """As if it had been recorded with the finest scale that Prometheus has."""
    assert read(of(found, 8)).histogram.positive == read(of(found, scale)).histogram.positive


@given(values, values, st.integers(-2, 3), st.integers(-2, 3))
def test_two_added_are_all_observations_at_the_coarser_scale(
    one: list[float], other: list[float], scale: int, other_scale: int
) -> None:
    """Whatever their scales."""
    both = added(read(of(one, scale)).histogram, read(of(other, other_scale)).histogram)
    wanted = read(of(one + other, min(scale, other_scale))).histogram

    assert wanted.positive == both.positive
    assert (wanted.count, wanted.schema) == (both.count, both.schema)


def test_a_wider_zero_takes_what_lies_within_it() -> None:
    """Buckets that end below the wider threshold become part of it."""
    narrow = NativeHistogram(count=3.0, zero_threshold=0.1, positive={-2: 1.0, 3: 2.0})
    wide = NativeHistogram(count=1.0, zero_threshold=0.25, zero_count=1.0)
    found = added(narrow, wide)

    assert ({3: 2.0}, 2.0, 0.25) == (found.positive, found.zero_count, found.zero_threshold)


@pytest.mark.parametrize(
    "point", [Point(scale=-5), Point(positive={"bucket_counts": [1] * (MOST_BUCKETS + 1)})]
)
def test_what_prometheus_has_not_is_refused(point: Point) -> None:
    """Scales that are too coarse, and buckets without end."""
    with pytest.raises(DecodeError):
        read(point)


def record(point: Point, temporality: int) -> bytes:
    data = MetricsData()
    metric = data.resource_metrics.add().scope_metrics.add().metrics.add(name="h")
    metric.exponential_histogram.aggregation_temporality = temporality
    point.time_unix_nano = NOW_NS + point.count * 10**6
    metric.exponential_histogram.data_points.append(point)
    return data.SerializeToString()


def test_they_travel_as_histograms() -> None:
    """A sample whose value names a native histogram, running totals as they are and deltas added up."""
    reading = Reading()
    columns = reading.decode(
        record(of([1.5], 0), 2), record(of([1.5], 0), 1), record(of([3.0, 3.0], 0), 1)
    )

    assert is_handle(columns.values).all()
    assert [1.0, 1.0, 3.0] == [each.count for each in columns.histograms]
    assert {1: 1.0, 2: 2.0} == columns.histograms[2].positive
    twice = reading.decode(record(of([3.0, 3.0], 0), 1))
    assert [Why.REPEATED] == [r.reason for r in twice.refused]


def test_counts_that_do_not_come_to_all_are_refused() -> None:
    """As Prometheus does, unless one of what was counted is NaN, which is in no bucket."""
    short = Point(scale=0, count=3, sum=2.0)
    short.positive.bucket_counts.extend([1, 1])
    odd = Point(scale=0, count=3, sum=float("nan"), positive=short.positive)
    found = [Reading().decode(record(point, 2)) for point in (short, odd)]

    assert [[Why.BAD_HISTOGRAM], []] == [[r.reason for r in each.refused] for each in found]
    assert "2 observations in buckets, 3 in all" == found[0].refused[0].detail


def test_a_histogram_that_is_none_is_refused_alone() -> None:
    """A bucket beyond all numbers, in a record with a good one."""
    bad = Point(scale=0, count=1)
    bad.positive.offset = 2**30
    bad.positive.bucket_counts.append(1)
    columns = Reading().decode(record(bad, 2), record(of([1.5], 0), 2))

    assert [(0, Why.BAD_HISTOGRAM)] == [(r.record, r.reason) for r in columns.refused]
    assert 1 == len(columns.histograms)


def test_one_without_a_value_is_a_stale_marker() -> None:
    """No histogram then."""
    columns = Reading().decode(record(Point(flags=1), 2))

    assert [] == columns.histograms
    assert columns.meant is not None
    assert [True] == columns.meant.tolist()


@pytest.mark.parametrize("producer", GOLDEN)
def test_the_golden_ones_are_histograms(producer: str) -> None:
    """What the SDK counted in a histogram of its own making: five latencies, then ten."""
    columns = Reading().decode(*GOLDEN[producer]["metrics"][:3])
    counts = sorted({each.count for each in columns.histograms})

    assert [5.0, 10.0] == counts
    assert pytest.approx(25.83) == columns.histograms[-1].sum
