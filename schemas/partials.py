"""Partials: what one detect partition found of the rules that are wider than the locality; a record of tocsin.partials.

The values are a sample batch whose series are groups of one cut of an expression, so that they are ordered, kept and
restored as samples are. Beside it stands since when the partition evaluates each cut: a cut that not all partitions
evaluate yet has no result.

Binary form, little endian: magic `TCSP`, version (1 byte), length of the head (4 bytes), head (msgpack of `_Head`),
then the batch as `encode_batch` makes it. Refuses what it cannot read with a reason, as the batch does.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason
from schemas.samples import SampleBatch, decode_batch, encode_batch

MAGIC = b"TCSP"
VERSION = 1
_PREFIX = struct.Struct("<4sBI")


class _Head(msgspec.Struct, array_like=True, frozen=True):
    since: dict[str, int]


@dataclass(frozen=True, slots=True)
class Partials:
    """What one detect partition found.

    Attributes:
        since: event time in ms from which on it evaluates a cut, by the cut's id.
        batch: the values; its source is the detect partition.

    """

    since: Mapping[str, int]
    batch: SampleBatch


def encode_partials(partials: Partials) -> bytes:
    """Binary form."""
    head = msgspec.msgpack.encode(_Head(dict(sorted(partials.since.items()))))
    return _PREFIX.pack(MAGIC, VERSION, len(head)) + head + encode_batch(partials.batch)


def decode_partials(data: bytes) -> Partials:
    """Inverse of `encode_partials`.

    Raises:
        DecodeError: wrong magic number, a version of the future, or a head or batch that cannot be read.

    """
    if len(data) < _PREFIX.size:
        raise _refuse(f"{len(data)} bytes are no partials")
    magic, version, length = _PREFIX.unpack_from(data)
    if magic != MAGIC:
        raise _refuse(f"magic number {magic!r} instead of {MAGIC!r}")
    if version != VERSION:
        raise _refuse(f"partials of version {version}, this code reads {VERSION}")
    end = _PREFIX.size + length
    try:
        head = msgspec.msgpack.decode(data[_PREFIX.size : end], type=_Head)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _refuse(f"head of partials: {error}") from error
    return Partials(head.since, decode_batch(data[end:]))


def _refuse(detail: str) -> DecodeError:
    return DecodeError(DeadLetterReason.UNKNOWN_RECORD, detail)
