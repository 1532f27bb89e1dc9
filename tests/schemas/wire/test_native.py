"""Native JSON: what goes through, and the reason of everything that does not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import LimitsConfig
from schemas.labels import decode_labels
from schemas.reasons import DeadLetterReason as Why
from schemas.wire import forms, native
from schemas.wire.columns import Columns, times_ms
from schemas.wire.interner import Identity, Interner
from schemas.wire.native import NativeJson

GOOD = {"ts": 1_700_000_000, "metric": "up", "value": 1, "labels": {"service": "cart"}}


def decode(*values: bytes | None, **limits: int) -> tuple[Columns, Interner]:
    """Columns of these record values."""
    config = LimitsConfig(**limits)
    interner = Interner(Identity(partitions=4), config)
    decoder = NativeJson(
        message_bytes=config.message_bytes, samples_per_message=config.samples_per_message
    )
    return decoder.decode(list(values), interner), interner


def encode(**changes: object) -> bytes:
    """A good sample with changes; None leaves the key out."""
    return json.dumps({k: v for k, v in (GOOD | changes).items() if v is not None}).encode()


CASES = {
    "not JSON": (b"{nonsense", Why.NOT_JSON),
    "not UTF-8": (b'{"metric": "\xff\xfe"}', Why.NOT_UTF8),
    "number instead of object": (b"42", Why.WRONG_TYPE),
    "text as value": (encode(value="1.5"), Why.WRONG_TYPE),
    "boolean as value": (encode(value=True), Why.WRONG_TYPE),
    "null as value": (b'{"ts":1,"metric":"m","value":null}', Why.WRONG_TYPE),
    "number as metric": (encode(metric=7), Why.WRONG_TYPE),
    "list as labels": (encode(labels=["a"]), Why.WRONG_TYPE),
    "number as label": (encode(labels={"a": 1}), Why.WRONG_TYPE),
    "NaN": (b'{"ts":1,"metric":"m","value":NaN}', Why.NOT_FINITE),
    "infinity": (b'{"ts":1,"metric":"m","value":-Infinity}', Why.NOT_FINITE),
    "beyond all floats": (b'{"ts":1,"metric":"m","value":1e999}', Why.NOT_FINITE),
    "missing metric": (encode(metric=None), Why.MISSING_METRIC),
    "empty metric": (encode(metric=""), Why.MISSING_METRIC),
    "missing time": (encode(ts=None), Why.MISSING_TIME),
    "missing value": (encode(value=None), Why.MISSING_VALUE),
    "metric of 1 MB": (encode(metric="m" * 1_000_000), Why.BAD_METRIC),
    "null tombstone": (None, Why.TOMBSTONE),
    "empty value": (b"", Why.EMPTY_VALUE),
    "1 MB of garbage": (b"\x00\x01garbage!" * 100_000, Why.NOT_JSON),
    "more than the limit": (b"x" * 1_048_577, Why.TOO_LARGE),
    "10,000 label names": (
        encode(labels={f"l{i}": "x" for i in range(10_000)}),
        Why.TOO_MANY_LABELS,
    ),
    "label of 1 MB": (encode(labels={"a": "x" * 1_000_000}), Why.LABEL_TOO_LONG),
    "label name of 1 MB": (encode(labels={"a" * 1_000_000: "x"}), Why.LABEL_TOO_LONG),
    "reserved label": (encode(labels={"__tenant__": "other"}), Why.BAD_LABEL),
    "bad UTF-8 in labels": (b'{"ts":1,"metric":"m","value":1,"labels":{"a":"\xff"}}', Why.NOT_UTF8),
    "nested a thousand deep": (b"[" * 100_000, Why.NOT_JSON),
    "too many samples": (json.dumps([GOOD] * 11).encode(), Why.TOO_LARGE),
}


@pytest.mark.parametrize(("value", "reason"), CASES.values(), ids=CASES)
def test_bad_record_is_refused_alone(value: bytes | None, reason: Why) -> None:
    """A bad record is one refusal with its reason, and both its neighbours go through."""
    columns, _ = decode(encode(value=1.0), value, encode(value=2.0), samples_per_message=10)

    assert [(r.record, r.item, r.reason) for r in columns.refused] == [(1, -1, reason)]
    assert (columns.values.tolist(), columns.records.tolist()) == ([1.0, 2.0], [0, 2])


def test_bad_sample_of_an_array_is_refused_alone() -> None:
    """In an array, only the bad samples are refused, each by its index."""
    columns, _ = decode(
        json.dumps([GOOD, {"ts": 1}, GOOD | {"value": "x"}, GOOD | {"value": 5}]).encode()
    )

    assert [(r.item, r.reason) for r in columns.refused] == [
        (1, Why.MISSING_METRIC),
        (2, Why.WRONG_TYPE),
    ]
    assert (columns.values.tolist(), columns.items.tolist()) == ([1.0, 5.0], [0, 3])


def test_label_order_and_spaces_are_nothing() -> None:
    """Two ways to write one label set are one series."""
    columns, interner = decode(
        b'{"ts":1,"metric":"m","value":1,"labels":{"a":"1","b":"2"}}',
        b'{"ts":1,"metric":"m","value":1,"labels":{ "b": "2", "a": "1" },"unknown":[1]}',
        b'{"ts":1,"metric":"m","value":1,"labels":{"a":"1","b":"2","c":""}}',
    )

    assert columns.series.tolist() == [0, 0, 0]
    assert decode_labels(interner.label_bytes[0]) == (
        ("__name__", "m"),
        ("__tenant__", "default"),
        ("a", "1"),
        ("b", "2"),
    )


def test_labels_that_are_null_are_none() -> None:
    """Go writes a map that was never made as null: a series without labels, known again and again."""
    null = b'{"ts":1,"metric":"m","value":1,"labels":null}'
    columns, interner = decode(null, null, b'{"ts":1,"metric":"m","value":1}')

    assert [] == columns.refused
    assert [0, 0, 0] == columns.series.tolist()
    assert (("__name__", "m"), ("__tenant__", "default")) == decode_labels(interner.label_bytes[0])


def test_tenant_comes_from_its_label() -> None:
    """The tenant label's value is the tenant, and the label stays."""
    _, interner = decode(encode(labels={"tenant": "acme"}))

    assert (("__tenant__", "acme"), ("tenant", "acme")) == decode_labels(interner.label_bytes[0])[
        1:
    ]


def test_tenant_over_its_series_is_refused_and_others_are_not() -> None:
    """A tenant's cap refuses its new series only."""
    columns, _ = decode(
        encode(labels={"tenant": "a", "n": "1"}),
        encode(labels={"tenant": "a", "n": "2"}),
        encode(labels={"tenant": "b", "n": "1"}),
        encode(labels={"tenant": "a", "n": "1"}),
        series_per_tenant=1,
    )

    assert [(r.record, r.reason) for r in columns.refused] == [(1, Why.TOO_MANY_SERIES)]
    assert columns.records.tolist() == [0, 2, 3]


@pytest.mark.parametrize(
    ("time", "ms"),
    [
        (1_700_000_000, 1_700_000_000_000),
        (1_700_000_000.25, 1_700_000_000_250),
        (1_700_000_000_250, 1_700_000_000_250),
        ("2023-11-14T22:13:20Z", 1_700_000_000_000),
        ("2023-11-14T23:13:20.5+01:00", 1_700_000_000_500),
        ("2023-11-14T22:13:20", -1),
        ("yesterday", -1),
        (-1, -1),
        (1e18, -1),
    ],
)
def test_times_are_seconds_milliseconds_or_rfc_3339(time: float | str, ms: int) -> None:
    """A number's size tells its unit; a text needs a zone; what is no time is -1."""
    assert times_ms([time]).tolist() == [ms]
    assert times_ms([time, "2023-11-14T22:13:20Z"])[0] == ms


@given(
    st.lists(
        st.one_of(st.none(), st.binary(max_size=60), st.text(max_size=60).map(str.encode)),
        max_size=8,
    )
)
def test_random_bytes_never_raise_and_never_harm(values: list[bytes | None]) -> None:
    """Whatever stands in a chunk, the decoder returns, and a good record behind it goes through."""
    columns, _ = decode(*values, encode(value=3.5))

    assert columns.records[-1] == len(values)
    assert columns.values[-1] == 3.5
    assert {r.record for r in columns.refused} | set(columns.records.tolist()) >= {
        i for i, v in enumerate(values) if v is None or not v.lstrip().startswith(b"[")
    }


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["ts", "metric", "value", "labels", "x"]), json_values))
def test_any_json_object_is_taken_or_refused_once(document: dict[str, object]) -> None:
    """A JSON object is one sample or one refusal, never both or neither."""
    columns, _ = decode(json.dumps(document).encode())

    assert len(columns.values) + len(columns.refused) == 1


TRICKY = st.sampled_from(
    [
        encode(value=1),
        encode(value=2, labels={"service": "a\nb"}),
        b'{"ts":1,\n"metric":"m","value":3}',
        b'{"ts":1,"metric":"m","value":4}\n{"ts":1,"metric":"m","value":5}',
        b'{"ts":1,"metric":"m","value":6,"x":{"y":1}',
        b'"metric":"m","value":7}',
        b'{"ts":1,"metric":"other","value":8}  ',
        b'[{"ts":1,"metric":"m","value":9}]',
        b'{"ts":"2023-11-14T22:13:20Z","metric":"m","value":10}',
        b"{}",
        b"",
        None,
    ]
)


@given(st.lists(TRICKY, max_size=12))
def test_many_records_are_read_like_few(values: list[bytes | None]) -> None:
    """As lines of one text or one by one, together or alone, each record gives the same samples and refusals."""

    def told(columns: Columns, interner: Interner) -> list[tuple[object, ...]]:
        names = [interner.label_bytes[series] for series in columns.series.tolist()]
        times, found = columns.times.tolist(), columns.values.tolist()
        taken = zip(columns.records.tolist(), names, times, found, strict=True)
        return sorted([*taken, *((r.record, r.reason.value) for r in columns.refused)], key=repr)

    with pytest.MonkeyPatch.context() as patch:
        for room in (native, forms):
            patch.setattr(room, "FEW", -1)
        as_lines = told(*decode(*values))
        for room in (native, forms):
            patch.setattr(room, "FEW", 100)
        assert as_lines == told(*decode(*values))
        alone = [told(*decode(value)) for value in values]
    each = [(at, *row[1:]) for at, rows in enumerate(alone) for row in rows]
    assert sorted(each, key=repr) == as_lines
