"""Label sets as columns."""

import numpy as np
import pytest

from schemas.errors import CheckpointError
from schemas.labels import make_labels
from streams.windows.columns import pack_labels, unpack_labels


def test_label_sets_come_back_from_their_columns() -> None:
    """Packing loses nothing, be a label set empty or not of ASCII."""
    labels = [make_labels({"a": "b", "c": "ü"}), (), make_labels({"x": '"'})]

    assert labels == unpack_labels(pack_labels(labels))
    assert [] == unpack_labels(pack_labels([]))


def test_other_columns_are_refused() -> None:
    """What is no label set is a broken checkpoint, not a crash."""
    with pytest.raises(CheckpointError):
        unpack_labels({})
    with pytest.raises(CheckpointError):
        unpack_labels(
            {"label_bytes": np.frombuffer(b"{}", np.uint8), "label_offsets": np.array([0, 2])}
        )
