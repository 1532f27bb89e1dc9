"""Label sets as columns, the form in which checkpoints carry them.

Canonical bytes of all label sets end to end, and the offsets between them: k label sets have k + 1 offsets.

It refuses bytes that are no label sets with a `CheckpointError`.
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.errors import CheckpointError
from schemas.labels import Labels, decode_labels, encode_labels


def pack_labels(labels: Iterable[Labels]) -> dict[str, NDArray[np.generic]]:
    """Columns `label_bytes` uint8[n] and `label_offsets` int64[k + 1]."""
    encoded = [encode_labels(each) for each in labels]
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(each) for each in encoded], out=offsets[1:])
    return {"label_bytes": np.frombuffer(b"".join(encoded), np.uint8), "label_offsets": offsets}


def unpack_labels(columns: Mapping[str, NDArray[np.generic]]) -> list[Labels]:
    """Inverse of `pack_labels`.

    Raises:
        CheckpointError: a column is missing or holds something else.

    """
    try:
        data = columns["label_bytes"].tobytes()
        offsets = columns["label_offsets"].tolist()
        return [decode_labels(data[a:b]) for a, b in pairwise(offsets)]
    except (KeyError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CheckpointError(f"label columns of a checkpoint: {error!r}") from error
