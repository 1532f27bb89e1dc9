"""Label sets as columns, the form in which checkpoints carry them.

Canonical bytes of all label sets end to end, and the offsets between them: k label sets have k + 1 offsets.

It refuses bytes that are no label sets with a `CheckpointError`.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.errors import CheckpointError
from schemas.labels import Labels, decode_labels, encode_labels


def pack_labels(labels: Iterable[Labels]) -> dict[str, NDArray[np.generic]]:
    """Columns `label_bytes` uint8[n] and `label_offsets` int64[k + 1]."""
    return pack_label_bytes([encode_labels(each) for each in labels])


def pack_label_bytes(encoded: Sequence[bytes]) -> dict[str, NDArray[np.generic]]:
    """The same of label sets in their canonical bytes."""
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)), out=offsets[1:])
    return {"label_bytes": np.frombuffer(b"".join(encoded), np.uint8), "label_offsets": offsets}


def unpack_labels(columns: Mapping[str, NDArray[np.generic]]) -> list[Labels]:
    """Inverse of `pack_labels`.

    Raises:
        CheckpointError: a column is missing or holds something else.

    """
    try:
        return [decode_labels(each) for each in unpack_label_bytes(columns)]
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CheckpointError(f"label columns of a checkpoint: {error!r}") from error


def unpack_label_bytes(columns: Mapping[str, NDArray[np.generic]]) -> list[bytes]:
    """Canonical bytes of each label set; whether they are label sets is not looked at.

    Raises:
        CheckpointError: a column is missing.

    """
    try:
        data = columns["label_bytes"].tobytes()
        offsets = columns["label_offsets"].tolist()
    except KeyError as error:
        raise CheckpointError(f"label columns of a checkpoint: {error!r}") from error
    return [data[a:b] for a, b in pairwise(offsets)]
