"""Numbering: small numbers for the groups that have members, so that a group can have a row of columns.

What a group is called is the caller's: any number of at least 0. A number is given to another group when no member is
left. Refuses nothing.
"""

from collections.abc import Iterable

import numpy as np

from detectors.base import IntArray

NOWHERE = -1
FIRST_CAPACITY = 16


class Numbering:
    """Group <-> number.

    Attributes:
        keys: int64[capacity], what the group of each number is called, -1 where the number is free.

    """

    def __init__(self) -> None:
        self.keys: IntArray = np.zeros(0, np.int64)
        self._places: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._places)

    @property
    def capacity(self) -> int:
        """All numbers are below this."""
        return int(self.keys.size)

    def numbers(self, groups: IntArray) -> IntArray:
        """Return the number of each group, new ones where need be; -1 for -1."""
        found, inverse = np.unique(groups, return_inverse=True)
        each = [self._number(group) for group in found.tolist()]
        return np.array(each, np.int64)[inverse]

    def known(self, groups: Iterable[int]) -> IntArray:
        """Return the numbers of those of these groups that have members."""
        each = (self._places.get(group, NOWHERE) for group in groups)
        return np.array([number for number in each if number != NOWHERE], np.int64)

    def _number(self, group: int) -> int:
        if group < 0:
            return NOWHERE
        if group not in self._places:
            free = np.flatnonzero(self.keys == NOWHERE)
            if not free.size:
                free = np.array([self.capacity])
                more = max(FIRST_CAPACITY, self.capacity)
                self.keys = np.concatenate((self.keys, np.full(more, NOWHERE, np.int64)))
            self._places[group] = int(free[0])
            self.keys[free[0]] = group
        return self._places[group]

    def release(self, held: IntArray) -> IntArray:
        """Free the numbers that are not among those held by members; return them."""
        unused = self.keys != NOWHERE
        unused[held[held != NOWHERE]] = False
        gone = np.flatnonzero(unused)
        for group in self.keys[gone].tolist():
            del self._places[group]
        self.keys[gone] = NOWHERE
        return gone

    def restore(self, keys: IntArray) -> None:
        """Become what had these keys."""
        self.keys = keys.copy()
        held = np.flatnonzero(keys != NOWHERE)
        self._places = dict(zip(keys[held].tolist(), held.tolist(), strict=True))
