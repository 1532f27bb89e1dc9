"""The form of a snapshot: named numpy columns and a little metadata in one checked frame of bytes.

A frame is: magic, format version, checksum (CRC-32 of all before and after it), body. The body is a
msgpack header (kind, version, metadata, the columns' types and shapes) and the columns' bytes. What
comes out equals what went in, to the last bit. Frames are plain: whoever stores them compresses them.
Freezing is all that must be done before the state changes: one copy; checksum and compression come after it, off the
event loop.

It refuses columns of Python objects, and every frame that is cut, changed, or of an unknown format, kind
or version.
"""

import struct
import zlib
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.errors import CheckpointError
from streams.stage import Sealing

MAGIC = b"TCSN"
FORMAT = 1
_PREFIX = struct.Struct(">4sB3x")  # magic, format, three spare bytes
_CHECKSUM = struct.Struct(">I")
_BODY = _PREFIX.size + _CHECKSUM.size
_LENGTH = struct.Struct(">I")

Column = NDArray[Any] | bytes


class State(NamedTuple):
    """A decoded snapshot; its arrays are fresh and may be written to."""

    kind: str
    version: int
    columns: dict[str, Any]
    meta: dict[str, Any]


class _Column(msgspec.Struct, array_like=True):
    name: str
    dtype: str | None  # None: plain bytes
    shape: tuple[int, ...]
    size_bytes: int


class _Header(msgspec.Struct, array_like=True):
    kind: str
    version: int
    meta: dict[str, Any]
    columns: list[_Column]


def freeze(
    columns: Mapping[str, Column],
    *,
    kind: str,
    version: int,
    meta: Mapping[str, Any] | None = None,
) -> Sealing:
    """A copy of these, and what makes a frame of it, once, in any thread.

    `meta` holds what msgpack can: texts, numbers (NaN too), lists, string-keyed mappings.

    Raises:
        TypeError: a column or a piece of metadata has no fixed form.

    """
    described: list[_Column] = []
    payload: list[NDArray[np.uint8]] = []
    for name, column in columns.items():
        if isinstance(column, bytes):
            described.append(_Column(name, None, (), len(column)))
            payload.append(np.frombuffer(column, np.uint8))
            continue
        if column.dtype.hasobject or column.dtype.names is not None:
            raise TypeError(f"column {name!r} is of {column.dtype}, which has no fixed form")
        described.append(_Column(name, column.dtype.str, column.shape, column.nbytes))
        payload.append(np.ascontiguousarray(column).reshape(-1).view(np.uint8))
    header = msgspec.msgpack.encode(_Header(kind, version, dict(meta or {}), described))
    head = _PREFIX.pack(MAGIC, FORMAT) + bytes(_CHECKSUM.size) + _LENGTH.pack(len(header)) + header
    pieces = [np.frombuffer(head, np.uint8), *payload]
    # numpy's large arrays lie in large pages; as bytes, joined, the same took four times as long
    frame = np.empty(sum(map(len, pieces)), np.uint8)
    at = 0
    for piece in pieces:
        frame[at : at + len(piece)] = piece
        at += len(piece)
    return partial(_seal, frame.data)


def encode(
    columns: Mapping[str, Column],
    *,
    kind: str,
    version: int,
    meta: Mapping[str, Any] | None = None,
) -> bytes:
    """The frame at once.

    Raises:
        TypeError: a column or a piece of metadata has no fixed form.

    """
    return bytes(freeze(columns, kind=kind, version=version, meta=meta)())


def _seal(frame: memoryview) -> memoryview:
    checksum = zlib.crc32(frame[_BODY:], zlib.crc32(frame[: _PREFIX.size]))
    frame[_PREFIX.size : _BODY] = _CHECKSUM.pack(checksum)
    return frame


def decode(
    frame: bytes | memoryview,
    *,
    kind: str | None = None,
    version: int | Collection[int] | None = None,
) -> State:
    """The snapshot in a frame; with `kind` or `version`, only that one, or one of these versions.

    Raises:
        CheckpointError: the frame is cut, changed, or of another format, kind or version.

    """
    try:
        header, columns = _split(_body(memoryview(frame)))
    except (struct.error, msgspec.MsgspecError, ValueError, TypeError) as error:
        raise CheckpointError(f"snapshot cannot be read: {error}") from error
    if kind is not None and kind != header.kind:
        raise CheckpointError(f"snapshot is of kind {header.kind!r}, expected {kind!r}")
    versions = (version,) if isinstance(version, int) else version
    if versions is not None and header.version not in versions:
        known = " or ".join(map(str, sorted(versions)))
        raise CheckpointError(f"snapshot is of version {header.version}, expected {known}")
    return State(header.kind, header.version, columns, header.meta)


def _body(frame: memoryview) -> memoryview:
    if len(frame) < _BODY or frame[:4] != MAGIC:
        raise CheckpointError("not a snapshot: the magic number is missing")
    prefix, body = frame[: _PREFIX.size], frame[_BODY:]
    _, form = _PREFIX.unpack(prefix)
    if form != FORMAT:
        raise CheckpointError(f"snapshot format {form} is unknown, this program reads {FORMAT}")
    (checksum,) = _CHECKSUM.unpack(frame[_PREFIX.size : _BODY])
    if zlib.crc32(body, zlib.crc32(prefix)) != checksum:
        raise CheckpointError("snapshot is corrupt: the checksum does not match")
    return body


def _split(body: memoryview) -> tuple[_Header, dict[str, Any]]:
    (length,) = _LENGTH.unpack_from(body)
    at = _LENGTH.size + length
    header = msgspec.msgpack.decode(body[_LENGTH.size : at], type=_Header)
    columns: dict[str, Any] = {}
    for column in header.columns:
        piece = body[at : at + column.size_bytes]
        at += column.size_bytes
        if column.dtype is None:
            columns[column.name] = bytes(piece)
        else:
            columns[column.name] = (
                np.frombuffer(piece, np.dtype(column.dtype)).reshape(column.shape).copy()
            )
    return header, columns
