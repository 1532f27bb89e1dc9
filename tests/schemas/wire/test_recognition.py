"""How `auto` tells formats apart: never by a guess."""

import json

import pytest

from schemas.config import LimitsConfig
from schemas.errors import DecodeError
from schemas.wire.format import Format
from schemas.wire.recognition import Recognition
from schemas.wire.registry import AUTO, CLOUD_EVENTS, find_format, names
from tests.schemas.wire.decoding import golden

FORMATS = {name: find_format(name) for name in names() if name not in (AUTO, CLOUD_EVENTS)}
RECOGNITION = Recognition(FORMATS)

SHAPES = {
    "native": {"ts": 1, "metric": "up", "value": 1, "labels": {}},
    "telegraf": {"name": "cpu", "tags": {}, "fields": {"a": 1}, "timestamp": 1},
    "prometheus_adapter": {"timestamp": "", "value": "1", "name": "up", "labels": {}},
    "vector": {"name": "a", "tags": {}, "kind": "absolute", "gauge": {"value": 1}},
    "debezium": {"before": None, "op": "c", "source": {}, "ts_ms": 1},
}


def name_of(value: bytes, content_type: str = "") -> str:
    """Format of a record, or why there is none."""
    try:
        return RECOGNITION.name(value, content_type)
    except DecodeError as error:
        return str(error)


@pytest.mark.parametrize(("expected", "keys"), SHAPES.items())
@pytest.mark.parametrize("content_type", ["", "application/json", "text/plain"])
def test_keys_tell_a_json_object(expected: str, keys: dict[str, object], content_type: str) -> None:
    """Each JSON format is told by the keys that it must have, in any order, with others beside them."""
    turned = dict(reversed(keys.items())) | {"other": 1}

    assert expected == name_of(json.dumps(keys).encode(), content_type)
    assert expected == name_of(b" " + json.dumps(turned).encode(), content_type)
    assert expected == RECOGNITION.same([json.dumps(keys).encode()] * 2, LimitsConfig())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b'{"metric": {"name": "a"}}', "vector"),
        (b'{"metrics": []}', "telegraf"),
        (b'{"schema": null, "payload": {}}', "debezium"),
        (b'{"ts": 1, "value": 1}', "native"),
        (b'{"ts": 1, "metric": "a"}', "native"),
        (b"[1]", "native"),
        (b"{nonsense", "native"),
        (b"cpu,host=a usage=1 1", "influx"),
        (b"# comment\ncpu usage=1i", "influx"),
        (b"\x00\x00\x00\x00\x07data", "confluent"),
        (b"\xff\xff\xff\xff", "arrow"),
        (b"TCSN", "samples"),
    ],
)
def test_first_bytes_and_looks_tell_the_others(value: bytes, expected: str) -> None:
    """What is no JSON object is told by its first bytes or by its looks; broken JSON is native's to explain."""
    assert expected == name_of(value)


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (b'{"a": 1, "b": 2}', "no format has an object with the keys 'a', 'b'"),
        (b"{}", "no format has an object with the keys (none)"),
        (b"up 1", "neither its content type nor its bytes tell a format"),
        (b"hello", "neither its content type nor its bytes tell a format"),
        (
            json.dumps(SHAPES["telegraf"] | SHAPES["prometheus_adapter"]).encode(),
            "by its keys it could be prometheus_adapter or telegraf",
        ),
    ],
)
def test_what_is_not_told_for_certain_is_refused(value: bytes, detail: str) -> None:
    """A record that no format claims, or two, is refused, and the reason says so."""
    assert f"unknown_format: {detail}" == name_of(value)


def test_two_claims_are_none() -> None:
    """Where two formats say that bytes look like theirs, neither has them."""
    one, two = (Format(f.make, claims=lambda _: True) for f in (FORMATS["influx"],) * 2)

    with pytest.raises(DecodeError, match="it could be one or two"):
        Recognition({"one": one, "two": two}).name(b"hello", "")


def test_a_content_type_of_several_formats_decides_nothing() -> None:
    """A content type decides where one format alone has it."""
    make = FORMATS["native"].make
    one = Format(make, ("application/x",), (b"1",))
    two = Format(make, ("application/x", "application/y"), (b"2",))
    found = Recognition({"one": one, "two": two})

    assert ["one", "two", "two"] == [
        found.name(value, kind)
        for value, kind in ((b"1", "application/x"), (b"2", ""), (b"1", "application/y"))
    ]


@pytest.mark.parametrize(
    "values",
    [
        [],
        [None],
        [b""],
        [b"up 1"],
        [b'{"ts": 1, "value": 1}', b'{"ts": 1, "metric": 1}'],
        [b'{"ts": 1, "value": 1}', b'{"ts": 1, "value": 1, "op": "c", "source": 1}'],
        [b'{"ts": 1, "value": 1, "\\u0001": 1}'],
        [b'{"a": 1}'],
    ],
)
def test_a_chunk_is_of_one_format_only_where_all_keys_are_the_same(
    values: list[bytes | None],
) -> None:
    """What is told of a chunk at once is told only where each record has the very keys of the first."""
    assert RECOGNITION.same(values, LimitsConfig()) == ""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("telegraf-influx", {"influx"}),
        ("telegraf-json", {"telegraf"}),
        ("telegraf-json-ns", {"telegraf"}),
        ("kcat", {"native", "influx"}),
        ("rsyslog", {"native"}),
    ],
)
def test_what_real_producers_wrote_is_told(name: str, expected: set[str]) -> None:
    """Every record that a real producer wrote is recognised."""
    assert expected == {name_of(value) for value in golden(name)}
