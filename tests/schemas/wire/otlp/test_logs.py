"""Logs in OTLP: counted by service, severity and template."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData

from schemas.reasons import DeadLetterReason as Why
from tests.schemas.wire.otlp.calls import NOW, Line, logs
from tests.schemas.wire.otlp.reading import GOLDEN, PLACE, Reading


def counts(*values: bytes) -> list[tuple[int, str, str, str, str]]:
    """Time behind `NOW`, service, severity, template without its id, and count, as they are told."""
    found = []
    for name, labels, time, value in Reading().samples(*values):
        told = dict(labels)

        assert name == "log_records_total"
        assert PLACE == told["source_partition"]
        template = told["template"].rpartition(" #")[0]
        found.append((time - NOW, told["service"], told["severity"], template, value))
    return found


def test_lines_are_counted_when_their_second_has_closed() -> None:
    """By service, severity and template, as running totals."""
    first = logs((0, 9, "order 1 paid"), (10, 17, "order 1 failed"), (999, 9, "order 2 paid"))

    assert [
        (1000, "cart", "info", "order <*> paid", "2.0"),
        (1000, "cart", "error", "order <*> failed", "1.0"),
        (3000, "shop", "info", "order <*> paid", "1.0"),
    ] == counts(first, logs((2000, 10, "order 3 paid"), service="shop"), logs((3000, 9, "x")))


def test_the_golden_lines_are_counted() -> None:
    """What the SDK and the Collector wrote, in protobuf and in JSON, gives the same counts."""
    found = {p: {line[1:] for line in counts(*GOLDEN[p]["logs"])} for p in GOLDEN}

    assert ("cart", "info", "order <*> paid in <*> ms", "2.0") in found["sdk"]
    assert ("cart", "warn", "retry <*> of <*>", "1.0") in found["sdk"]
    assert found["sdk"] == found["collector_json"]


SEVERITIES = {(1, ""): "trace", (8, ""): "debug", (13, ""): "warn", (24, ""): "fatal"} | {
    (0, "Warning"): "warn",
    (0, "ERR"): "error",
    (0, "loud"): "unset",
    (25, ""): "unset",
}


@pytest.mark.parametrize(("said", "wanted"), SEVERITIES.items())
def test_severities_go_by_number_then_by_text(said: tuple[int, str], wanted: str) -> None:
    """Four numbers each; a text that nobody knows is no severity."""
    number, text = said
    found = counts(logs((0, number, "x"), severity_text=text), logs((1000, 0, "")))

    assert wanted == found[0][2]


def test_a_structured_body_tells_its_message() -> None:
    """A map has its line under `message`; without one the event's name counts."""
    body = AnyValue(
        kvlist_value=KeyValueList(
            values=[KeyValue(key="message", value=AnyValue(string_value="it is done"))]
        )
    )
    data = LogsData()
    for one in (body, AnyValue(kvlist_value=KeyValueList())):
        records = data.resource_logs.add().scope_logs.add().log_records
        records.add(time_unix_nano=NOW * 10**6, body=one, event_name="paid")
    found = Reading().samples(data.SerializeToString(), logs((1000, 0, "")))

    assert ["it is done", "paid"] == [
        dict(labels)["template"].rpartition(" #")[0] for _, labels, *_ in found
    ]


def test_the_time_of_observation_stands_in() -> None:
    """A line without a time has that at which it was observed; one without either is refused alone."""
    data = LogsData()
    records = data.resource_logs.add().scope_logs.add().log_records
    records.add(observed_time_unix_nano=NOW * 10**6, severity_number=9)
    records.add(severity_number=9)
    columns = Reading().decode(data.SerializeToString(), logs((1000, 9, "x")))

    assert [(0, 1, Why.MISSING_TIME)] == [r[:3] for r in columns.refused]
    assert [NOW + 1000] == columns.times.tolist()


times = st.integers(0, 70_000)
lines = st.tuples(times, st.integers(0, 25), st.sampled_from(["a", "b 1", "b 2", "c d"]))


@given(st.lists(st.lists(lines, min_size=1, max_size=4), max_size=6), st.sets(st.integers(1, 6)))
def test_counts_hang_neither_on_cuts_nor_on_restarts(
    found: list[list[Line]], cuts: set[int]
) -> None:
    """In one chunk or in many, with a checkpoint after each, the same is told."""
    values = [logs(*each) for each in found]
    whole = Reading()
    wanted = whole.plain(whole.decode(*values))

    assert wanted == Reading().cut(values, sorted(cut for cut in cuts if cut < len(values)))
