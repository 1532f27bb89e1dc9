"""Pickled: river models as columns of a snapshot, and back.

Refuses to load anything but river's own classes and plain containers: a checkpoint is data, and no program.
"""

import io
import pickle
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import CheckpointError

MODELS, SIZES = "model_bytes", "model_sizes"

# What pickled river models need beside river's own classes.
PLAIN = {
    ("builtins", "float"),
    ("builtins", "tuple"),
    ("builtins", "set"),
    ("builtins", "object"),
    ("collections", "Counter"),
    ("collections", "OrderedDict"),
    ("collections", "defaultdict"),
    ("collections", "deque"),
    ("copyreg", "_reconstructor"),
    ("functools", "partial"),
    ("random", "Random"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
}


def method(owner: Any, name: str) -> Any:
    """Return a method of a river model, which some keep for later; raises CheckpointError for anything else."""
    if name.startswith("__") or not type(owner).__module__.startswith("river."):
        raise CheckpointError(f"a checkpoint asks for {name}, which no river model needs")
    return getattr(owner, name)


class ModelReader(pickle.Unpickler):
    """Reads pickled models, and finds nothing but river's classes and plain containers."""

    def find_class(self, module: str, name: str) -> Any:
        """Return the named class; raises CheckpointError for any that a model does not need."""
        if (module, name) == ("builtins", "getattr"):
            return method
        if "." not in name and ((module, name) in PLAIN or module.startswith("river.")):
            found = super().find_class(module, name)
            origin = getattr(found, "__module__", "") or ""
            if (module, name) in PLAIN or (callable(found) and origin.startswith("river")):
                return found
        raise CheckpointError(f"a checkpoint asks for {module}.{name}, which no river model needs")


def joined(columns: Mapping[str, NDArray[Any]], models: Sequence[Any]) -> dict[str, NDArray[Any]]:
    """Return the columns of a snapshot with a model for each row, None where there is none."""
    blobs = [b"" if model is None else pickle.dumps(model) for model in models]
    return {
        **columns,
        MODELS: np.frombuffer(b"".join(blobs), np.uint8).copy(),
        SIZES: np.array([len(blob) for blob in blobs], np.int64),
    }


def parted(columns: Mapping[str, NDArray[Any]]) -> tuple[dict[str, NDArray[Any]], list[bytes]]:
    """Return the columns without the models, and these as bytes for `read_model`.

    Raises:
        CheckpointError: there is not one for each row.

    """
    if MODELS not in columns or SIZES not in columns:
        raise CheckpointError("detector columns hold no river models")
    own = {name: each for name, each in columns.items() if name not in {MODELS, SIZES}}
    whole = columns[MODELS].tobytes()
    ends = np.cumsum(columns[SIZES]).tolist()
    blobs = [whole[start:end] for start, end in pairwise([0, *ends])]
    if any(len(column) != len(blobs) for column in own.values()):
        raise CheckpointError("as many river models as rows are needed")
    return own, blobs


def read_model(blob: bytes) -> Any:
    """Return the model of these bytes, None of none; raises CheckpointError where they ask for anything else."""
    return ModelReader(io.BytesIO(blob)).load() if blob else None
