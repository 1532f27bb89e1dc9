"""Roster: numbers label sets that have state in a rule, bounded, and gives free numbers to others.

A number below `capacity` belongs to one label set until it is released. Refuses label sets above its cap (-1).
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from detectors.base import IntArray
from schemas.labels import Labels
from streams.rules.checkpoint import AnyColumns
from streams.windows.columns import pack_labels, unpack_labels

FIRST_CAPACITY = 64


class Roster:
    """Label set <-> number.

    Attributes:
        labels: the label set of each number, None where the number is free.

    """

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.labels: list[Labels | None] = []
        self._number_of: dict[Labels, int] = {}
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._number_of)

    @property
    def capacity(self) -> int:
        """All numbers are below this."""
        return len(self.labels)

    @property
    def numbers(self) -> IntArray:
        """Those in use, ascending."""
        return np.array(sorted(self._number_of.values()), np.int64)

    def number(self, labels: Labels) -> int:
        """Number of a label set, a new one if need be, -1 when the roster is full."""
        known = self._number_of.get(labels)
        if known is not None:
            return known
        if len(self._number_of) >= self.cap:
            return -1
        if not self._free:
            size = len(self.labels)
            wider = min(self.cap, max(FIRST_CAPACITY, 2 * size))
            self.labels.extend([None] * (wider - size))
            self._free = list(range(wider - 1, size - 1, -1))
        number = self._free.pop()
        self.labels[number] = labels
        self._number_of[labels] = number
        return number

    def release(self, numbers: Iterable[int]) -> None:
        """Free these numbers."""
        for number in numbers:
            labels = self.labels[number]
            assert labels is not None
            del self._number_of[labels]
            self.labels[number] = None
            self._free.append(number)

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Label sets and numbers as columns."""
        numbers = self.numbers
        return {
            **pack_labels(self.labels[n] or () for n in numbers.tolist()),
            "numbers": numbers,
            "capacity": np.array([self.capacity], np.int64),
            "free": np.array(self._free, np.int64),
        }

    def restore(self, columns: AnyColumns) -> None:
        """Become what the snapshot was taken of.

        Raises:
            CheckpointError: the columns are not those of a snapshot.

        """
        labels = unpack_labels(columns)
        self.labels = [None] * int(columns["capacity"][0])
        self._number_of = dict(zip(labels, columns["numbers"].tolist(), strict=True))
        for each, number in self._number_of.items():
            self.labels[number] = each
        self._free = columns["free"].tolist()
