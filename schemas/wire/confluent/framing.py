"""Framing: which schema a record names, and where its data begin.

The wire format of Confluent's serializers: a zero byte, the id of the schema as four bytes, big endian, the data. Newer
clients may have the id in the header `__value_schema_id` instead, as the same five bytes with nothing behind them.

Refuses the 128-bit ids (first byte 1) that may stand in that header.
"""

import struct
from collections.abc import Sequence

from schemas.records import Headers

MAGIC = b"\x00"
HEADER = "__value_schema_id"
_ID = struct.Struct(">BI")
PREFIX_BYTES = _ID.size


def split(value: bytes | None, headers: Headers = ()) -> tuple[int, bytes] | None:
    """Id of the schema and data of a record; None for one that names none."""
    if value is None:
        return None
    for key, content in headers:
        if key == HEADER:
            if len(content) != _ID.size or content[:1] != MAGIC:
                return None
            return _ID.unpack(content)[1], value
    if len(value) <= _ID.size or value[:1] != MAGIC:
        return None
    return _ID.unpack_from(value)[1], value[_ID.size :]


def shared(values: Sequence[bytes]) -> int | None:
    """Id of the schema that all of these records name in their first bytes; None for more than one, or none."""
    prefix = values[0][:PREFIX_BYTES] if values else b""
    if prefix[:1] != MAGIC or min(map(len, values)) <= PREFIX_BYTES:
        return None
    if not all(value.startswith(prefix) for value in values):
        return None
    return int(_ID.unpack(prefix)[1])
