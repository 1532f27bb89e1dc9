"""Telegraf's JSON, one measurement a record or many."""

import json
from typing import Any

import pytest

from schemas.config.options import OptionsConfig
from schemas.reasons import IgnoreReason
from schemas.wire.columns import WHOLE
from tests.schemas.wire.decoding import Sample, decode, golden

TIME = 1_760_000_000
MS = TIME * 1000


def record(**parts: Any) -> bytes:
    """A measurement as Telegraf writes it, with the line feed behind it."""
    whole = {"name": "cpu", "tags": {"host": "web-1"}, "fields": {"usage": 1.5}, "timestamp": TIME}
    return json.dumps(whole | parts).encode() + b"\n"


def test_each_number_of_a_measurement_is_a_series() -> None:
    """A field that is a number or a boolean is a sample of `measurement_field`; texts are counted and left out."""
    found = decode("telegraf", record(fields={"usage": 1.5, "up": True, "state": "ok", "n": None}))

    assert [
        Sample('cpu_usage{host="web-1"}', MS, 1.5),
        Sample('cpu_up{host="web-1"}', MS, 1.0),
    ] == found.samples
    assert [0, 1] == found.columns.items.tolist()
    assert {IgnoreReason.TEXT_FIELD: 2} == found.columns.ignored


def test_names_are_those_of_telegrafs_own_exporter() -> None:
    """What is no name in Prometheus becomes one as Telegraf's serializer does it, and `prometheus` names nothing."""
    odd = record(name="disk.io", fields={"read-bytes": 2}, tags={"dev.name": "sda", "_x_": "1"})
    found = decode("telegraf", odd, record(name="prometheus", fields={"go_threads": 3}, tags={}))

    assert [
        Sample('disk_io_read_bytes{_x_="1",dev_name="sda"}', MS, 2.0),
        Sample("go_threads", MS, 3.0),
    ] == found.samples


def test_a_batch_is_many_measurements() -> None:
    """In `{"metrics": [...]}` each measurement is read, a bad one is refused alone, and items count on."""
    good, other = json.loads(record()), json.loads(record(name="mem", fields={"a": 1, "b": 2}))
    bad = json.loads(record(fields={"usage": [1]}))
    found = decode("telegraf", json.dumps({"metrics": [good, bad, other]}).encode(), record())

    assert ["cpu_usage", "mem_a", "mem_b", "cpu_usage"] == [
        s.series.partition("{")[0] for s in found.samples
    ]
    assert [0, 2, 3, WHOLE] == found.columns.items.tolist()
    assert [0, 0, 0, 1] == found.columns.records.tolist()
    assert [(0, 1, "wrong_type")] == found.refused


@pytest.mark.parametrize(
    ("unit", "given", "expected"),
    [
        ("auto", TIME, MS),
        ("auto", TIME * 1000 + 7, MS + 7),
        ("auto", TIME * 1_000_000_000, MS),
        ("auto", "2025-10-09T08:53:20.005Z", MS + 5),
        ("s", 7, 7_000),
        ("ms", TIME, TIME),
        ("us", TIME * 1_000_000, MS),
        ("ns", TIME * 1_000_000_000 + 600_000, MS + 1),
        ("s", -5, -1),
        ("ns", 1e30, -1),
        ("auto", "yesterday", -1),
    ],
)
def test_the_unit_of_times_is_told_or_tells_itself(
    unit: Any, given: float | str, expected: int
) -> None:
    """Times are read in the unit of the options, or in the one that their size tells; what is none is -1."""
    found = decode("telegraf", record(timestamp=given), options=OptionsConfig(time_unit=unit))

    assert [expected] == [sample.time for sample in found.samples]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "empty_value"),
        (None, "tombstone"),
        (b"{", "not_json"),
        (b"\xff{}", "not_utf8"),
        (b"[]", "wrong_type"),
        (record().replace(b"1.5", b"NaN"), "not_json"),
        (b'{"fields": {"a": 1}, "timestamp": 1}', "missing_metric"),
        (b'{"name": "a", "timestamp": 1}', "missing_value"),
        (b'{"name": "a", "fields": {"b": 1}}', "missing_time"),
        (record(fields={}), "missing_value"),
        (record(fields={"state": "ok"}), "missing_value"),
        (record(tags={"a": 1}), "wrong_type"),
        (record(tags={"a.b": "1", "a-b": "2"}), "bad_label"),
        (record(tags={"--": "1"}), "bad_label"),
        (record(name="--", fields={"-": 1}), "missing_metric"),
        (b'{"metrics": 1}', "wrong_type"),
        (record(fields={f"f{n}": n for n in range(9)}), "too_large"),
        (record(tags={"a": "x" * 500}), "too_large"),
    ],
)
def test_a_bad_record_is_refused_alone(value: bytes | None, reason: str) -> None:
    """Each fault has its reason, and the records before and behind are read."""
    limits = {"samples_per_message": 8, "message_bytes": 400}
    found = decode("telegraf", record(), value, record(), **limits)

    assert [(1, WHOLE, reason)] == found.refused
    assert [0, 2] == found.columns.records.tolist()


def test_one_refused_series_takes_no_other_with_it() -> None:
    """Of a measurement with a series too many the others are read, and the refusal says which sample it was."""
    found = decode("telegraf", record(fields={"a": 1, "b": 2, "c": 3}), series_per_tenant=2)

    assert [1.0, 2.0] == [sample.value for sample in found.samples]
    assert [(0, 2, "too_many_series")] == found.refused


@pytest.mark.parametrize("name", ["telegraf-json", "telegraf-json-ns"])
@pytest.mark.parametrize("unit", ["auto", "s or ns"])
def test_what_telegraf_wrote_is_read(name: str, unit: str) -> None:
    """Every record of a real Telegraf is read, in its default unit and in nanoseconds."""
    told = "ns" if name.endswith("ns") else "s"
    options = OptionsConfig.model_validate({"time_unit": told if unit != "auto" else "auto"})
    values = golden(name)
    found = decode("telegraf", *values, options=options)

    written = [json.loads(value) for value in values]
    assert [] == found.refused
    assert [v for each in written for v in each["fields"].values()] == [
        sample.value for sample in found.samples
    ]
    assert {each["timestamp"] // (10**6 if told == "ns" else 1) for each in written} == {
        sample.time if told == "ns" else sample.time // 1000 for sample in found.samples
    }
    assert 'mem_used_percent{host="web-1",service="cart"}' in {s.series for s in found.samples}
