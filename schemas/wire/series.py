"""Series of an interner as columns, one place an id.

There may be more places than ids; it refuses to tell which are in use.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class SeriesColumns(NamedTuple):
    """What an interner knows of each id.

    Attributes:
        fingerprints: uint64, of its label set.
        partitions: int32, detect partition.
        tenants: int32, number of its tenant.
        heard: int32, minute of the log in which it was heard last.

    """

    fingerprints: NDArray[np.uint64]
    partitions: NDArray[np.int32]
    tenants: NDArray[np.int32]
    heard: NDArray[np.int32]

    def take(self, kept: NDArray[np.intp] | slice) -> "SeriesColumns":
        """The columns of these ids."""
        prints, partitions, tenants, heard = self
        return SeriesColumns(prints[kept], partitions[kept], tenants[kept], heard[kept])

    def resized(self, size: int) -> "SeriesColumns":
        """The same with this many places, no fewer than now."""
        prints, *others = self
        more = np.zeros(size - len(prints), np.int32)
        return SeriesColumns(
            np.append(prints, more.astype(np.uint64)),
            *(np.append(column, more) for column in others),
        )


def make_series(size: int) -> SeriesColumns:
    """Columns of zeros with this many places."""
    numbers = (np.zeros(size, np.int32) for _ in range(3))
    return SeriesColumns(np.zeros(size, np.uint64), *numbers)
