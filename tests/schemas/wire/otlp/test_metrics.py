"""Metrics in OTLP: every kind, as protobuf's own objects have it, and what is refused."""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData

from schemas.reasons import DeadLetterReason as Why
from schemas.reasons import IgnoreReason
from schemas.samples import STALE_BITS
from schemas.wire.columns import WHOLE
from schemas.wire.tenants import MOST_LOOKS
from tests.schemas.wire.otlp.messages import (
    CUMULATIVE,
    NOW,
    NOW_NS,
    SECOND_NS,
    finite,
    gauge,
    metrics,
    pairs,
    record,
    times,
)
from tests.schemas.wire.otlp.reading import GOLDEN, PLACE, Reading
from tests.schemas.wire.otlp.reference import samples_of


@given(st.lists(metrics(), max_size=3))
@settings(max_examples=60)
def test_metrics_are_what_protobufs_own_objects_hold(found: list[MetricsData]) -> None:
    """Whatever is written, the samples are those of a walk over protobuf's objects."""
    records = [value for each in found if (value := each.SerializeToString())]
    wanted = [sample for each in records for sample in samples_of(each, PLACE)]

    assert sorted(set(wanted)) == sorted(set(Reading().samples(*records)))


@given(st.data())
@settings(max_examples=50)
def test_a_known_layout_changes_nothing(data: st.DataObject) -> None:
    """Records that differ in numbers only are read by their layout, and give what a walk through each gives."""
    first = data.draw(metrics().filter(MetricsData.ByteSize))
    records = [first.SerializeToString()]
    for _ in range(3):
        other = MetricsData.FromString(records[0])
        for under in other.resource_metrics:
            for metric in under.scope_metrics[0].metrics:
                kind = metric.WhichOneof("data")
                for point in getattr(metric, kind).data_points if kind else ():
                    point.time_unix_nano = data.draw(times)
                    if kind in ("gauge", "sum") and point.WhichOneof("value") == "as_double":
                        point.as_double = data.draw(finite)
                    elif kind not in ("gauge", "sum") and point.count:
                        point.count = data.draw(st.integers(1, 2**60))
        records.append(other.SerializeToString())
    reading = Reading()

    for each in (*records, *records):
        assert sorted(set(samples_of(each, PLACE))) == sorted(set(reading.samples(each)))


def test_a_layout_is_used_again() -> None:
    """The second of two records that differ in numbers is not walked through."""
    reading = Reading()
    part: Any = reading.decoder._parts["metrics"]
    reading.decode(gauge(1.5, code="a"), gauge(2.5, NOW_NS + 1, code="a"))
    part._walk = None
    columns = reading.decode(gauge(3.5, NOW_NS + SECOND_NS, code="a"))

    assert [3.5] == columns.values.tolist()
    assert [NOW + 1000] == columns.times.tolist()


@pytest.mark.parametrize("producer", ["sdk", "collector"])
def test_golden_records_are_what_protobufs_own_objects_hold(producer: str) -> None:
    """So it is for what the SDK and the Collector really write; totals are those of the deltas added up."""
    reading = Reading()
    totals: dict[Any, float] = {}
    wanted = set()
    records = GOLDEN[producer]["metrics"]
    for each in records:
        for name, labels, time, value in samples_of(each, PLACE):
            number = float(value)
            if any(label == "source_partition" for label, _ in labels):
                number += totals.get((name, labels), 0.0)
                totals[name, labels] = number
            wanted.add((name, labels, time, repr(number)))

    assert wanted == set(reading.samples(*records))
    assert {"http_server_request_duration_seconds_bucket", "cpu_utilization_ratio"} < {
        name for name, *_ in wanted
    }
    assert totals


def test_the_collectors_json_is_its_protobuf() -> None:
    """Every metric of the Collector's JSON is there, kind by kind, as in its protobuf."""

    def shape(producer: str) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
        return sorted(s[:2] for s in Reading().samples(*GOLDEN[producer]["metrics"]))

    assert shape("collector") == shape("collector_json")


def test_exemplars_are_counted_and_left_out() -> None:
    """The SDK's records have exemplars; each is counted as ignored, and samples are none."""
    columns = Reading().decode(*GOLDEN["sdk"]["metrics"])

    assert columns.ignored[IgnoreReason.EXEMPLAR] > 0


def test_a_point_without_a_value_is_a_stale_marker() -> None:
    """The flag "no recorded value" ends the series, for every sample of a point, bit by bit."""

    def fill(metric: Any) -> None:
        point = metric.histogram.data_points.add(time_unix_nano=NOW_NS, flags=1)
        point.explicit_bounds.extend([1.0])
        point.bucket_counts.extend([0, 0])
        metric.histogram.aggregation_temporality = CUMULATIVE

    columns = Reading().decode(record(fill))

    assert [STALE_BITS] * 3 == columns.values.view(np.int64).tolist()
    assert columns.meant is not None
    assert columns.meant.all()


REFUSED: dict[str, tuple[Callable[[Any], None], Why]] = {
    "no value": (lambda m: m.gauge.data_points.add(time_unix_nano=1), Why.MISSING_VALUE),
    "no temporality": (lambda m: m.sum.data_points.add(as_int=1), Why.MALFORMED),
    "nothing left of its name": (
        lambda m: (setattr(m, "name", ".."), m.gauge.data_points.add(as_int=1)),
        Why.MISSING_METRIC,
    ),
    "scale too coarse": (
        lambda m: (
            setattr(m.exponential_histogram, "aggregation_temporality", CUMULATIVE),
            m.exponential_histogram.data_points.add(scale=-9),
        ),
        Why.MALFORMED,
    ),
    "counts without bounds": (
        lambda m: (
            setattr(m.histogram, "aggregation_temporality", CUMULATIVE),
            m.histogram.data_points.add(bucket_counts=[1, 2, 3]),
        ),
        Why.MALFORMED,
    ),
    "label too long": (
        lambda m: m.gauge.data_points.add(as_int=1, attributes=pairs(x="y" * 5000)),
        Why.LABEL_TOO_LONG,
    ),
    "reserved label": (
        lambda m: m.gauge.data_points.add(as_int=1, attributes=pairs(__x__="y")),
        Why.BAD_LABEL,
    ),
}


@pytest.mark.parametrize(("fill", "why"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_refused_with_its_reason(fill: Callable[[Any], None], why: Why) -> None:
    """One refusal for each fault, every time that it comes, and what stands beside it goes through."""
    reading = Reading()
    bad = record(fill)

    for _ in range(2):
        columns = reading.decode(gauge(1.0), bad, gauge(2.0))

        assert [(1, why)] == [(r.record, r.reason) for r in columns.refused]
        assert [1.0, 2.0] == columns.values.tolist()


@pytest.mark.parametrize("fill", [REFUSED[at][0] for at in REFUSED], ids=REFUSED)
def test_what_is_wrong_in_a_record_leaves_the_rest_of_it(fill: Callable[[Any], None]) -> None:
    """One fault, one refusal; the metrics before and after it in the same record go through."""
    data = MetricsData.FromString(record(fill))
    metrics = data.resource_metrics[0].scope_metrics[0].metrics
    for name, value in (("before", 1.0), ("after", 2.0)):
        metrics.add(name=name).gauge.data_points.add(time_unix_nano=NOW_NS, as_double=value)
    metrics.insert(0, metrics.pop(1))
    columns = Reading().decode(data.SerializeToString())

    assert 1 == len(columns.refused)
    assert [1.0, 2.0] == sorted(columns.values.tolist())


def test_a_record_with_too_many_samples_is_refused_whole() -> None:
    """The limit counts samples, not points."""

    def fill(metric: Any) -> None:
        for number in range(11):
            metric.gauge.data_points.add(as_int=number, time_unix_nano=NOW_NS)

    columns = Reading(samples_per_message=10).decode(record(fill))

    assert [(0, WHOLE, Why.TOO_LARGE)] == [r[:3] for r in columns.refused]


def test_series_over_the_limit_are_refused_alone() -> None:
    """A tenant that has all its series gets no more; those that it has go on, by walk and by layout."""
    reading = Reading(series_per_tenant=1)

    for _ in range(2):
        columns = reading.decode(gauge(1.0, code="a"), gauge(2.0, code="b"))

        assert [1.0] == columns.values.tolist()
        assert [(1, Why.TOO_MANY_SERIES)] == [(r.record, r.reason) for r in columns.refused]


def test_a_flood_of_new_series_is_refused_unread() -> None:
    """After so many looks in a minute, a tenant at its limit is refused by name alone, and only counted."""
    reading = Reading(series_per_tenant=1)
    reading.decode(gauge(1.0, code="a"))
    columns = reading.decode(*(gauge(1.0, code=f"b{n}") for n in range(MOST_LOOKS + 7)))

    assert {("default", Why.TOO_MANY_SERIES): 7} == columns.unread
    assert MOST_LOOKS == len(columns.refused)
    assert [1.0] == reading.decode(gauge(1.0, code="a")).values.tolist()
    own = gauge(1.0, tenant="other", code="b")
    assert [1.0] == reading.decode(own).values.tolist()


def test_ids_follow_an_interner_that_counts_anew() -> None:
    """When series have gone and ids are others, label sets are found anew."""
    reading = Reading()
    reading.interner.hear(reading.decode(gauge(1.0, code="a")).series, 1)
    reading.interner.hear(reading.decode(gauge(1.0, code="b")).series, 9)
    reading.interner.retire(5)
    reading.interner.compact()

    for code in "ab":
        (found,) = reading.samples(gauge(2.0, code=code))
        assert ("code", code) in found[1]


def test_a_time_that_is_missing_is_left_to_be_refused() -> None:
    """Time 0 is no time."""
    assert [-1] == Reading().decode(gauge(1.0, 0)).times.tolist()


def test_target_info_tells_the_other_attributes() -> None:
    """Each resource with an identity and more to tell has one sample of it, at its newest time."""

    def fill(metric: Any) -> None:
        for second in (3, 1):
            at = NOW_NS + second * SECOND_NS
            metric.gauge.data_points.add(time_unix_nano=at, as_int=1, attributes=pairs(n=second))

    found = Reading().samples(record(fill, **{"os.type": "linux"}))
    wanted = (("job", "cart"), ("os_type", "linux"), ("service", "cart"))

    assert ("target_info", wanted, NOW + 3000, "1.0") == found[-1]


def test_fields_in_a_strange_order_are_read_field_by_field() -> None:
    """A producer that writes attributes first, and the value before the time, is understood all the same."""
    label = pairs(code="a")[0].SerializeToString()
    point = b"\x3a" + bytes([len(label)]) + label
    point += b"\x31" + struct.pack("<q", -7) + b"\x19" + struct.pack("<Q", NOW_NS)
    field = b"\x0a" + bytes([len(point)]) + point
    metric = b"\x0a\x01m\x2a" + bytes([len(field)]) + field
    scope = b"\x12" + bytes([len(metric)]) + metric
    under = b"\x12" + bytes([len(scope)]) + scope
    value = b"\x0a" + bytes([len(under)]) + under
    reading = Reading()

    for _ in range(2):
        assert [("m", (("code", "a"),), NOW, "-7.0")] == reading.samples(value)


def test_a_length_that_is_a_brace_is_no_json() -> None:
    """Protobuf begins with a line feed, and 123 bytes behind it make what looks like the beginning of an object."""
    values = [gauge(1.0, code="x" * length) for length in range(40, 90)]
    braced = [value for value in values if value.startswith(b"\n{")]

    assert 1 == len(braced)
    assert [1.0] == Reading().decode(*braced).values.tolist()


def test_a_summary_which_no_producer_here_writes_is_made_by_hand() -> None:
    """One series by quantile, sum and count; what is not written is 0."""

    def fill(metric: Any) -> None:
        point = metric.summary.data_points.add(time_unix_nano=NOW_NS, count=5)
        point.quantile_values.add(quantile=0.5, value=1.25)
        point.quantile_values.add(quantile=0.99)

    job, service = ("job", "cart"), ("service", "cart")

    assert [
        ("m", (job, ("quantile", "0.5"), service), NOW, "1.25"),
        ("m", (job, ("quantile", "0.99"), service), NOW, "0.0"),
        ("m_count", (job, service), NOW, "5.0"),
        ("m_sum", (job, service), NOW, "0.0"),
    ] == Reading().samples(record(fill))
