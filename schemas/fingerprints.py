"""FingerprintIndex: 64-bit fingerprints to small numbers, whole columns at a time.

A hash table in two flat columns with open addressing and linear probing (Knuth, The Art of Computer Programming,
volume 3, section 6.4, algorithm L). A fingerprint is a hash already, so its low bits are its place. At most half of the
places are taken, for a column is looked up in as many rounds as its longest search has: 24 to 48 bytes a fingerprint,
against some 130 in a dict of ints, and no Python object for each element of the column.

A fingerprint that is removed leaves its place marked until the table is made anew, which happens when it is full.
"""

import numpy as np
from numpy.typing import NDArray

LEAST_PLACES = 1024
NOBODY = -1
GONE = -2


class FingerprintIndex:
    """Maps fingerprints to numbers from 0 up to 2**31 - 1."""

    def __init__(self) -> None:
        self._count = 0
        self._clear(LEAST_PLACES)

    def __len__(self) -> int:
        return self._count

    def _clear(self, places: int) -> None:
        self._keys = np.zeros(places, np.uint64)
        self._numbers = np.full(places, NOBODY, np.int32)
        self._mask = places - 1
        self._taken = 0

    def find(self, fingerprints: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Number of each fingerprint, -1 for those that are not here."""
        place = self._seek(fingerprints)
        return np.maximum(self._numbers[place], NOBODY).astype(np.int64)

    def get(self, fingerprint: int) -> int:
        """Number of one fingerprint, -1 when it is not here."""
        place = fingerprint & self._mask
        while (number := self._numbers.item(place)) != NOBODY:
            if number != GONE and self._keys.item(place) == fingerprint:
                return number
            place = (place + 1) & self._mask
        return NOBODY

    def add(self, fingerprints: NDArray[np.uint64], numbers: NDArray[np.int64]) -> None:
        """Take in fingerprints, each one different from the others and from all that are here."""
        self._make_room(len(fingerprints))
        self._put(fingerprints, numbers)

    def add_one(self, fingerprint: int, number: int) -> None:
        """Take in one that is not here."""
        self._make_room(1)
        place = fingerprint & self._mask
        while self._numbers.item(place) != NOBODY:
            place = (place + 1) & self._mask
        self._keys[place] = fingerprint
        self._numbers[place] = number

    def remove(self, fingerprints: NDArray[np.uint64]) -> None:
        """Forget fingerprints, all different and all here."""
        self._numbers[self._seek(fingerprints)] = GONE
        self._count -= len(fingerprints)

    def replace(self, fingerprints: NDArray[np.uint64], numbers: NDArray[np.int64]) -> None:
        """Hold these, all different, and nothing else; memory follows their number."""
        self._count = len(fingerprints)
        self._remake(fingerprints, numbers)

    def _make_room(self, more: int) -> None:
        self._count += more
        self._taken += more
        if 2 * self._taken > len(self._keys):
            here = self._numbers >= 0
            self._remake(self._keys[here], self._numbers[here].astype(np.int64))

    def _remake(self, fingerprints: NDArray[np.uint64], numbers: NDArray[np.int64]) -> None:
        """Make the table anew, large enough for `_count`, with these in it."""
        # the smallest power of two of which they take half at most
        self._clear(max(LEAST_PLACES, 1 << (2 * self._count - 1).bit_length()))
        self._taken = self._count
        self._put(fingerprints, numbers)

    def _first_places(self, fingerprints: NDArray[np.uint64]) -> NDArray[np.int64]:
        return (fingerprints & np.uint64(self._mask)).astype(np.int64)

    def _seek(self, fingerprints: NDArray[np.uint64]) -> NDArray[np.int64]:
        """The place of each fingerprint, or the empty one where the search for it ends."""
        place = self._first_places(fingerprints)
        number = self._numbers[place]
        wrong = (self._keys[place] != fingerprints) | (number == GONE)
        astray = np.flatnonzero(wrong & (number != NOBODY))
        while len(astray):
            at = (place[astray] + 1) & self._mask
            place[astray] = at
            number = self._numbers[at]
            wrong = (self._keys[at] != fingerprints[astray]) | (number == GONE)
            astray = astray[wrong & (number != NOBODY)]
        return place

    def _put(self, fingerprints: NDArray[np.uint64], numbers: NDArray[np.int64]) -> None:
        place = self._first_places(fingerprints)
        todo = np.arange(len(fingerprints))
        while len(todo):
            free = todo[self._numbers[place[todo]] == NOBODY]
            # of several that want one place the last written has it; the others go on
            self._numbers[place[free]] = numbers[free]
            self._keys[place[free]] = fingerprints[free]
            won = self._numbers[place[todo]] == numbers[todo]
            won &= self._keys[place[todo]] == fingerprints[todo]
            todo = todo[~won]
            place[todo] = (place[todo] + 1) & self._mask
