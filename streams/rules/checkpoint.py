"""Columns of many owners in one mapping, as checkpoints carry them: names are prefixed by room, as in paths."""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

AnyColumns: TypeAlias = Mapping[str, NDArray[np.generic]]


def placed(room: str, columns: AnyColumns) -> dict[str, NDArray[np.generic]]:
    """The columns with `room/` before their names."""
    return {f"{room}/{name}": column for name, column in columns.items()}


def under(room: str, columns: AnyColumns) -> dict[str, NDArray[np.generic]]:
    """The columns of a room, without its name."""
    start = f"{room}/"
    return {
        name.removeprefix(start): column
        for name, column in columns.items()
        if name.startswith(start)
    }
