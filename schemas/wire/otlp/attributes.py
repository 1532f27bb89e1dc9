"""Attributes: key-value pairs of OTLP as texts by name.

A value that is no text is written as Prometheus and the Collector write it: numbers and booleans plainly, bytes in
base64, lists and maps as JSON (`pcommon.Value.AsString`). Of equal keys the last one counts.

Refuses values nested deeper than anybody means.
"""

import base64
import math
import struct
from collections.abc import Iterable
from typing import Any

import msgspec

from schemas.errors import DecodeError
from schemas.histograms import short
from schemas.reasons import DeadLetterReason
from schemas.wire.otlp.protobuf import Span, fields, signed, text

_KEY, _VALUE = 0x0A, 0x12
_STRING, _BOOL, _INT, _DOUBLE, _ARRAY, _MAP, _BYTES = 0x0A, 0x10, 0x18, 0x21, 0x2A, 0x32, 0x3A
_ITEM = 0x0A
DEEPEST = 32
_LONGEST_PLAIN = 21
"""From 10**21 on Go's JSON writes a number with an exponent."""


def texts(data: bytes, spans: Iterable[Span]) -> dict[str, str]:
    """Attributes that stand at these spans, those without a value left out.

    Raises:
        DecodeError: one is no pair, or no UTF-8.

    """
    found: dict[str, str] = {}
    for at, end in spans:
        key, value = _pair(data, at, end, 0)
        if value is not None:
            found[key] = as_text(value)
    return found


def _pair(data: bytes, at: int, end: int, depth: int) -> tuple[str, Any]:
    key, value = "", None
    for tag, first, last in fields(data, at, end):
        if tag == _KEY:
            key = text(data, first, last)
        elif tag == _VALUE:
            value = any_value(data, first, last, depth)
    return key, value


def any_value(data: bytes, at: int, end: int, depth: int = 0) -> Any:
    """The value of an `AnyValue`, None for an empty one; raises DecodeError as `texts`."""
    if depth > DEEPEST:
        raise DecodeError(
            DeadLetterReason.MALFORMED, f"a value nested more than {DEEPEST} levels deep"
        )
    value: Any = None
    for tag, first, last in fields(data, at, end):
        if tag == _STRING:
            value = text(data, first, last)
        elif tag == _BOOL:
            value = bool(first)
        elif tag == _INT:
            value = signed(first)
        elif tag == _DOUBLE:
            (value,) = struct.unpack_from("<d", data, first)
        elif tag == _BYTES:
            value = data[first:last]
        elif tag in (_ARRAY, _MAP):
            items = [(a, b) for t, a, b in fields(data, first, last) if t == _ITEM]
            if tag == _ARRAY:
                value = [any_value(data, a, b, depth + 1) for a, b in items]
            else:
                value = dict(_pair(data, a, b, depth + 1) for a, b in items)
    return value


def as_text(value: Any) -> str:
    """A value as the Collector writes it where a text is wanted."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return short(value, longest=_LONGEST_PLAIN)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, int):
        return str(value)
    return msgspec.json.encode(_plain(value)).decode()


def _plain(value: Any) -> Any:
    """The same without what JSON has not got."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
