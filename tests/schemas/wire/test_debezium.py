"""Change events of Debezium; no Debezium was run, so its records are written by hand after its documentation."""

import json
from typing import Any

import pytest

from schemas.config import LimitsConfig
from schemas.reasons import IgnoreReason
from schemas.wire.columns import WHOLE
from schemas.wire.debezium import Debezium
from tests.schemas.wire.decoding import Sample, decode, decode_with

MS = 1_767_225_600_000
SOURCE = {"connector": "postgresql", "db": "shop", "schema": "public", "table": "orders"}


def change(operation: str = "c", **parts: Any) -> bytes:
    """A change event, alone."""
    whole = {
        "before": None,
        "after": {"id": 1, "card": "4111 1111 1111 1111"},
        "source": SOURCE | {"ts_ms": MS},
        "op": operation,
        "ts_ms": MS + 40,
    }
    return json.dumps(whole | parts).encode()


def debezium() -> Debezium:
    """A decoder that knows where it reads."""
    made = Debezium(LimitsConfig())
    made.begin("shop", 1)
    return made


def series(operation: str) -> str:
    """The series of an operation."""
    labels = f'db="shop",op="{operation}",schema="public",source_partition="shop-1",table="orders"'
    return f"debezium_changes_total{{{labels}}}"


def test_changes_written_by_hand_are_counted() -> None:
    """Each change is one more of its table and operation, with schemas around it or without."""
    wrapped = json.dumps({"schema": {"type": "struct"}, "payload": json.loads(change())}).encode()
    found = decode_with(debezium(), [change(), change("d"), None, wrapped, change("u")])

    assert [
        Sample(series("c"), MS, 1.0),
        Sample(series("d"), MS, 1.0),
        Sample(series("c"), MS, 2.0),
        Sample(series("u"), MS, 1.0),
    ] == found.samples
    assert [] == found.refused


def test_the_tombstone_behind_a_delete_is_no_fault() -> None:
    """A null value is what Debezium sends for Kafka's compaction; it is counted and passed over."""
    found = decode_with(debezium(), [change("d"), None])

    assert ([], {IgnoreReason.TOMBSTONE: 1}) == (found.refused, found.columns.ignored)


def test_the_time_is_that_of_the_change() -> None:
    """Where the source says none the time of processing stands for it, and counts never go back in time."""
    found = decode_with(
        debezium(),
        [change("r", source=SOURCE | {"ts_ms": 0}), change("r"), change("t", source={"db": "a"})],
    )

    assert [(MS + 40, 1), (MS + 40, 2), (MS + 40, 1)] == [(s.time, s.value) for s in found.samples]


def test_counts_outlive_a_restart() -> None:
    """A decoder that is restored from a snapshot goes on counting."""
    first, second = debezium(), debezium()
    decode_with(first, [change(), change()])
    second.restore(first.snapshot())
    third = debezium()
    third.restore({})

    assert [3.0] == [sample.value for sample in decode_with(second, [change()]).samples]
    assert [1.0] == [sample.value for sample in decode_with(third, [change()]).samples]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "empty_value"),
        (b"{", "not_json"),
        (b"\xff", "not_utf8"),
        (b"{}", "wrong_type"),
        (b"[]", "wrong_type"),
        (change("x"), "wrong_type"),
        (change(source=None), "wrong_type"),
        (change(source={"db": 1}), "wrong_type"),
        (change(source={"db": "a"}, ts_ms=None), "missing_time"),
        (b'{"schema": null, "payload": null}', "wrong_type"),
    ],
)
def test_a_bad_record_is_refused_alone(value: bytes, reason: str) -> None:
    """Each fault has its reason, and the records before and behind are read."""
    found = decode("debezium", change(), value, change())

    assert [(1, WHOLE, reason)] == found.refused
    assert [0, 2] == found.columns.records.tolist()
