"""Avro in columns, against fastavro."""

import io
import json
from typing import Any

import fastavro
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.config.options import FieldsConfig
from schemas.wire.confluent.columnar import Columnar, columnar
from tests.schemas.wire.confluent.records import FLAT, MS, encode

TEXTS = st.text(st.characters(codec="utf-8"), max_size=6)
WIDE: dict[str, Any] = {
    "type": "record",
    "name": "Wide",
    "fields": [
        {"name": "zone", "type": ["null", "string", "long"]},
        {"name": "a", "type": "int"},
        {"name": "tags", "type": {"type": "map", "values": "string"}},
        {"name": "ts", "type": "long"},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["X", "Y"]}},
        {"name": "list", "type": {"type": "array", "items": "double"}},
        {"name": "b", "type": "float"},
        {"name": "ok", "type": "boolean"},
        {"name": "c", "type": "double"},
        {"name": "raw", "type": "bytes"},
        {"name": "nothing", "type": "null"},
    ],
}
PARSED = fastavro.parse_schema(WIDE)
CONFIG = FieldsConfig(values=("a", "b", "c"))
LONGS = st.integers(-(2**63), 2**63 - 1)
RECORDS = st.fixed_dictionaries(
    {
        "zone": st.none() | TEXTS | LONGS,
        "a": st.integers(-(2**31), 2**31 - 1),
        "tags": st.dictionaries(TEXTS, TEXTS, max_size=3),
        "ts": LONGS,
        "kind": st.sampled_from("XY"),
        "list": st.lists(st.floats(), max_size=3),
        "b": st.floats(width=32),
        "ok": st.booleans(),
        "c": st.floats(),
        "raw": st.binary(max_size=4),
        "nothing": st.none(),
    }
)


def wide() -> Columnar:
    """The reader of WIDE."""
    made = columnar(PARSED, CONFIG)
    assert made is not None
    return made


@given(st.lists(RECORDS, min_size=1, max_size=5))
def test_what_fastavro_wrote_is_read(records: list[dict[str, Any]]) -> None:
    """Times and values are those that were written, and keys are equal where all the rest is."""
    read = wide().read([encode(WIDE, record) for record in records])

    assert read.good.all()
    np.testing.assert_array_equal([float(r["ts"]) for r in records], read.times)
    np.testing.assert_array_equal([[r["a"], r["b"], r["c"]] for r in records], read.values)
    rests = [
        json.dumps([r[n] for n in ("zone", "tags", "kind", "ok")]) + repr((r["list"], r["raw"]))
        for r in records
    ]
    assert [[a == b for b in rests] for a in rests] == [
        [a == b for b in read.keys] for a in read.keys
    ]


@given(
    st.lists(
        st.binary(max_size=40)
        | RECORDS.map(lambda record: encode(WIDE, record))
        | st.builds(lambda r, at: encode(WIDE, r)[:at], RECORDS, st.integers(0, 60)),
        min_size=1,
        max_size=5,
    )
)
@example([b"", b"\x00\x01\x80\x7f"])  # a signalling NaN
def test_what_it_is_sure_of_is_what_fastavro_reads(values: list[bytes]) -> None:
    """Of any bytes it is sure only where fastavro reads the same numbers up to the end, or finds bad text."""
    read = wide().read(values)

    for at in np.flatnonzero(read.good).tolist():
        stream = io.BytesIO(values[at])
        try:
            record = fastavro.schemaless_reader(stream, PARSED, None)
        except (UnicodeDecodeError, IndexError):  # such a key is never remembered
            continue
        assert len(values[at]) == stream.tell()
        assert isinstance(record, dict)
        assert float(record["ts"]) == read.times[at]
        np.testing.assert_array_equal([record["a"], record["b"], record["c"]], read.values[at])


def test_a_map_in_several_blocks_is_read() -> None:
    """A writer may cut a map into blocks, and say how many bytes each has."""
    label = b"\x02a\x02b"
    head = b"\x02\x04up" + np.float64(7).tobytes()
    made = columnar(fastavro.parse_schema(FLAT), FieldsConfig())
    assert made is not None
    plain, cut, sized = (
        head + tail
        for tail in (
            b"\x04" + label * 2 + b"\x00",
            b"\x02" + label + b"\x02" + label + b"\x00",
            b"\x03\x10" + label * 2 + b"\x00",
        )
    )
    read = made.read([plain, cut, sized, head + b"\x80\x80\x80\x80\x20"])

    assert [True, True, True, False] == read.good.tolist()
    assert [7.0] * 3 == read.values[:3, 0].tolist()


@pytest.mark.parametrize(
    ("fields", "config"),
    [
        ([("ts", "long"), ("value", ["null", "double"])], {}),
        ([("ts", ["null", "long"]), ("value", "double")], {}),
        ([("ts", "string"), ("value", "double")], {}),
        ([("value", "double")], {}),
        ([("ts", "long"), ("host", "string")], {}),
        ([("ts", "long"), ("value", "double")], {"values": ("other",)}),
        ([("ts", "long"), ("value", "double")], {"time": "other"}),
        (
            [
                ("ts", "long"),
                ("value", "double"),
                ("id", {"type": "fixed", "name": "F", "size": 2}),
            ],
            {},
        ),
        ([("ts", "long"), ("value", "double"), ("a", {"type": "array", "items": "null"})], {}),
        (
            [
                ("ts", "long"),
                ("value", "double"),
                ("in", {"type": "record", "name": "In", "fields": []}),
            ],
            {},
        ),
    ],
)
def test_what_is_not_for_columns_is_left(fields: list[Any], config: dict[str, Any]) -> None:
    """A schema of which it cannot be sure in every record has no reader here."""
    schema = {"type": "record", "name": "R", "fields": [{"name": n, "type": t} for n, t in fields]}

    assert columnar(fastavro.parse_schema(schema), FieldsConfig(**config)) is None


def test_numbers_without_a_field_of_that_name_are_all_values() -> None:
    """Without `value` every number but the time is one."""
    schema = {
        "type": "record",
        "name": "R",
        "fields": [{"name": n, "type": "long"} for n in ("b", "time", "a")],
    }
    made = columnar(fastavro.parse_schema(schema), FieldsConfig())
    assert made is not None
    read = made.read([encode(schema, {"b": 1, "time": MS, "a": -2})])

    assert (("b", "a"), [[1.0, -2.0]], [float(MS)]) == (
        made.values,
        read.values.tolist(),
        read.times.tolist(),
    )
