"""Protobuf: the fields of a message where they stand in the bytes, without making objects of them.

A field is known by its tag (number and wire type in one, as written), so one of another wire type is another field and
is skipped, as protobuf's own parsers do. Source: the encoding guide of Protocol Buffers.

Refuses, with `DecodeError`, what is cut short, has no field number, or holds groups, which OTLP never had.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence

from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
CONTINUES = 0x80
_MOST_VARINT_BYTES = 10
_MOST_TAG = 2**32
_64_BITS = 2**64 - 1
_SHORT = [bytes([number]) for number in range(CONTINUES)]


def broken(what: str) -> DecodeError:
    """The error of bytes that are no message."""
    return DecodeError(DeadLetterReason.MALFORMED, f"no protobuf message: {what}")


def varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """The number that begins at `at`, and where it ends; raises DecodeError when that is behind `end`."""
    value = shift = 0
    for stop in range(at, min(end, at + _MOST_VARINT_BYTES)):
        byte = data[stop]
        value |= (byte & 0x7F) << shift
        if byte < CONTINUES:
            return value & _64_BITS, stop + 1
        shift += 7
    raise broken(f"a number is cut short at byte {at}")


def fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Tag, first byte and last of each field from `at` up to `end`; a varint's value stands in place of the first.

    Raises:
        DecodeError: it is no message.

    """
    while at < end:
        tag = data[at]
        at += 1
        if tag >= CONTINUES:
            tag, at = varint(data, at - 1, end)
        if not 8 <= tag < _MOST_TAG:
            raise broken(f"field {tag >> 3} at byte {at - 1}")
        wire = tag & 7
        if wire == VARINT:
            value, at = varint(data, at, end)
            yield tag, value, at
            continue
        if wire == LENGTH:
            if at < end and data[at] < CONTINUES:  # most are short
                size = data[at]
                at += 1
            else:
                size, at = varint(data, at, end)
        elif wire == FIXED64:
            size = 8
        elif wire == FIXED32:
            size = 4
        else:
            raise broken(f"wire type {wire} at byte {at - 1}")
        stop = at + size
        if stop > end:
            raise broken(f"a field ends at byte {stop}, its message at {end}")
        yield tag, at, stop
        at = stop


Span = tuple[int, int]
"""First byte of a field and the one behind its last; a varint's value stands in place of the first."""
Message = Mapping[int, Sequence[Span]]


def message(data: bytes, at: int, end: int) -> Message:
    """All fields of a message by their tag, in their order; raises DecodeError as `fields` does."""
    found: dict[int, list[Span]] = {}
    for tag, first, last in fields(data, at, end):
        found.setdefault(tag, []).append((first, last))
    return found


def last_of(found: Message, tag: int, default: int = 0) -> int:
    """Of a field that is there once, the first byte or the varint; of several the last one counts."""
    return found[tag][-1][0] if tag in found else default


def span_of(found: Message, tag: int) -> Span:
    """Where such a field stands, an empty span where it does not."""
    return found[tag][-1] if tag in found else (0, 0)


def uint64(data: bytes, found: Message, tag: int) -> int:
    """A number of type fixed64, 0 where it is not written."""
    return int(struct.unpack_from("<Q", data, last_of(found, tag))[0]) if tag in found else 0


def double(data: bytes, found: Message, tag: int) -> float:
    """The same of type double."""
    return float(struct.unpack_from("<d", data, last_of(found, tag))[0]) if tag in found else 0.0


def text(data: bytes, at: int, end: int) -> str:
    """A text; raises DecodeError when it is no UTF-8."""
    try:
        return data[at:end].decode()
    except UnicodeDecodeError as error:
        raise DecodeError(
            DeadLetterReason.NOT_UTF8, f"byte {at + error.start}: {error.reason}"
        ) from error


def packed(data: bytes, spans: Sequence[Span]) -> Iterator[int]:
    """Varints that stand packed at these spans; raises DecodeError where one is cut short."""
    for first, last in spans:
        at = first
        while at < last:
            value, at = varint(data, at, last)
            yield value


def signed(number: int) -> int:
    """A 64-bit varint as the signed number that it stands for."""
    return number - 2**64 if number >= 2**63 else number


def zigzag(number: int) -> int:
    """The same of the types sint32 and sint64."""
    return (number >> 1) ^ -(number & 1)


def as_varint(number: int) -> bytes:
    """A number as `varint` reads it; of a negative one the lower 64 bits."""
    if 0 <= number < CONTINUES:  # most are
        return _SHORT[number]
    number &= _64_BITS
    found = bytearray()
    while number >= CONTINUES:
        found.append(number & 0x7F | CONTINUES)
        number >>= 7
    found.append(number)
    return bytes(found)
