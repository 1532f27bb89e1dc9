"""Vector's metrics in JSON; no Vector could be had, so its records are written by hand after its documentation."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.config import LimitsConfig
from schemas.errors import CheckpointError
from schemas.wire.columns import WHOLE, Remembering
from schemas.wire.identity import Identity
from schemas.wire.interner import Interner
from schemas.wire.vector import Vector
from tests.schemas.wire.decoding import Sample, decode, decode_with

MS = 1_767_225_600_123


def record(kind: str = "absolute", **parts: Any) -> bytes:
    """A metric as Vector writes it."""
    whole = {"name": "jobs", "timestamp": "2026-01-01T00:00:00.123456789Z", "kind": kind}
    return json.dumps(whole | parts).encode()


def counter(by: float, **parts: Any) -> bytes:
    """An increment of a counter."""
    return record("incremental", counter={"value": by}, **parts)


def vector(topic: str = "t", partition: int = 0) -> Vector:
    """A decoder that knows where it reads."""
    made = Vector(LimitsConfig())
    made.begin(topic, partition)
    return made


def test_counters_and_gauges_written_by_hand_are_samples() -> None:
    """The namespace stands before the name, tags are labels, and nanoseconds are cut."""
    found = decode(
        "vector",
        record(gauge={"value": 2.5}, namespace="shop", tags={"host": "web-1"}),
        record(counter={"value": 7}),
        b'{"metric": ' + record(gauge={"value": 1}) + b"}",
    )

    assert [
        Sample('shop_jobs{host="web-1"}', MS, 2.5),
        Sample("jobs", MS, 7.0),
        Sample("jobs", MS, 1.0),
    ] == found.samples
    assert [WHOLE] * 3 == found.columns.items.tolist()


def test_tags_of_several_values_give_the_last() -> None:
    """With `metric_tag_values: full` a tag is an array with nulls; what has no value is no label."""
    tags = {"a": ["1", None, "2", None], "b": [None], "c": None, "d": ""}
    found = decode("vector", record(gauge={"value": 1}, tags=tags))

    assert ['jobs{a="2"}'] == [sample.series for sample in found.samples]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"set": {"values": ["a", "b", "a"]}}, {"jobs": 2}),
        (
            {
                "aggregated_histogram": {
                    "buckets": [
                        {"upper_limit": 0.5, "count": 2},
                        {"upper_limit": 2.0, "count": 1},
                        {"upper_limit": None, "count": 1},
                    ],
                    "count": 4,
                    "sum": 9.5,
                }
            },
            {
                'jobs_bucket{le="0.5"}': 2,
                'jobs_bucket{le="2"}': 3,
                'jobs_bucket{le="+Inf"}': 4,
                "jobs_sum": 9.5,
                "jobs_count": 4,
            },
        ),
        (
            {
                "aggregated_summary": {
                    "quantiles": [{"quantile": 0.99, "value": 3}],
                    "count": 4,
                    "sum": 9,
                }
            },
            {'jobs{quantile="0.99"}': 3, "jobs_sum": 9, "jobs_count": 4},
        ),
        (
            {"distribution": {"samples": [{"value": 2, "rate": 3}], "statistic": "summary"}},
            {"jobs_sum": 6, "jobs_count": 3},
        ),
        (
            {
                "sketch": {
                    "sketch": {
                        "AgentDDSketch": {
                            "bins": {"k": [0], "n": [2]},
                            "count": 2,
                            "min": 1,
                            "max": 2,
                            "sum": 3,
                            "avg": 1.5,
                        }
                    }
                }
            },
            {"jobs_sum": 3, "jobs_count": 2, "jobs_min": 1, "jobs_max": 2},
        ),
    ],
)
def test_other_kinds_are_the_series_of_vectors_exporter(
    parts: dict[str, Any], expected: dict[str, float]
) -> None:
    """Each kind becomes the series that Vector's own exporter for Prometheus makes of it."""
    found = decode("vector", record(**parts))

    assert expected == {sample.series: sample.value for sample in found.samples}


def test_a_distribution_fills_buckets() -> None:
    """Samples of a distribution are counted up to each bound, a bound itself included, as often as their rate says."""
    samples = [{"value": 0.3, "rate": 2}, {"value": 10, "rate": 1}, {"value": 99, "rate": 1}]
    found = decode("vector", record(distribution={"samples": samples, "statistic": "histogram"}))
    counts = {s.series.partition("le=")[2]: s.value for s in found.samples if "le=" in s.series}

    assert (0, 2, 3, 4) == tuple(counts[f'"{le}"}}'] for le in ("0.25", "0.5", "10", "+Inf"))


def test_increments_are_added_up() -> None:
    """An incremental counter becomes the running count of its source partition; what is absolute stays as it is."""
    found = decode_with(
        vector("metrics", 3),
        [counter(2), record(counter={"value": 50}), counter(3), counter(1, tags={"host": "b"})],
    )

    assert [
        Sample('jobs{source_partition="metrics-3"}', MS, 2.0),
        Sample("jobs", MS, 50.0),
        Sample('jobs{source_partition="metrics-3"}', MS, 5.0),
        Sample('jobs{host="b",source_partition="metrics-3"}', MS, 1.0),
    ] == found.samples


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 9)), max_size=12), st.data())
def test_neither_cuts_nor_restarts_change_a_total(
    given_: list[tuple[str, int]], data: st.DataObject
) -> None:
    """However a log is cut into chunks, and wherever a restart falls, the totals are the same."""
    values = [counter(by, tags={"host": host}) for host, by in given_]
    whole = decode_with(vector(), values).samples
    cut = data.draw(st.integers(0, len(values)))
    first = vector()
    before = decode_with(first, values[:cut]).samples
    assert isinstance(first, Remembering)
    second = vector()
    second.restore(first.snapshot())

    assert whole == before + decode_with(second, values[cut:]).samples


def test_a_bad_snapshot_is_refused() -> None:
    """A snapshot of something else is no snapshot of this decoder."""
    with pytest.raises(CheckpointError, match="no count"):
        vector().restore({"sums": np.zeros(2)})


def test_what_is_refused_is_not_added() -> None:
    """An increment without a good time, or of a series for which there is no room, adds nothing."""
    limits = LimitsConfig(series_per_tenant=1)
    made = Vector(limits)
    bad = counter(5).replace(b"2026-01-01T00", b"yesterday")
    other = counter(5, name="other")
    interner = Interner(Identity(), limits)
    found = decode_with(made, [counter(1), bad, other, counter(1)], interner=interner)

    assert [(1.0, MS), (5.0, -1), (2.0, MS)] == [(s.value, s.time) for s in found.samples]
    assert [(2, WHOLE, "too_many_series")] == found.refused


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "empty_value"),
        (None, "tombstone"),
        (b"{", "not_json"),
        (b"\xff", "not_utf8"),
        (b"[]", "wrong_type"),
        (record(), "missing_value"),
        (record("sometimes", gauge={"value": 1}), "wrong_type"),
        (record(gauge={"value": None}), "wrong_type"),
        (record(gauge={}), "wrong_type"),
        (record(gauge={"value": 1}, timestamp=None), "missing_time"),
        (record(gauge={"value": 1}, tags={"a": 1}), "wrong_type"),
        (record(gauge={"value": 1}, name=""), "missing_metric"),
        (b'{"kind": "absolute", "gauge": {"value": 1}}', "missing_metric"),
        (record(aggregated_histogram={"buckets": [], "count": 1, "sum": 1}), "too_large"),
        (record(gauge={"value": 1}, tags={"a": "x" * 500}), "too_large"),
    ],
)
def test_a_bad_record_is_refused_alone(value: bytes | None, reason: str) -> None:
    """Each fault has its reason, and the records before and behind are read."""
    good = record(gauge={"value": 1})
    found = decode("vector", good, value, good, samples_per_message=2, message_bytes=400)

    assert [(1, WHOLE, reason)] == found.refused
    assert [0, 2] == found.columns.records.tolist()
