"""Transcript: OTLP in JSON written as OTLP in protobuf, so that both are read by the same code.

The encoding is the specification's: lowerCamelCase keys only, 64-bit integers as texts or numbers, enums as integers,
trace and span ids in hexadecimal, other bytes in base64, unknown keys ignored, null as if it were not there.

Refuses values of another type than their key has, and nothing else: what a value means is read later.
"""

import base64
import struct
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

import msgspec

from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason
from schemas.wire.otlp.protobuf import FIXED32, FIXED64, LENGTH, VARINT, as_varint

Encode = Callable[[Any], bytes]
Form = Mapping[str, tuple[bytes, Encode]]
"""Of each key the bytes of its tag, and what writes its value behind it."""
_64_BITS = 2**64 - 1
REMEMBERED = 65_536
_LONG = 512
"""What is this long is not remembered."""


def _sized(data: bytes) -> bytes:
    return as_varint(len(data)) + data


def _of(value: Any, *kinds: type) -> Any:
    if type(value) not in kinds:
        raise ValueError(f"{type(value).__name__} instead of {kinds[0].__name__}")
    return value


def _integer(value: Any) -> int:
    number = _of(value, int, str, float)
    if isinstance(number, float) and not number.is_integer():
        raise ValueError(f"{number} is no whole number")
    return int(number)


def _zigzag(value: Any) -> bytes:
    number = _integer(value)
    return as_varint(2 * number if number >= 0 else -2 * number - 1)


def _fixed64(value: Any) -> bytes:
    return (_integer(value) & _64_BITS).to_bytes(8, "little")


def _double(value: Any) -> bytes:
    return struct.pack("<d", float(_of(value, float, int, str)))


def _text(value: Any) -> bytes:
    return _sized(_of(value, str).encode())


@lru_cache(REMEMBERED)
def _text_pair(key: str, text: str) -> bytes:
    return _sized(b"\x0a" + _text(key) + b"\x12" + _sized(b"\x0a" + _text(text)))


def _pair(value: Any) -> bytes:
    """An attribute; nearly all are texts, and come again and again."""
    found = _of(value, dict)
    if len(found) == 2 and type(key := found.get("key")) is str:
        inner = found.get("value")
        if type(inner) is dict and len(inner) == 1:
            text = inner.get("stringValue")
            if type(text) is str and len(key) + len(text) < _LONG:
                return _text_pair(key, text)
    return _message(found, _PAIR_FORM)


def _many(value: Any, one: Encode) -> bytes:
    return _sized(b"".join(map(one, _of(value, list))))


def _message(value: Any, form: Form) -> bytes:
    return _sized(encode(_of(value, dict), form))


_WIRES: dict[str, tuple[int, Encode]] = {
    "text": (LENGTH, _text),
    "hex": (LENGTH, lambda value: _sized(bytes.fromhex(_of(value, str)))),
    "base64": (LENGTH, lambda value: _sized(base64.b64decode(_of(value, str), validate=True))),
    "bool": (VARINT, lambda value: as_varint(int(_of(value, bool)))),
    "int": (VARINT, lambda value: as_varint(_integer(value))),
    "zigzag": (VARINT, _zigzag),
    "fixed64": (FIXED64, _fixed64),
    "fixed32": (FIXED32, lambda value: (_integer(value) & 0xFFFFFFFF).to_bytes(4, "little")),
    "double": (FIXED64, _double),
    "pair": (LENGTH, _pair),
    "ints": (LENGTH, partial(_many, one=lambda value: as_varint(_integer(value)))),
    "fixed64s": (LENGTH, partial(_many, one=_fixed64)),
    "doubles": (LENGTH, partial(_many, one=_double)),
}


def _form(**keys: tuple[int, str | Form]) -> Form:
    found: dict[str, tuple[bytes, Encode]] = {}
    for key, (number, kind) in keys.items():
        if isinstance(kind, str):
            wire, write = _WIRES[kind]
        else:
            wire, write = LENGTH, partial(_message, form=kind)
        found[key] = (as_varint(number << 3 | wire), write)
    return found


def encode(value: Mapping[str, Any], form: Form) -> bytes:
    """Bytes of a message; raises ValueError, TypeError or LookupError where it is none."""
    parts: list[bytes] = []
    for key, one in value.items():
        known = form.get(key)
        if known is None or one is None:
            continue
        tag, write = known
        if type(one) is list and write not in _PACKED:
            for each in one:
                parts += (tag, write(each))
        else:
            parts += (tag, write(one))
    return b"".join(parts)


_PACKED = {write for kind, (_, write) in _WIRES.items() if kind.endswith("s")}

_ANY: dict[str, tuple[bytes, Encode]] = dict(
    _form(
        stringValue=(1, "text"),
        boolValue=(2, "bool"),
        intValue=(3, "int"),
        doubleValue=(4, "double"),
        bytesValue=(7, "base64"),
    )
)
_PAIR_FORM = _form(key=(1, "text"), value=(2, _ANY))
_PAIR = "pair"
_ANY |= _form(
    arrayValue=(5, _form(values=(1, _ANY))),
    kvlistValue=(6, _form(values=(1, _PAIR))),
)
_SCOPE = _form(name=(1, "text"), version=(2, "text"), attributes=(3, _PAIR))
_EXEMPLAR = _form(timeUnixNano=(2, "fixed64"), asDouble=(3, "double"))
_NUMBER = _form(
    startTimeUnixNano=(2, "fixed64"),
    timeUnixNano=(3, "fixed64"),
    asDouble=(4, "double"),
    exemplars=(5, _EXEMPLAR),
    asInt=(6, "fixed64"),
    attributes=(7, _PAIR),
    flags=(8, "int"),
)
_HISTOGRAM = _form(
    startTimeUnixNano=(2, "fixed64"),
    timeUnixNano=(3, "fixed64"),
    count=(4, "fixed64"),
    sum=(5, "double"),
    bucketCounts=(6, "fixed64s"),
    explicitBounds=(7, "doubles"),
    exemplars=(8, _EXEMPLAR),
    attributes=(9, _PAIR),
    flags=(10, "int"),
)
_BUCKETS = _form(offset=(1, "zigzag"), bucketCounts=(2, "ints"))
_EXPONENTIAL = _form(
    attributes=(1, _PAIR),
    startTimeUnixNano=(2, "fixed64"),
    timeUnixNano=(3, "fixed64"),
    count=(4, "fixed64"),
    sum=(5, "double"),
    scale=(6, "zigzag"),
    zeroCount=(7, "fixed64"),
    positive=(8, _BUCKETS),
    negative=(9, _BUCKETS),
    flags=(10, "int"),
    exemplars=(11, _EXEMPLAR),
    zeroThreshold=(14, "double"),
)
_SUMMARY = _form(
    startTimeUnixNano=(2, "fixed64"),
    timeUnixNano=(3, "fixed64"),
    count=(4, "fixed64"),
    sum=(5, "double"),
    quantileValues=(6, _form(quantile=(1, "double"), value=(2, "double"))),
    attributes=(7, _PAIR),
    flags=(8, "int"),
)
_METRIC = _form(
    name=(1, "text"),
    unit=(3, "text"),
    gauge=(5, _form(dataPoints=(1, _NUMBER))),
    sum=(
        7,
        _form(dataPoints=(1, _NUMBER), aggregationTemporality=(2, "int"), isMonotonic=(3, "bool")),
    ),
    histogram=(9, _form(dataPoints=(1, _HISTOGRAM), aggregationTemporality=(2, "int"))),
    exponentialHistogram=(
        10,
        _form(dataPoints=(1, _EXPONENTIAL), aggregationTemporality=(2, "int")),
    ),
    summary=(11, _form(dataPoints=(1, _SUMMARY))),
)
_LOG = _form(
    timeUnixNano=(1, "fixed64"),
    severityNumber=(2, "int"),
    severityText=(3, "text"),
    body=(5, _ANY),
    attributes=(6, _PAIR),
    traceId=(9, "hex"),
    spanId=(10, "hex"),
    observedTimeUnixNano=(11, "fixed64"),
    eventName=(12, "text"),
)
_SPAN = _form(
    traceId=(1, "hex"),
    spanId=(2, "hex"),
    parentSpanId=(4, "hex"),
    name=(5, "text"),
    kind=(6, "int"),
    startTimeUnixNano=(7, "fixed64"),
    endTimeUnixNano=(8, "fixed64"),
    attributes=(9, _PAIR),
    status=(15, _form(message=(2, "text"), code=(3, "int"))),
)


def _root(scopes: str, items: str, form: Form) -> tuple[bytes, Encode]:
    scope = _form(scope=(1, _SCOPE), **{items: (2, form)})
    resource = _form(resource=(1, _form(attributes=(1, _PAIR))), **{scopes: (2, scope)})
    return _form(_=(1, resource))["_"]


ROOTS: Form = {
    "resourceMetrics": _root("scopeMetrics", "metrics", _METRIC),
    "resourceLogs": _root("scopeLogs", "logRecords", _LOG),
    "resourceSpans": _root("scopeSpans", "spans", _SPAN),
}
"""The key by which a record tells what it holds, and how that is written."""


def transcribe(value: bytes) -> tuple[str | None, bytes]:
    """Key of `ROOTS` that a JSON text has, None for an empty object, and its protobuf form.

    Raises:
        DecodeError: it is no JSON, no OTLP, or a value has a wrong type.

    """
    try:
        found = msgspec.json.decode(value)
        if not isinstance(found, dict):
            raise DecodeError(
                DeadLetterReason.WRONG_TYPE, f"{type(found).__name__} instead of an object"
            )
        keys = [key for key in ROOTS if found.get(key) is not None]
        if len(keys) > 1 or (found and not keys):
            detail = f"one of {', '.join(ROOTS)} is wanted, there are {', '.join(found)}"
            raise DecodeError(DeadLetterReason.MALFORMED, detail[:200])
        return (keys[0] if keys else None), encode(found, ROOTS)
    except UnicodeDecodeError as error:
        raise DecodeError(DeadLetterReason.NOT_UTF8, str(error)) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise DecodeError(DeadLetterReason.NOT_JSON, str(error)) from error
    except (ValueError, TypeError, OverflowError, Base64Error) as error:
        raise DecodeError(DeadLetterReason.WRONG_TYPE, str(error)[:200]) from error
