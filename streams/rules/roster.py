"""Roster: numbers label sets that have state in a rule, bounded, and gives free numbers to others.

A number below `capacity` belongs to one label set until it is released, or until `shrink`. Refuses label sets above
its cap (-1).
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from detectors.base import IntArray
from schemas.fingerprints import FingerprintIndex, fingerprints_of
from schemas.labels import Labels, decode_labels, encode_labels, fingerprint_bytes
from schemas.numbers import FreeNumbers
from streams.rules.checkpoint import AnyColumns
from streams.windows.columns import pack_label_bytes, unpack_labels
from streams.windows.label_sets import LabelSets
from streams.windows.packed import NOTHING, Packed, pack, unpack

FIRST_CAPACITY = 64
SPARE = 4
"""It gets room for one more label set for each so many."""
SPARSE = 2
"""With so many times the places that it would have anew, a roster shrinks."""


class Roster:
    """Label set <-> number."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self._packed: list[Packed] = []
        self._index = FingerprintIndex()
        self._free = FreeNumbers()

    def __len__(self) -> int:
        return len(self._index)

    @property
    def capacity(self) -> int:
        """All numbers are below this."""
        return len(self._packed)

    @property
    def numbers(self) -> IntArray:
        """Those in use, ascending."""
        used = np.ones(self.capacity, np.bool_)
        used[self._free.all()] = False
        return np.flatnonzero(used)

    def labels(self, number: int) -> Labels:
        """Label set of a number in use."""
        return decode_labels(self.encoded(number))

    def encoded(self, number: int) -> bytes:
        """The same as canonical bytes."""
        return unpack(self._packed[number])

    def find(self, encoded: bytes) -> int:
        """Number of the label set of these canonical bytes, -1 where it has none."""
        return self._index.get(fingerprint_bytes(encoded))

    def number(self, labels: Labels) -> int:
        """Number of a label set, a new one if need be, -1 when the roster is full."""
        encoded = encode_labels(labels)
        print_ = fingerprint_bytes(encoded)
        known = self._index.get(print_)
        if known >= 0 or len(self) >= self.cap:
            return known
        number = self._place(pack(encoded))
        self._index.add_one(print_, number)
        return number

    def numbers_of(self, sets: LabelSets, rows: IntArray) -> tuple[IntArray, IntArray]:
        """The same of some of these label sets, no row twice; and which of the numbers are new."""
        prints = sets.fingerprints(rows)
        numbers = self._index.find(prints)
        new = np.flatnonzero(numbers < 0)[: max(0, self.cap - len(self))]
        fresh = np.array([self._place(sets.packed(row)) for row in rows[new].tolist()], np.int64)
        self._index.add(prints[new], fresh)
        numbers[new] = fresh
        return numbers, fresh

    def _place(self, packed: Packed) -> int:
        """A free number, for this label set."""
        if not self._free:
            size = self.capacity
            wider = min(self.cap, max(FIRST_CAPACITY, size + size // SPARE))
            self._packed.extend([NOTHING] * (wider - size))
            self._free = FreeNumbers(np.arange(wider - 1, size - 1, -1))
        number = self._free.pop()
        self._packed[number] = packed
        return number

    def release(self, numbers: Iterable[int]) -> None:
        """Free these numbers."""
        freed = list(numbers)
        self._index.remove(self._index.fingerprints(np.array(freed, np.int64)))
        for number in freed:
            self._packed[number] = NOTHING
        self._free.extend(freed)

    def shrink(self) -> IntArray | None:
        """Where most numbers are free, number the others anew from 0; their old numbers in that order, else None."""
        size = min(self.cap, max(FIRST_CAPACITY, 2 * len(self)))
        if SPARSE * size > self.capacity:
            return None
        kept = self.numbers
        count = len(kept)
        self._packed = [self._packed[at] for at in kept.tolist()] + [NOTHING] * (size - count)
        self._free = FreeNumbers(np.arange(size - 1, count - 1, -1))
        self._index.replace(self._index.fingerprints(kept), np.arange(count))
        return kept

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Label sets and numbers as columns."""
        return {
            **pack_label_bytes([unpack(each) for each in filter(None, self._packed)]),
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
        self._packed = [NOTHING] * int(columns["capacity"][0])
        for each, number in zip(encoded, numbers.tolist(), strict=True):
            self._packed[number] = pack(each)
        self._index.replace(fingerprints_of(encoded), numbers)
        self._free = FreeNumbers(columns["free"])
