"""The state of a bank: named numpy columns of equal length, one row per series.

Each column has a fill: what a row holds before its series was ever seen. Growing, shrinking, forgetting, copying out
and putting back are written once, here, so that no detector can forget one of its columns. A column that is seldom
written takes no memory until somebody does.

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
    """The form of a column: its type, its fill, and how many cells a row has (0: a plain number).

    `seldom`: it can only be read until `Columns.own` has been asked for it.
    """

    dtype: DTypeLike = np.float64
    fill: ArrayLike = 0
    width: int = 0
    seldom: bool = False

    def blank(self, rows: int) -> NDArray[Any]:
        """Return `rows` rows that know nothing."""
        column = np.empty(self._shape(rows), self.dtype)
        column[...] = self.fill
        return column

    def unwritten(self, rows: int) -> NDArray[Any]:
        """Return the same to be read alone: all rows are one where the column is seldom written."""
        if not self.seldom:
            return self.blank(rows)
        return np.broadcast_to(np.asarray(self.fill, self.dtype), self._shape(rows))

    def _shape(self, rows: int) -> tuple[int, ...]:
        return (rows, self.width) if self.width else (rows,)


class Columns:
    """Columns by name, all of one capacity."""

    def __init__(self, forms: Mapping[str, Column]) -> None:
        self.forms = dict(forms)
        self.capacity = 0
        self._unwritten = {name for name, form in self.forms.items() if form.seldom}
        self._arrays = {name: form.unwritten(0) for name, form in self.forms.items()}

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._arrays[name]

    def own(self, name: str) -> NDArray[Any]:
        """Return a column to be written."""
        if name in self._unwritten:
            self._unwritten.remove(name)
            self._arrays[name] = self._arrays[name].copy()
        return self._arrays[name]

    def unwritten(self, *names: str) -> bool:
        """Whether all rows of these columns still hold the fill, as far as is known."""
        return self._unwritten.issuperset(names)

    def grow(self, capacity: int) -> None:
        """Add blank rows up to `capacity`."""
        more = capacity - self.capacity
        if more <= 0:
            return
        for name, form in self.forms.items():
            if name in self._unwritten:
                self._arrays[name] = form.unwritten(capacity)
            else:
                self._arrays[name] = np.concatenate([self._arrays[name], form.blank(more)])
        self.capacity = capacity

    def reset(self, rows: IntArray) -> None:
        """Make these rows blank again."""
        for name in self.forms.keys() - self._unwritten:
            self._arrays[name][rows] = self.forms[name].fill

    def take(self, rows: IntArray, capacity: int) -> None:
        """Keep these rows alone, in this order, with blank ones behind them up to `capacity`."""
        self._arrays = {
            name: form.unwritten(capacity)
            if name in self._unwritten
            else np.concatenate([self._arrays[name][rows], form.blank(capacity - len(rows))])
            for name, form in self.forms.items()
        }
        self.capacity = capacity

    def give(self, rows: IntArray, columns: Mapping[str, NDArray[Any]], source: IntArray) -> None:
        """Let these rows hold what rows `source` of a snapshot hold; raises CheckpointError as `restore` does."""
        self._check(columns)
        for name in self.forms:
            self.own(name)[rows] = columns[name][source]

    def blank(self, rows: IntArray) -> NDArray[np.bool_]:
        """Return which of these rows hold nothing but the fill."""
        blank = np.ones(len(rows), np.bool_)
        for name, form in self.forms.items():
            same = self._arrays[name][rows] == form.fill
            blank &= same.reshape(len(rows), -1).all(axis=1)
        return blank

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return copies."""
        return {name: array.copy() for name, array in self._arrays.items()}

    def restore(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Take copies of `columns`; raises CheckpointError when names, types or shapes differ."""
        self.capacity = self._check(columns)
        self._unwritten = {
            name
            for name, form in self.forms.items()
            if form.seldom and np.array_equal(columns[name], form.unwritten(self.capacity), True)
        }
        self._arrays = {
            name: form.unwritten(self.capacity) if name in self._unwritten else columns[name].copy()
            for name, form in self.forms.items()
        }

    def _check(self, columns: Mapping[str, NDArray[Any]]) -> int:
        """Return how many rows a snapshot has."""
        if set(columns) != set(self.forms):
            odd = ", ".join(sorted(set(columns) ^ set(self.forms)))
            raise CheckpointError(f"detector columns do not fit: {odd}")
        capacity = len(next(iter(columns.values())))
        for name, form in self.forms.items():
            shape = (capacity, form.width) if form.width else (capacity,)
            if columns[name].shape != shape or columns[name].dtype != np.dtype(form.dtype):
                found = f"{columns[name].dtype}{columns[name].shape}"
                raise CheckpointError(f"detector column {name} is {found}, not {shape}")
        return capacity
