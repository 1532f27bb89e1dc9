"""Probing: the search of `FingerprintIndex` for a whole column, one fingerprint after the other, by compiled code."""

import numpy as np

from schemas.compiled import compiled
from schemas.samples import Int32s, Int64s, UInt64s


@compiled
def search(fingerprints: UInt64s, prints: UInt64s, places: Int32s) -> Int64s:
    """Number of each fingerprint, -1 for those that are not in the table of these places."""
    found = np.full(len(fingerprints), -1)
    mask = len(places) - 1
    for at in range(len(fingerprints)):
        print_ = fingerprints[at]
        place = np.int64(print_ & np.uint64(mask))
        # -1 is an empty place, -2 one that somebody has left
        while places[place] != -1:
            number = places[place]
            if number >= 0 and prints[number] == print_:
                found[at] = number
                break
            place = (place + 1) & mask
    return found


search(np.zeros(0, np.uint64), np.zeros(2, np.uint64), np.full(2, -1, np.int32))  # compiles it
