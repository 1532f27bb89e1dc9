"""Packing: snapshots compressed with Zstandard (RFC 8878), beside the event loop: both calls let go of the interpreter.

It takes a third of the processor time of zlib at its fastest, and less room. What was compressed with zlib, as all was
before, is still read. Refuses what is neither.
"""

import zlib

import cramjam

from schemas.errors import CheckpointError

LEVEL = 1
"""Most of the gain at a fraction of the time."""
_MAGIC = b"\x28\xb5\x2f\xfd"


def compress(snapshot: bytes | memoryview) -> bytes:
    """The form in which a snapshot is stored."""
    return bytes(cramjam.zstd.compress(snapshot, LEVEL))


def decompress(blob: bytes) -> bytes:
    """Inverse of `compress`.

    Raises:
        CheckpointError: it was not compressed so, nor with zlib.

    """
    try:
        if blob.startswith(_MAGIC):
            return bytes(cramjam.zstd.decompress(blob))
        return zlib.decompress(blob)
    except (cramjam.DecompressionError, zlib.error) as error:
        raise CheckpointError(f"it does not decompress: {error}") from error
