"""FingerprintIndex: 64-bit fingerprints to small numbers, whole columns at a time.

A hash table in two flat columns, the fingerprints by number and the numbers by place, with open addressing and linear
probing (Knuth, The Art of Computer Programming, volume 3, section 6.4, algorithm L). A fingerprint is a hash already,
so its low bits are its place. At most half of the places are taken, for a column is looked up in as many rounds as
its longest search has: 16 to 32 bytes a fingerprint, against some 130 in a dict of ints, and no Python object for each
element of the column.

A fingerprint that is removed leaves its place marked until the table is made anew, which happens when it is full.
"""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from schemas.compiled import Lazily
from schemas.labels import fingerprint_bytes

SEARCH = Lazily[Callable[..., NDArray[np.int64]]]("schemas.probing", "search")
LEAST_PLACES = 1024
NOBODY = -1
GONE = -2
FEW = 32
"""So few searches are ended one by one: a round over columns costs as much as a dozen steps."""
LEAST_PRINTS = 2
"""Of these there is always one to look at for `NOBODY` and for `GONE`, as if they were numbers."""


def fingerprints_of(encoded: Iterable[bytes]) -> NDArray[np.uint64]:
    """Fingerprint of each of some canonical bytes."""
    return np.fromiter(map(fingerprint_bytes, encoded), np.uint64)


class FingerprintIndex:
    """Maps fingerprints to numbers from 0 up to 2**31 - 1, dense ones, for memory follows the greatest."""

    def __init__(self) -> None:
        self._count = 0
        self._prints = np.zeros(LEAST_PRINTS, np.uint64)
        self._clear()

    def __len__(self) -> int:
        return self._count

    def _clear(self) -> None:
        # the smallest power of two of which they take half at most
        places = max(LEAST_PLACES, 1 << (2 * self._count - 1).bit_length())
        self._places = np.full(places, NOBODY, np.int32)
        self._mask = places - 1
        self._taken = 0

    def fingerprint(self, number: int) -> int:
        """Fingerprint of a number that is here."""
        return self._prints.item(number)

    def fingerprints(self, numbers: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Fingerprint of each of these numbers, which are here."""
        return self._prints[numbers]

    def find(self, fingerprints: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Number of each fingerprint, -1 for those that are not here."""
        search = SEARCH.get(len(fingerprints))
        if search is not None:
            # of a record they may be a view, which would be compiled apart
            return search(fingerprints.copy(), self._prints, self._places)
        place = self._seek(fingerprints)
        return np.maximum(self._places[place], NOBODY).astype(np.int64)

    def get(self, fingerprint: int) -> int:
        """Number of one fingerprint, -1 when it is not here."""
        return self._places.item(self._seek_from(fingerprint & self._mask, fingerprint))

    def add(self, fingerprints: NDArray[np.uint64], numbers: NDArray[np.int64]) -> None:
        """Take in fingerprints, each one different from the others and from all that are here, as are the numbers."""
        if len(numbers):
            self._make_room(len(numbers), int(numbers.max()))
            self._put(fingerprints, numbers)

    def add_one(self, fingerprint: int, number: int) -> None:
        """Take in one that is not here."""
        self._make_room(1, number)
        self._prints[number] = fingerprint
        place = fingerprint & self._mask
        while self._places.item(place) != NOBODY:
            place = (place + 1) & self._mask
        self._places[place] = number

    def remove(self, fingerprints: NDArray[np.uint64]) -> None:
        """Forget fingerprints, all different and all here."""
        self._places[self._seek(fingerprints)] = GONE
        self._count -= len(fingerprints)

    def replace(self, fingerprints: NDArray[np.uint64], numbers: NDArray[np.int64]) -> None:
        """Hold these, all different, and nothing else; memory follows the greatest number."""
        self._count = 0
        self._prints = np.zeros(LEAST_PRINTS, np.uint64)
        self._clear()
        self.add(fingerprints, numbers)

    def _make_room(self, more: int, greatest: int) -> None:
        if greatest >= len(self._prints):
            wider = np.zeros(max(greatest + 1, len(self._prints) * 9 // 8), np.uint64)
            wider[: len(self._prints)] = self._prints
            self._prints = wider
        self._count += more
        self._taken += more
        if 2 * self._taken > len(self._places):
            here = self._places[self._places >= 0].astype(np.int64)
            self._clear()
            self._taken = self._count
            self._put(self._prints[here], here)

    def _first_places(self, fingerprints: NDArray[np.uint64]) -> NDArray[np.int64]:
        return (fingerprints & np.uint64(self._mask)).astype(np.int64)

    def _seek(self, fingerprints: NDArray[np.uint64]) -> NDArray[np.int64]:
        """The place of each fingerprint, or the empty one where the search for it ends."""
        place = self._first_places(fingerprints)
        number = self._places[place]
        wrong = (self._prints[number] != fingerprints) | (number == GONE)
        astray = np.flatnonzero(wrong & (number != NOBODY))
        while len(astray) > FEW:
            at = (place[astray] + 1) & self._mask
            place[astray] = at
            number = self._places[at]
            wrong = (self._prints[number] != fingerprints[astray]) | (number == GONE)
            astray = astray[wrong & (number != NOBODY)]
        for row in astray.tolist():
            place[row] = self._seek_from(place.item(row), fingerprints.item(row))
        return place

    def _seek_from(self, place: int, fingerprint: int) -> int:
        """The same for one fingerprint, from a place on."""
        while (number := self._places.item(place)) != NOBODY:
            if number != GONE and self._prints.item(number) == fingerprint:
                break
            place = (place + 1) & self._mask
        return place

    def _put(self, fingerprints: NDArray[np.uint64], numbers: NDArray[np.int64]) -> None:
        self._prints[numbers] = fingerprints
        place = self._first_places(fingerprints)
        todo = np.arange(len(numbers))
        while len(todo):
            free = todo[self._places[place[todo]] == NOBODY]
            # of several that want one place the last written has it; the others go on
            self._places[place[free]] = numbers[free]
            todo = todo[self._places[place[todo]] != numbers[todo]]
            place[todo] = (place[todo] + 1) & self._mask
