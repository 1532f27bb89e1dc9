"""JSON form of the records on Tocsin's own topics, and the CloudEvents headers that go with them.

Every record is a frozen msgspec struct with a `v` field. Adding a field needs a default; a type never changes;
unknown fields are ignored, so an older reader reads a newer record.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVar

import msgspec

from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason

R = TypeVar("R")

Headers = tuple[tuple[str, bytes], ...]

_encoder = msgspec.json.Encoder(order="deterministic")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Root of all records."""

    v: int = 1


def encode_record(record: Record) -> bytes:
    """Deterministic JSON: equal records have equal bytes."""
    return _encoder.encode(record)


def decode_record(data: bytes, kind: type[R]) -> R:
    """Read a record (or a tagged union of records).

    Raises:
        DecodeError: not JSON, or not such a record.

    """
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise DecodeError(DeadLetterReason.WRONG_TYPE, str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DecodeError(DeadLetterReason.NOT_JSON, str(error)) from error


def rfc3339(time_ms: int) -> str:
    """RFC 3339 form, UTC with milliseconds, of an event time."""
    seconds, ms = divmod(time_ms, 1000)
    return f"{_to_the_second(seconds)}.{ms:03d}Z"


@lru_cache(maxsize=1_000)
def _to_the_second(seconds: int) -> str:
    """A time is written again and again: in headers, decisions and timelines."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def cloud_event_headers(
    kind: str, identity: str, source: str, time_ms: int, subject: str = ""
) -> Headers:
    """CloudEvents 1.0 attributes in binary mode (Kafka protocol binding): `ce_*` and the content type."""
    about = (("ce_subject", subject.encode()),) if subject else ()
    return (
        ("ce_specversion", b"1.0"),
        ("ce_id", identity.encode()),
        ("ce_source", source.encode()),
        ("ce_type", f"tocsin.{kind}".encode()),
        ("ce_time", rfc3339(time_ms).encode()),
        *about,
        ("content-type", b"application/json"),
    )
