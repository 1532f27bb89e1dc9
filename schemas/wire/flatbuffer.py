"""Flatbuffer: the few facts about an Arrow IPC message that must be known before its body is unpacked.

A compressed body says itself how large it becomes, so a kilobyte can ask for gigabytes; and rows without buffers cost
nothing on the wire. Both are seen here, in the message's header, by Arrow's Message.fbs and the layout of flatbuffers
(vtable of 16-bit offsets, tables by 32-bit ones).

It refuses to decode: whoever reads the message does that, with every check that it has.
"""

import struct
from typing import NamedTuple

_DICTIONARY, _RECORDS = 2, 3


class Announced(NamedTuple):
    """What the header of a message announces: rows of its body, and whether that is compressed."""

    rows: int
    compressed: bool


def announced(header: bytes) -> Announced | None:
    """The rows of a record batch or dictionary; None for a message without a body of rows.

    Raises:
        ValueError: the bytes are no such header.

    """
    try:
        message = _Table(header, _uint(header, 0))
        kind = message.byte(1)
        if kind not in (_DICTIONARY, _RECORDS):
            return None
        body = message.table(2)
        if kind == _DICTIONARY:
            body = body.table(1)
        return Announced(body.long(0), body.has(3))
    except (struct.error, IndexError) as error:
        raise ValueError("header of an Arrow message is cut off") from error


def _uint(data: bytes, at: int) -> int:
    found: int = struct.unpack_from("<I", data, at)[0]
    return found


class _Table:
    """A flatbuffer table; a field that is not written has its default, 0."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._vtable = at - struct.unpack_from("<i", data, at)[0]
        if self._vtable < 0:
            raise IndexError(self._vtable)

    def _field(self, number: int) -> int:
        """Place of a field, 0 where it is not written."""
        data, offset = self._data, 4 + 2 * number
        if offset >= struct.unpack_from("<H", data, self._vtable)[0]:
            return 0
        found: int = struct.unpack_from("<H", data, self._vtable + offset)[0]
        return self._at + found if found else 0

    def has(self, number: int) -> bool:
        return self._field(number) > 0

    def byte(self, number: int) -> int:
        at = self._field(number)
        return self._data[at] if at else 0

    def long(self, number: int) -> int:
        at = self._field(number)
        found: int = struct.unpack_from("<q", self._data, at)[0] if at else 0
        return found

    def table(self, number: int) -> "_Table":
        at = self._field(number)
        if not at:
            raise IndexError(number)
        return _Table(self._data, at + _uint(self._data, at))
