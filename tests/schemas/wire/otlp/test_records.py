"""Records of OTLP: told apart, and never a reason to stop."""

import pytest
from google.protobuf.json_format import MessageToJson
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from schemas.config import LimitsConfig
from schemas.errors import CheckpointError
from schemas.reasons import DeadLetterReason as Why
from schemas.wire.columns import WHOLE, Remembering
from schemas.wire.otlp.records import LOGS, METRICS, OTLP, TRACES, Otlp
from schemas.wire.otlp.transcript import transcribe
from schemas.wire.otlp.walk import signal_of
from schemas.wire.registry import find_format
from tests.schemas.wire.otlp.reading import GOLDEN, Reading

MESSAGES = {"metrics": MetricsData, "logs": LogsData, "traces": TracesData}
ALL = [value for signals in GOLDEN.values() for values in signals.values() for value in values]
FAULTS: dict[str, tuple[bytes | None, Why]] = {
    "null": (None, Why.TOMBSTONE),
    "empty": (b"", Why.EMPTY_VALUE),
    "text": (b"hello", Why.MALFORMED),
    "cut short": (GOLDEN["sdk"]["metrics"][0][:-1], Why.MALFORMED),
    "an array": (b'{"resourceMetrics": 1}', Why.WRONG_TYPE),
    "no json": (b'{"resourceMetrics": [', Why.NOT_JSON),
    "no utf-8": (b'{"resourceMetrics": "\xff"}', Why.NOT_UTF8),
    "another object": (b'{"a": 1}', Why.MALFORMED),
    "two signals": (b'{"resourceMetrics": [], "resourceLogs": []}', Why.MALFORMED),
    "a number that is none": (
        b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"x"}]}]}]}',
        Why.WRONG_TYPE,
    ),
    "deep": (b'{"resourceLogs":' + b"[" * 100_000, Why.NOT_JSON),
}


@pytest.mark.parametrize(("value", "why"), FAULTS.values(), ids=FAULTS)
def test_what_is_no_otlp_is_refused_whole(value: bytes | None, why: Why) -> None:
    """With its reason; records beside it go through."""
    good = GOLDEN["sdk"]["metrics"][0]
    columns = Reading().decode(good, value, good)

    assert [(1, WHOLE, why)] == [r[:3] for r in columns.refused]
    assert {0, 2} == set(columns.records.tolist())


def test_a_value_nested_too_deep_is_refused() -> None:
    """A list in a list, and so on: no recursion without end, in JSON or in protobuf."""
    body = '{"arrayValue": {"values": [' * 40 + "{}" + "]}}" * 40
    text = f'{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{body}}}]}}]}}]}}'.encode()
    _, value = transcribe(text)
    columns = Reading().decode(text, value)

    assert [Why.MALFORMED] * 2 == [r.reason for r in columns.refused]


@pytest.mark.parametrize("signal", MESSAGES)
def test_golden_records_tell_their_signal(signal: str) -> None:
    """By shape alone, record by record."""
    for producer in ("sdk", "collector"):
        assert {signal} == {signal_of(value) for value in GOLDEN[producer][signal]}


@pytest.mark.parametrize("signal", MESSAGES)
def test_json_is_transcribed_as_protobufs_own_reader_has_it(signal: str) -> None:
    """Every golden record, written as JSON by protobuf, comes back with the same fields but those that are not read."""
    for value in GOLDEN["sdk"][signal]:
        message = MESSAGES[signal].FromString(value)
        data = MessageToJson(message, use_integers_for_enums=True)
        _, found = transcribe(with_hex_ids(data, message).encode())
        again = MESSAGES[signal].FromString(found)

        assert pruned(message) == pruned(again)


def with_hex_ids(text: str, message: object) -> str:
    """OTLP has its ids in hexadecimal, where JSON of protobuf has them in base64."""
    import base64
    import re

    def hexed(found: "re.Match[str]") -> str:
        return f'{found[1]}"{base64.b64decode(found[2]).hex()}"'

    return re.sub(r'("(?:traceId|spanId|parentSpanId)": )"([^"]*)"', hexed, text)


UNREAD = (
    *("description", "metadata", "schema_url", "dropped_attributes_count", "observed", "flags"),
    *("trace_state", "events", "links", "min", "max", "exemplars", "filtered_attributes"),
)


def pruned(message: object) -> str:
    """A message as text without the fields that nobody here reads."""
    from google.protobuf.json_format import MessageToDict

    def without(value: object) -> object:
        if isinstance(value, dict):
            return {k: without(v) for k, v in value.items() if k not in UNREAD}
        return [without(v) for v in value] if isinstance(value, list) else value

    found = without(MessageToDict(message, preserving_proto_field_name=True))  # type: ignore[arg-type]  # any message
    return repr(found)


@pytest.mark.parametrize("name", ["metrics", "logs", "traces"])
def test_a_source_may_name_its_signal(name: str) -> None:
    """Then what holds another one is refused."""
    found = find_format(f"otlp_{name}")
    wanted = {"metrics": METRICS, "logs": LOGS, "traces": TRACES}[name]
    decoder = found.make(LimitsConfig())
    reading = Reading()
    values = [GOLDEN["sdk"][signal][0] for signal in MESSAGES]
    columns = decoder.decode(values, reading.interner)

    assert wanted is found
    assert [Why.WRONG_TYPE] * 2 == [r.reason for r in columns.refused]
    assert list(MESSAGES).index(name) not in {r.record for r in columns.refused}


def test_a_record_without_items_is_no_fault() -> None:
    """A producer that has nothing to tell says so."""
    empty = (b"\n\x00", b"{}", b'{"resourceMetrics": []}', b'{"resourceSpans": [{}], "x": 1}')

    assert [] == Reading().samples(*empty)


def test_all_golden_records_in_one_chunk() -> None:
    """A topic that all signals share is read in its order, and nothing is refused."""
    columns = Reading().decode(*ALL)

    assert [] == columns.refused
    assert sorted(columns.records.tolist()) == columns.records.tolist()


def test_it_remembers() -> None:
    """The decoder is one that is stored with a checkpoint; nothing stored is nothing known, nonsense is refused."""
    decoder = Otlp(LimitsConfig())
    decoder.restore({})

    assert isinstance(decoder, Remembering)
    assert OTLP.claims is not None
    assert OTLP.claims(GOLDEN["sdk"]["logs"][0])
    assert not OTLP.claims(b"\nhello")
    with pytest.raises(CheckpointError):
        decoder.restore({"metrics.sums": decoder.snapshot()["metrics.sums"]})


changes = st.tuples(st.integers(0, 5000), st.binary(max_size=4), st.integers(0, 4))


def apply(value: bytes, cuts: list[tuple[int, bytes, int]]) -> bytes:
    """A record with a few bytes put in place of others."""
    for number, put, gone in cuts:
        at = number % (len(value) + 1)
        value = value[:at] + put + value[at + gone :]
    return value


mutated = st.builds(apply, st.sampled_from(ALL), st.lists(changes, max_size=3))
noise = st.one_of(mutated, st.binary(max_size=64), mutated.map(lambda v: v[: len(v) // 2]))


@given(st.lists(noise, max_size=4))
@settings(max_examples=150)
def test_nothing_stops_the_decoder(values: list[bytes]) -> None:
    """Whatever comes, columns fit, faults have reasons, and the good record beside it goes through."""
    reading = Reading()
    good = GOLDEN["sdk"]["metrics"][0]
    columns = reading.decode(*values, good)
    sizes = {len(c) for c in (columns.series, columns.times, columns.values, columns.records)}

    assert 1 == len(sizes)
    assert len(values) in columns.records.tolist()
    assert len(values) not in {r.record for r in columns.refused}
    assert all(isinstance(r.reason, Why) for r in columns.refused)
    assert 0 <= columns.series.min() <= columns.series.max() < len(reading.interner)


@given(st.lists(noise, max_size=3))
@settings(max_examples=50)
def test_what_comes_out_does_not_hang_on_how_chunks_are_cut(values: list[bytes]) -> None:
    """Noise among good records changes nothing of it."""
    values = [GOLDEN["sdk"]["logs"][0], *values, *GOLDEN["sdk"]["metrics"][3:5]]
    whole = Reading()
    wanted = whole.plain(whole.decode(*values))

    assert repr(wanted) == repr(Reading().cut(values, range(1, len(values))))
