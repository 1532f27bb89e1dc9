"""The format `cloud_events`: CloudEvents 1.0 around a record of any other format.

Binary mode (Kafka protocol binding, section 3.2): the attributes are headers `ce_*`, the value is the record, and
the header `content-type` its type. Structured mode (section 3.3): content type `application/cloudevents+json`, and the
record is `data` or `data_base64` of type `datacontenttype`. What is inside is told as `auto` tells it.

Refuses batches of events and other versions than 1.0; an event inside an event is of no known format.
"""

import binascii
from base64 import b64decode
from typing import NamedTuple

import msgspec

from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason
from schemas.records import Headers
from schemas.wire.objects import UNREADABLE, find_fault

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
VERSION_HEADER = "ce_specversion"
VERSION = "1.0"
SHAPE = frozenset({"specversion", "id", "source", "type"})
JSON = "application/json"


class Inner(NamedTuple):
    """What is inside an event: bytes, and their content type, empty where it is not said."""

    value: bytes | None
    content_type: str


class _Event(msgspec.Struct, gc=False):
    specversion: str
    id: str
    source: str
    type: str
    datacontenttype: str | None = None
    data: msgspec.Raw = msgspec.Raw()
    data_base64: str | None = None


_decode = msgspec.json.Decoder(_Event).decode
_decode_text = msgspec.json.Decoder(str).decode


def content_type_of(headers: Headers) -> str:
    """Content type by the headers of a record, without its parameters (RFC 9110, section 8.3.1); empty for none."""
    for key, content in headers:
        if key.lower() == "content-type":
            return content.partition(b";")[0].strip().lower().decode("latin-1")
    return ""


def is_event(headers: Headers, content_type: str) -> bool:
    """Whether the headers of a record say that it is an event."""
    return content_type in (STRUCTURED, BATCH) or any(
        key.lower() == VERSION_HEADER for key, _ in headers
    )


def unwrap(value: bytes | None, headers: Headers, content_type: str) -> Inner:
    """What is inside an event; raises DecodeError."""
    if content_type == BATCH:
        raise DecodeError(DeadLetterReason.WRONG_TYPE, "a batch of events: one record, one event")
    version = next((c for key, c in headers if key.lower() == VERSION_HEADER), None)
    if version is not None and content_type != STRUCTURED:
        _check(version.decode("latin-1"))
        return Inner(value, content_type)
    return _structured(value or b"")


def _structured(value: bytes) -> Inner:
    try:
        event = _decode(value)
    except UNREADABLE as error:
        raise find_fault(value, error, {}) from error
    _check(event.specversion)
    kind = (event.datacontenttype or "").partition(";")[0].strip().lower()
    try:
        if event.data_base64 is not None:
            return Inner(b64decode(event.data_base64, validate=True), kind)
        if not bytes(event.data):
            raise DecodeError(DeadLetterReason.MISSING_VALUE, "the event has no data")
        if not kind or kind == JSON or kind.endswith("+json"):
            return Inner(bytes(event.data), kind or JSON)
        # what is no JSON stands in a text
        return Inner(_decode_text(event.data).encode(), kind)
    except (*UNREADABLE, binascii.Error) as error:
        detail = f"data of the event: {error}"[:200]
        raise DecodeError(DeadLetterReason.WRONG_TYPE, detail) from error


def _check(version: str) -> None:
    if version != VERSION:
        detail = f"CloudEvents {version[:20]!r}: only {VERSION} is known"
        raise DecodeError(DeadLetterReason.UNKNOWN_FORMAT, detail)
