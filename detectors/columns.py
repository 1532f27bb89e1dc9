"""The state of a bank: named numpy columns of equal length, one row per series.

Each column has a fill: what a row holds before its series was ever seen. Growing, shrinking, forgetting, copying out
and putting back are written once, here, so that no detector can forget one of its columns.

Refuses a snapshot whose columns are not exactly its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from detectors.base import IntArray
from schemas.errors import CheckpointError


@dataclass(frozen=True, slots=True)
class Column:
    """The form of a column: its type, its fill, and how many cells a row has (0: a plain number)."""

    dtype: DTypeLike = np.float64
    fill: ArrayLike = 0
    width: int = 0

    def blank(self, rows: int) -> NDArray[Any]:
        """Return `rows` rows that know nothing."""
        column = np.empty((rows, self.width) if self.width else rows, self.dtype)
        column[...] = self.fill
        return column


class Columns:
    """Columns by name, all of one capacity."""

    def __init__(self, forms: Mapping[str, Column]) -> None:
        self.forms = dict(forms)
        self.capacity = 0
        self._arrays = {name: form.blank(0) for name, form in self.forms.items()}

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._arrays[name]

    def grow(self, capacity: int) -> None:
        """Add blank rows up to `capacity`."""
        more = capacity - self.capacity
        if more <= 0:
            return
        for name, form in self.forms.items():
            self._arrays[name] = np.concatenate([self._arrays[name], form.blank(more)])
        self.capacity = capacity

    def reset(self, rows: IntArray) -> None:
        """Make these rows blank again."""
        for name, form in self.forms.items():
            self._arrays[name][rows] = form.fill

    def take(self, rows: IntArray, capacity: int) -> None:
        """Keep these rows alone, in this order, with blank ones behind them up to `capacity`."""
        self._arrays = {
            name: np.concatenate([self._arrays[name][rows], form.blank(capacity - len(rows))])
            for name, form in self.forms.items()
        }
        self.capacity = capacity

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return copies."""
        return {name: array.copy() for name, array in self._arrays.items()}

    def restore(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Take copies of `columns`; raises CheckpointError when names, types or shapes differ."""
        if set(columns) != set(self.forms):
            odd = ", ".join(sorted(set(columns) ^ set(self.forms)))
            raise CheckpointError(f"detector columns do not fit: {odd}")
        capacity = len(next(iter(columns.values())))
        for name, form in self.forms.items():
            shape = (capacity, form.width) if form.width else (capacity,)
            if columns[name].shape != shape or columns[name].dtype != np.dtype(form.dtype):
                found = f"{columns[name].dtype}{columns[name].shape}"
                raise CheckpointError(f"detector column {name} is {found}, not {shape}")
        self._arrays = {name: columns[name].copy() for name in self.forms}
        self.capacity = capacity
