"""Body: the body of a remote write request, unpacked and taken apart as far as its series; and several in one buffer.

A body is one snappy block. Which version it is its fields tell: 2.0 leaves the field numbers of 1.0 free for that
(prompb/io/prometheus/write/v2/types.proto). How large a body becomes stands at its beginning, so that is judged
before there is memory for it.

Refuses what is too large, no snappy block, or no request, with a `DecodeError`.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.config.limits import LimitsConfig
from schemas.errors import DecodeError, MissingExtraError
from schemas.reasons import DeadLetterReason
from schemas.samples import Int64s
from schemas.wire.format import size_fault
from schemas.wire.remote_write.fields import PADDING, Bytes
from schemas.wire.remote_write.message import malformed, read_message

try:
    import cramjam
    from google.protobuf import (  # type: ignore[import-untyped]  # it has no types
        descriptor_pb2,
        descriptor_pool,
        message,
        message_factory,
    )
except ImportError as error:
    raise MissingExtraError("prometheus", "the format 'remote_write'") from error

_FIELDS = {"series_1": 1, "metadata_1": 3, "symbols_2": 4, "series_2": 5}


_MOST_UNPACKED = 32
"""A snappy block becomes 22 times as long at most: 3 bytes stand for 64 (google/snappy, format_description.txt)."""


def _make_reader() -> Callable[[bytes], Any]:
    """Reads the parts of requests of both versions, and leaves what stands in them as bytes."""
    file = descriptor_pb2.FileDescriptorProto(name="request.proto", package="tocsin")
    request = file.message_type.add(name="Request")
    for name, number in _FIELDS.items():
        request.field.add(
            name=name,
            number=number,
            type=descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
            label=descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED,
        )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    made = message_factory.GetMessageClass(pool.FindMessageTypeByName("tocsin.Request"))
    reader: Callable[[bytes], Any] = made.FromString
    return reader


_read_request = _make_reader()


class Body(NamedTuple):
    """A request.

    Attributes:
        record: index of the record.
        series: its series, each a message of its version.
        symbols: its symbols; None in version 1, which has none.

    """

    record: int
    series: list[bytes]
    symbols: list[bytes] | None

    @property
    def version(self) -> int:
        """1 or 2."""
        return 1 if self.symbols is None else 2


def unpack(value: bytes | None, limits: LimitsConfig) -> bytes:
    """What a record's value becomes unpacked.

    Raises:
        DecodeError: it is too large, packed or unpacked, or no snappy block.

    """
    if (fault := size_fault(value, limits)) is not None:
        raise DecodeError(*fault)
    try:
        size = cramjam.snappy.decompress_raw_len(value or b"")
        if size > limits.message_bytes:
            detail = f"{size} bytes unpacked, the limit is {limits.message_bytes}"
            raise DecodeError(DeadLetterReason.TOO_LARGE, detail)
        return bytes(cramjam.snappy.decompress_raw(value or b""))
    except cramjam.DecompressionError as error:
        raise malformed(f"no snappy block: {error}") from error


def read_body(record: int, data: bytes) -> Body:
    """The request in a record.

    Raises:
        DecodeError: it is none.

    """
    try:
        request = _read_request(data)
    except message.DecodeError as error:
        raise malformed(f"no request: {error}") from error
    first, second = list(request.series_1), list(request.series_2)
    symbols = list(request.symbols_2)
    if not (second or symbols):
        return Body(record, first, None)
    if first or request.metadata_1:
        raise malformed("a request of version 1 and 2 at once")
    return Body(record, second, symbols)


def claims(value: bytes) -> bool:
    """Whether a record looks like a request: a snappy block of a message with fields of one version, and no others."""
    try:
        if cramjam.snappy.decompress_raw_len(value) > _MOST_UNPACKED * len(value):
            return False
        data = bytes(cramjam.snappy.decompress_raw(value))
        tags = {tag for tag, _ in read_message(data)}
        return bool(tags) and (tags <= {0x0A, 0x1A} or tags <= {0x22, 0x2A})
    except (cramjam.DecompressionError, DecodeError):
        return False


class Buffer:
    """Series of some bodies end to end.

    Attributes:
        text: their bytes, and some more behind them.
        data: the same as an array.
        starts: int64[n], where each series begins.
        ends: int64[n], where it ends.
        body: intp[n], index of its body.

    """

    def __init__(self, bodies: Sequence[Body]) -> None:
        parts = [series for body in bodies for series in body.series]
        self.text = b"".join([*parts, bytes(PADDING)])
        self.data: Bytes = np.frombuffer(self.text, np.uint8)
        lengths = np.fromiter(map(len, parts), np.int64, len(parts))
        self.ends: Int64s = np.cumsum(lengths)
        self.starts: Int64s = self.ends - lengths
        counts = [len(body.series) for body in bodies]
        self.body: NDArray[np.intp] = np.repeat(np.arange(len(bodies)), counts)
