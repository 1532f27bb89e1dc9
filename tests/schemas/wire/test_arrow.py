"""The format `arrow`: what goes through, and the reason of everything that does not."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import LimitsConfig
from schemas.labels import decode_labels
from schemas.reasons import DeadLetterReason as Why
from schemas.wire.arrow import Arrow
from schemas.wire.columns import WHOLE, Columns
from schemas.wire.interner import Identity, Interner

NOW = 1_700_000_000_000
MAP = pa.map_(pa.string(), pa.string())


def stream(*batches: dict[str, Any], **options: object) -> bytes:
    """An IPC stream of these batches, each given by its columns."""
    tables = [pa.record_batch(columns) for columns in batches]
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(
        out, tables[0].schema, options=pa.ipc.IpcWriteOptions(**options)
    ) as writer:
        for table in tables:
            writer.write_batch(table)
    return out.getvalue().to_pybytes()


def columns_of(**changes: Any) -> dict[str, Any]:
    """Two samples of two series, with other columns where they are given; None leaves one out."""
    columns = {
        "ts": pa.array([NOW, NOW + 1], pa.timestamp("ms", "UTC")),
        "metric": pa.array(["up", "up"]),
        "value": pa.array([1.5, 2.5]),
        "service": pa.array(["cart", "shop"]),
    } | changes
    return {name: column for name, column in columns.items() if column is not None}


GOOD = stream(columns_of())


def new_interner(config: LimitsConfig) -> Interner:
    return Interner(Identity(partitions=4), config)


def decode(*values: bytes | None, **limits: int) -> tuple[Columns, Interner]:
    """Columns of these record values."""
    config = LimitsConfig(**limits)
    interner = new_interner(config)
    return Arrow(config).decode(list(values), interner), interner


def names(columns: Columns, interner: Interner) -> list[dict[str, str]]:
    """Label set of each sample, without the tenant."""
    sets = [dict(decode_labels(interner.label_bytes[row])) for row in columns.series.tolist()]
    return [{n: v for n, v in labels.items() if n != "__tenant__"} for labels in sets]


UP = [{"__name__": "up", "service": "cart"}, {"__name__": "up", "service": "shop"}]
FORMS = {
    "texts": columns_of(),
    "large texts": columns_of(service=pa.array(["cart", "shop"], pa.large_string())),
    "text views": columns_of(service=pa.array(["cart", "shop"], pa.string_view())),
    "dictionaries": columns_of(
        metric=pa.array(["up", "up"]).dictionary_encode(),
        service=pa.array(["cart", "shop"]).dictionary_encode(),
    ),
    "dictionary with a text twice": columns_of(
        metric=pa.DictionaryArray.from_arrays([1, 0], ["up", "up"])
    ),
    "map": columns_of(
        service=None, labels=pa.array([[("service", "cart")], [("service", "shop")]], MAP)
    ),
    "column and map": columns_of(
        labels=pa.array([[("zone", None), ("host", "")], None], MAP),
    ),
    "map of dictionaries": columns_of(
        service=None,
        labels=pa.MapArray.from_arrays(
            [0, 1, 2],
            pa.array(["service", "service"]).dictionary_encode(),
            pa.array(["cart", "shop"]).dictionary_encode(),
        ),
    ),
    "labels that are null or empty": columns_of(
        host=pa.array([None, ""]), zone=pa.array(["", None]).dictionary_encode()
    ),
    "float32": columns_of(value=pa.array([1.5, 2.5], pa.float32())),
    "time in microseconds": columns_of(
        ts=pa.array([NOW * 1000 - 500, (NOW + 1) * 1000 + 499], pa.timestamp("us"))
    ),
    "time in nanoseconds": columns_of(
        ts=pa.array([NOW * 10**6, (NOW + 1) * 10**6], pa.timestamp("ns", "+02:00"))
    ),
    "time as whole number": columns_of(ts=pa.array([NOW, NOW + 1])),
    "time as seconds": columns_of(ts=pa.array([NOW / 1000, NOW / 1000 + 0.001])),
}


@pytest.mark.parametrize("columns", FORMS.values(), ids=FORMS)
def test_forms_of_the_same_samples_are_the_same(columns: dict[str, Any]) -> None:
    """Types of columns are a matter of the producer: series, times and values come out alike."""
    found, interner = decode(stream(columns))

    assert [] == found.refused
    assert names(found, interner) == UP
    assert [NOW, NOW + 1] == found.times.tolist()
    assert [1.5, 2.5] == found.values.tolist()


def test_whole_numbers_are_values() -> None:
    """Values of any type of number become floats; whole seconds are told from milliseconds by size."""
    columns = columns_of(
        value=pa.array([3, -4], pa.int16()),
        ts=pa.array([NOW // 1000, NOW // 1000 + 1], pa.timestamp("s")),
    )
    found, _ = decode(
        stream(columns), stream(columns_of(ts=pa.array([NOW // 1000] * 2, pa.uint64())))
    )

    assert [3.0, -4.0, 1.5, 2.5] == found.values.tolist()
    assert [NOW, NOW + 1000, NOW, NOW] == found.times.tolist()


def test_items_go_on_from_batch_to_batch() -> None:
    """A record of several batches numbers its samples through, so that a refusal names one."""
    columns, _ = decode(stream(columns_of(), columns_of()), GOOD)

    assert [0, 0, 0, 0, 1, 1] == columns.records.tolist()
    assert [0, 1, 2, 3, 0, 1] == columns.items.tolist()


def test_label_sets_are_found_again_whatever_the_dictionaries() -> None:
    """The same and other dictionaries, one record after the other, give each label set one id."""
    other = columns_of(service=pa.array(["shop", "cart"]))
    more = columns_of(service=pa.array(["shop", "web"]).dictionary_encode())
    columns, interner = decode(*[stream(c) for c in (columns_of(), columns_of(), other, more)])

    assert [0, 1, 0, 1, 1, 0, 1, 2] == columns.series.tolist()
    assert 3 == len(interner)


def test_many_columns_do_not_overflow() -> None:
    """More combinations than 64 bits can number are still told apart exactly."""
    texts = [f"v{n}" for n in range(200)]
    labels = {f"l{n}": pa.array(texts) for n in range(12)}
    size = len(texts)
    found, interner = decode(
        stream(
            {"ts": pa.array([NOW] * size), "metric": pa.array(["m"] * size)}
            | {"value": pa.array([1.0] * size)}
            | labels
        )
    )

    assert list(range(size)) == found.series.tolist()
    assert [{"__name__": "m"} | {f"l{n}": v for n in range(12)} for v in texts] == names(
        found, interner
    )


def test_ids_follow_an_interner_that_counts_anew() -> None:
    """When series have gone and ids are others, label sets are interned anew."""
    limits = LimitsConfig()
    interner, decoder = new_interner(limits), Arrow(limits)
    interner.hear(decoder.decode([GOOD], interner).series[:1], 1)
    interner.hear(decoder.decode([GOOD], interner).series[1:], 9)
    interner.retire(5)
    interner.compact()
    columns = decoder.decode([GOOD], interner)

    assert names(columns, interner) == UP
    assert [1, 0] == columns.series.tolist()


def mapped(*rows: list[tuple[str, str]] | None) -> pa.Array:
    return pa.array(rows, MAP)


BOMB = stream(columns_of(value=pa.array([0.0] * 2)), compression="zstd")
CASES = {
    "null tombstone": (None, Why.TOMBSTONE),
    "empty value": (b"", Why.EMPTY_VALUE),
    "more than the limit": (GOOD * 9, Why.TOO_LARGE),
    "too many samples": (stream(*[columns_of()] * 3), Why.TOO_LARGE),
    "dictionary larger than a message may be": (
        stream(columns_of(service=pa.DictionaryArray.from_arrays([0, 1], list("abcdefg")))),
        Why.TOO_LARGE,
    ),
    "compressed body": (BOMB, Why.MALFORMED),
    "no stream": (b'{"ts": 1}', Why.MALFORMED),
    "cut off": (GOOD[: len(GOOD) // 2], Why.MALFORMED),
    "no column metric": (stream(columns_of(metric=None)), Why.MISSING_METRIC),
    "no column ts": (stream(columns_of(ts=None)), Why.MISSING_TIME),
    "no column value": (stream(columns_of(value=None)), Why.MISSING_VALUE),
    "time as text": (stream(columns_of(ts=pa.array(["a", "b"]))), Why.WRONG_TYPE),
    "value as text": (stream(columns_of(value=pa.array(["1", "2"]))), Why.WRONG_TYPE),
    "value as boolean": (stream(columns_of(value=pa.array([True, False]))), Why.WRONG_TYPE),
    "label as number": (stream(columns_of(code=pa.array([200, 500]))), Why.WRONG_TYPE),
    "label as null": (stream(columns_of(code=pa.nulls(2))), Why.WRONG_TYPE),
    "label as bytes": (stream(columns_of(code=pa.array([b"\xff", b"a"]))), Why.WRONG_TYPE),
    "map of numbers": (
        stream(columns_of(labels=pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int64())))),
        Why.WRONG_TYPE,
    ),
    "label not UTF-8": (
        stream(columns_of(service=pa.array([b"\xff", b"a"]).view(pa.string()))),
        Why.MALFORMED,
    ),
    "dictionary index out of range": (
        stream(columns_of(service=pa.DictionaryArray.from_arrays([0, 7], ["a"], safe=False))),
        Why.MALFORMED,
    ),
}


@pytest.mark.parametrize(("value", "reason"), CASES.values(), ids=CASES)
def test_bad_record_is_refused_whole_and_alone(value: bytes | None, reason: Why) -> None:
    """A bad record is one refusal with its reason, and both its neighbours go through."""
    columns, _ = decode(GOOD, value, GOOD, message_bytes=5_000, samples_per_message=5)

    assert [(1, WHOLE, reason)] == [r[:3] for r in columns.refused]
    assert [0, 0, 2, 2] == columns.records.tolist()


ITEMS = {
    "null metric": (columns_of(metric=pa.array(["up", None])), Why.MISSING_METRIC),
    "empty metric": (columns_of(metric=pa.array(["up", ""])), Why.MISSING_METRIC),
    "null time": (columns_of(ts=pa.array([NOW, None])), Why.MISSING_TIME),
    "null value": (columns_of(value=pa.array([1.5, None])), Why.MISSING_VALUE),
    "reserved label": (columns_of(__tenant__=pa.array([None, "x"])), Why.BAD_LABEL),
    "reserved label in a map": (
        columns_of(labels=mapped(None, [("__tenant__", "x")])),
        Why.BAD_LABEL,
    ),
    "too many labels in a map": (
        columns_of(labels=mapped([], [(f"l{n}", "x") for n in range(9)])),
        Why.TOO_MANY_LABELS,
    ),
    "label too long": (columns_of(host=pa.array([None, "x" * 99])), Why.LABEL_TOO_LONG),
}


@pytest.mark.parametrize(("columns", "reason"), ITEMS.values(), ids=ITEMS)
def test_bad_sample_is_refused_alone(columns: dict[str, Any], reason: Why) -> None:
    """A sample without what it needs is refused by its index, the others of its record go through."""
    found, _ = decode(stream(columns), labels_per_series=5, label_value_bytes=50)

    assert [(0, 1, reason)] == [r[:3] for r in found.refused]
    assert [0] == found.items.tolist()


def test_samples_of_one_fault_are_one_refusal() -> None:
    """However many samples share a fault, a record tells it once, with their number."""
    size = 1_000
    columns = {
        "ts": pa.array([NOW] * size),
        "metric": pa.array(["m"] * size),
        "value": pa.array([None] * size, pa.float64()),
        "__x__": pa.array(["a"] * (size // 2) + [None] * (size // 2)),
    }
    found, _ = decode(stream(columns))

    assert [(0, Why.BAD_LABEL), (500, Why.MISSING_VALUE)] == [
        (r.item, r.reason) for r in found.refused
    ]
    assert all("(500 samples)" in r.detail for r in found.refused)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("ticks", [-(2**63), -(10**7), 2**63 - 1])
def test_times_out_of_range_do_not_wrap(unit: str, ticks: int) -> None:
    """A time at the end of its range never becomes one that looks good."""
    found, _ = decode(stream(columns_of(ts=pa.array([ticks] * 2, pa.timestamp(unit)))))

    ms = found.times.tolist()
    assert all(time < 0 or time > 9 * 10**12 for time in ms)


NUMBERS = [
    pa.int8(),
    pa.uint16(),
    pa.int64(),
    pa.uint64(),
    pa.float16(),
    pa.float32(),
    pa.float64(),
]
UNITS = [pa.timestamp(unit) for unit in ("s", "ms", "us", "ns")]


@pytest.mark.parametrize("kind", [*NUMBERS, *UNITS], ids=str)
def test_every_type_of_number_may_have_nulls(kind: pa.DataType) -> None:
    """A null is refused in its place, whatever stands beside it and of whatever type it is."""
    of_times = pa.array([1, None]).cast(kind)
    found, _ = decode(stream(columns_of(ts=of_times)))
    assert [(1, Why.MISSING_TIME)] == [(r.item, r.reason) for r in found.refused]

    if kind in NUMBERS:
        found, _ = decode(stream(columns_of(value=of_times)))
        assert [(1, Why.MISSING_VALUE)] == [(r.item, r.reason) for r in found.refused]
        assert [1.0] == found.values.tolist()


@pytest.mark.parametrize("number", [1e308, -1e308, float("inf"), float("-inf"), float("nan"), -1.0])
def test_a_number_that_is_no_time_is_negative(number: float) -> None:
    """Numbers beyond all times come out as what the reader refuses, and nothing warns."""
    found, _ = decode(stream(columns_of(ts=pa.array([number, NOW]))))

    assert [-1, NOW] == found.times.tolist()


@given(st.lists(st.one_of(st.none(), st.binary(max_size=100)), max_size=5))
def test_random_bytes_never_raise(values: Iterable[bytes | None]) -> None:
    """Whatever stands in a chunk, each record is refused or decoded."""
    chunk = [*values, GOOD]
    columns, _ = decode(*chunk)

    assert len(chunk) - 1 == columns.records[-1]
    assert len(chunk) - 1 == len(columns.refused)


LARGER = stream(FORMS["dictionaries"] | {"labels": mapped([("a", "b")], [("a", "c"), ("d", "e")])})


@given(st.integers(0, len(LARGER) - 1), st.binary(min_size=1, max_size=8))
def test_damaged_stream_never_raises(at: int, damage: bytes) -> None:
    """A stream with some bytes changed gives samples of known series, refusals, or both."""
    columns, interner = decode(LARGER[:at] + damage + LARGER[at + len(damage) :])

    assert len(columns.series) + len(columns.refused) <= 4
    assert all(0 <= row < len(interner) for row in columns.series.tolist())
