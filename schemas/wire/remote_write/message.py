"""Messages read one at a time, by plain loops: for what is seldom, such as a label set that is new.

Refuses what is no message with a `DecodeError`.
"""

import struct
from collections.abc import Iterator
from typing import TypeAlias

from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
FIRST_TAG, LAST_TAG = 1 << 3, (1 << 32) - 1
_KINDS = {VARINT, FIXED64, LENGTH, FIXED32}
_DOUBLE = struct.Struct("<d")
_MOST_SHIFT = 63
_BITS_64 = (1 << 64) - 1

Value: TypeAlias = int | bytes
"""A number for a varint, else the bytes."""


def malformed(detail: str) -> DecodeError:
    """The refusal of bytes that are no such message."""
    return DecodeError(DeadLetterReason.MALFORMED, detail)


def walk(data: bytes | memoryview, at: int, last: int) -> Iterator[tuple[int, int, int, int]]:
    """Tag of each field of the message that stands there, where it begins, and where its value begins and ends.

    Raises:
        DecodeError: it is no message.

    """
    try:
        while at < last:
            begin = at
            tag, at = _read_varint(data, at)
            kind = tag & 7
            if not FIRST_TAG <= tag <= LAST_TAG or kind not in _KINDS:
                raise malformed(f"a field with the tag {tag}")
            start = at
            if kind == LENGTH:
                length, start = _read_varint(data, at)
                at = start + length
            elif kind == VARINT:
                at = _read_varint(data, at)[1]
            else:
                at += 8 if kind == FIXED64 else 4
            if at > last:
                break
            yield tag, begin, start, at
    except IndexError:
        at = last + 1
    if at > last:
        raise malformed("a message that is cut off")


def read_message(data: bytes) -> Iterator[tuple[int, Value]]:
    """Tag and value of each field.

    Raises:
        DecodeError: it is no message.

    """
    for tag, _, start, end in walk(data, 0, len(data)):
        yield tag, data[start:end] if tag & 7 else _read_varint(data, start)[0]


def _read_varint(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """A number of 64 bits, and where it ends."""
    value = shift = 0
    while (byte := data[at]) > 0x7F:
        value |= (byte & 0x7F) << shift
        shift += 7
        at += 1
        if shift > _MOST_SHIFT:
            raise malformed("a number of more than ten bytes")
    return (value | byte << shift) & _BITS_64, at + 1


def read_varints(data: bytes) -> list[int]:
    """Packed numbers."""
    found: list[int] = []
    at = 0
    try:
        while at < len(data):
            number, at = _read_varint(data, at)
            found.append(number)
    except IndexError as error:
        raise malformed("a number that is cut off") from error
    return found


def read_doubles(data: bytes) -> list[float]:
    """Packed numbers of eight bytes."""
    if len(data) % 8:
        raise malformed("a number that is cut off")
    return [number for (number,) in _DOUBLE.iter_unpack(data)]


def signed(number: int) -> int:
    """A number of 64 bits as int64 has it."""
    return number - (1 << 64) if number >> 63 else number


def unfolded(number: int) -> int:
    """A number that is folded by the sign (sint32, sint64): 0, -1, 1, -2, ..."""
    return (number >> 1) ^ -(number & 1)
