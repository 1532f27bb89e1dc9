"""Roster: numbers label sets that have state in a rule, bounded, and gives free numbers to others.

A number below `capacity` belongs to one label set until it is released, or until `shrink`. Refuses label sets above
its cap (-1).
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from detectors.base import IntArray
from schemas.fingerprints import FingerprintIndex
from schemas.labels import Labels, decode_labels, encode_labels, fingerprint_bytes
from schemas.numbers import FreeNumbers
from streams.rules.checkpoint import AnyColumns
from streams.windows.columns import pack_label_bytes, unpack_labels

FIRST_CAPACITY = 64
SPARE = 4
"""It gets room for one more label set for each so many."""
FREE = b""
SPARSE = 2
"""With so many times the places that it would have anew, a roster shrinks."""


class Roster:
    """Label set <-> number."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self._encoded: list[bytes] = []
        self._index = FingerprintIndex()
        self._free = FreeNumbers()

    def __len__(self) -> int:
        return len(self._index)

    @property
    def capacity(self) -> int:
        """All numbers are below this."""
        return len(self._encoded)

    @property
    def numbers(self) -> IntArray:
        """Those in use, ascending."""
        used = np.ones(self.capacity, np.bool_)
        used[self._free.all()] = False
        return np.flatnonzero(used)

    def labels(self, number: int) -> Labels:
        """Label set of a number in use."""
        return decode_labels(self._encoded[number])

    def encoded(self, number: int) -> bytes:
        """The same as canonical bytes."""
        return self._encoded[number]

    def find(self, encoded: bytes) -> int:
        """Number of the label set of these canonical bytes, -1 where it has none."""
        return self._index.get(fingerprint_bytes(encoded))

    def number(self, labels: Labels) -> int:
        """Number of a label set, a new one if need be, -1 when the roster is full."""
        encoded = encode_labels(labels)
        return self.number_of(encoded, fingerprint_bytes(encoded))

    def number_of(self, encoded: bytes, fingerprint: int) -> int:
        """The same of canonical bytes and their fingerprint."""
        known = self._index.get(fingerprint)
        if known >= 0:
            return known
        if len(self) >= self.cap:
            return -1
        if not self._free:
            size = self.capacity
            wider = min(self.cap, max(FIRST_CAPACITY, size + size // SPARE))
            self._encoded.extend([FREE] * (wider - size))
            self._free = FreeNumbers(np.arange(wider - 1, size - 1, -1))
        number = self._free.pop()
        self._encoded[number] = encoded
        self._index.add_one(fingerprint, number)
        return number

    def release(self, numbers: Iterable[int]) -> None:
        """Free these numbers."""
        freed = list(numbers)
        self._index.remove(_prints([self._encoded[number] for number in freed]))
        for number in freed:
            self._encoded[number] = FREE
        self._free.extend(freed)

    def shrink(self) -> IntArray | None:
        """Where most numbers are free, number the others anew from 0; their old numbers in that order, else None."""
        size = min(self.cap, max(FIRST_CAPACITY, 2 * len(self)))
        if SPARSE * size > self.capacity:
            return None
        kept = self.numbers
        encoded = [self._encoded[number] for number in kept.tolist()]
        self._encoded = encoded + [FREE] * (size - len(encoded))
        self._free = FreeNumbers(np.arange(size - 1, len(encoded) - 1, -1))
        self._index.replace(_prints(encoded), np.arange(len(encoded)))
        return kept

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Label sets and numbers as columns."""
        return {
            **pack_label_bytes(list(filter(None, self._encoded))),
            "numbers": self.numbers,
            "capacity": np.array([self.capacity], np.int64),
            "free": self._free.all(),
        }

    def restore(self, columns: AnyColumns) -> None:
        """Become what the snapshot was taken of.

        Raises:
            CheckpointError: the columns are not those of a snapshot.

        """
        encoded = [encode_labels(labels) for labels in unpack_labels(columns)]
        numbers = columns["numbers"].astype(np.int64)
        self._encoded = [FREE] * int(columns["capacity"][0])
        for each, number in zip(encoded, numbers.tolist(), strict=True):
            self._encoded[number] = each
        self._index.replace(_prints(encoded), numbers)
        self._free = FreeNumbers(columns["free"])


def _prints(encoded: Iterable[bytes]) -> NDArray[np.uint64]:
    return np.array([fingerprint_bytes(each) for each in encoded], np.uint64)
