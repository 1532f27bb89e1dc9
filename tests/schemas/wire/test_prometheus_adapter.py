"""JSON of prometheus-kafka-adapter; it could not be had, so its records are written by hand after its source."""

import json
import math
from typing import Any

import pytest

from schemas.wire.columns import WHOLE
from tests.schemas.wire.decoding import Sample, decode

MS = 1_767_225_600_000


def record(value: str = "1.5", **parts: Any) -> bytes:
    """A sample as the adapter writes it."""
    labels = {"__name__": "up", "job": "api"}
    whole = {"timestamp": "2026-01-01T00:00:00Z", "value": value, "name": "up", "labels": labels}
    return json.dumps(whole | parts).encode()


def test_a_record_written_by_hand_is_a_sample() -> None:
    """The metric's name is taken out of the labels, where Prometheus put it, or else from the copy beside them."""
    found = decode(
        "prometheus_adapter", record(), record("2e3", labels={"job": "api"}), record(name="other")
    )

    assert [
        Sample('up{job="api"}', MS, 1.5),
        Sample('up{job="api"}', MS, 2000.0),
        Sample('up{job="api"}', MS, 1.5),
    ] == found.samples
    assert [WHOLE] * 3 == found.columns.items.tolist()


def test_nan_and_infinity_are_values() -> None:
    """What Prometheus has as NaN or infinity comes as a text, and is meant so."""
    found = decode("prometheus_adapter", record("+Inf"), record("-Inf"), record("NaN"), record("1"))
    values = [sample.value for sample in found.samples]

    assert [math.inf, -math.inf, 1.0] == [v for v in values if not math.isnan(v)]
    assert found.columns.meant is not None
    assert [True, True, True, False] == found.columns.meant.tolist()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "empty_value"),
        (None, "tombstone"),
        (b"{", "not_json"),
        (b"\xff", "not_utf8"),
        (record("one"), "wrong_type"),
        (record("1_0"), "wrong_type"),
        (record(" 1"), "wrong_type"),
        (record("inf"), "wrong_type"),
        (record().replace(b'"1.5"', b"1.5"), "wrong_type"),
        (record(labels={"__name__": "up", "a": 1}), "wrong_type"),
        (record(labels={"__name__": ""}), "missing_metric"),
        (record(labels={"__name__": "up", "__x": "1"}), "bad_label"),
        (record().replace(b'"value"', b'"v"'), "missing_value"),
        (record().replace(b'"timestamp"', b'"t"'), "missing_time"),
        (record().replace(b'"labels"', b'"l"'), "missing_metric"),
    ],
)
def test_a_bad_record_is_refused_alone(value: bytes | None, reason: str) -> None:
    """Each fault has its reason, and the records before and behind are read."""
    found = decode("prometheus_adapter", record(), value, record())

    assert [(1, WHOLE, reason)] == found.refused
    assert [0, 2] == found.columns.records.tolist()


def test_what_is_no_time_is_minus_one() -> None:
    """A time that cannot be read is none, and Reader refuses it."""
    found = decode("prometheus_adapter", record(timestamp="now"))

    assert [-1] == [sample.time for sample in found.samples]
