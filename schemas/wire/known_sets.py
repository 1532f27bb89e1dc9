"""KnownSets: ids of the label sets of earlier Arrow batches, so that a set is read once and not once a record.

Producers send the same dictionaries again and again. For each of the last few, keys of combinations map to ids.
Bounded: the oldest dictionaries go first, and one with more sets than a tenant may have is forgotten.

It refuses to outlive the interner's ids: they are forgotten when those change.
"""

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from schemas.fingerprints import FingerprintIndex
from schemas.wire.interner import Interner
from schemas.wire.label_columns import LabelColumns

REMEMBERED = 16
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""2**64 over the golden ratio, odd (Knuth, The Art of Computer Programming, volume 3, section 6.4)."""


class KnownSets:
    """Ids by dictionaries and key."""

    def __init__(self, most_sets: int) -> None:
        self._most_sets = most_sets
        self._indexes: OrderedDict[bytes, FingerprintIndex] = OrderedDict()
        self._resets = -1

    def follow(self, interner: Interner) -> None:
        """Forget everything where the ids are no longer this interner's."""
        if self._resets != interner.resets:
            self._indexes.clear()
            self._resets = interner.resets

    def find(self, sets: LabelColumns) -> NDArray[np.intp]:
        """Id of each label set of a batch, -1 for one that is not known."""
        if sets.keys is None or sets.identity not in self._indexes:
            return np.full(len(sets), -1, np.intp)
        self._indexes.move_to_end(sets.identity)
        return self._indexes[sets.identity].find(_spread(sets.keys))

    def add(self, sets: LabelColumns, numbers: NDArray[np.intp], ids: NDArray[np.intp]) -> None:
        """Remember the ids of these label sets of a batch, which `find` did not know."""
        if sets.keys is None or not len(numbers):
            return
        index = self._indexes.setdefault(sets.identity, FingerprintIndex())
        if len(index) + len(numbers) > self._most_sets:
            del self._indexes[sets.identity]
            return
        index.add(_spread(sets.keys[numbers]), ids)
        if len(self._indexes) > REMEMBERED:
            self._indexes.popitem(last=False)


def _spread(keys: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Keys, which are small and regular, as numbers whose low bits differ; no two become one."""
    product = keys.astype(np.uint64) * _SPREAD
    return product ^ (product >> np.uint64(32))
