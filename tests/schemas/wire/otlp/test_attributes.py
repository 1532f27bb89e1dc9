"""Attributes: values of any type as texts."""

import struct

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason as Why
from schemas.wire.otlp.attributes import any_value, as_text, texts
from schemas.wire.otlp.histogram import as_bound
from schemas.wire.otlp.protobuf import fields

NESTED = AnyValue(
    kvlist_value=KeyValueList(
        values=[
            KeyValue(
                key="a",
                value=AnyValue(
                    array_value=ArrayValue(
                        values=[AnyValue(int_value=1), AnyValue(double_value=float("inf"))]
                    )
                ),
            )
        ]
    )
)
VALUES = {
    "cart": AnyValue(string_value="cart"),
    "true": AnyValue(bool_value=True),
    "false": AnyValue(bool_value=False),
    "-5": AnyValue(int_value=-5),
    "0.25": AnyValue(double_value=0.25),
    "1e+21": AnyValue(double_value=1e21),
    "AAE=": AnyValue(bytes_value=b"\0\1"),
    '{"a":[1,"inf"]}': NESTED,
}


@pytest.mark.parametrize(("wanted", "value"), VALUES.items())
def test_values_are_written_as_the_collector_writes_them(wanted: str, value: AnyValue) -> None:
    """Whatever their type."""
    data = value.SerializeToString()

    assert wanted == as_text(any_value(data, 0, len(data)))


def test_the_last_of_equal_keys_counts() -> None:
    """And an attribute without a value is none."""
    pairs = [
        KeyValue(key="a", value=AnyValue(string_value="1")),
        KeyValue(key="a", value=AnyValue(string_value="2")),
        KeyValue(key="b", value=AnyValue()),
    ]
    data, spans = b"", []
    for pair in pairs:
        value = pair.SerializeToString()
        spans.append((len(data), len(data) + len(value)))
        data += value

    assert {"a": "2"} == texts(data, spans)


def test_text_that_is_no_utf8_is_refused() -> None:
    """With the place of the byte."""
    with pytest.raises(DecodeError) as error:
        texts(b"\x0a\x01\xff", [(0, 3)])

    assert (Why.NOT_UTF8, "byte 2: invalid start byte") == (error.value.reason, error.value.detail)


BROKEN = {
    "field 0": b"\x00\x01",
    "a group": b"\x0b\x0c",
    "cut short": b"\x0a\x05ab",
    "a number without an end": b"\x08" + b"\xff" * 11,
    "eight bytes that are seven": b"\x09" + b"\0" * 7,
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    """As protobuf's own parsers refuse it."""
    with pytest.raises(DecodeError) as error:
        list(fields(data, 0, len(data)))

    assert Why.MALFORMED == error.value.reason


@pytest.mark.parametrize(
    ("number", "wanted"),
    {0.005: "0.005", 10.0: "10", 1e-7: "0.0000001", 1e21: "1000000000000000000000"}.items(),
)
def test_bounds_have_no_exponent(number: float, wanted: str) -> None:
    """As Go's format f has them."""
    assert wanted == as_bound(number)
    assert as_bound(struct.unpack("<d", struct.pack("<d", number))[0]) == wanted
