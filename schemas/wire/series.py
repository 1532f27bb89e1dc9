"""Series of an interner as columns, one place an id.

There may be more places than ids; it refuses to tell which are in use.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class SeriesColumns(NamedTuple):
    """What an interner knows of each id.

    Attributes:
        partitions: int32, detect partition.
        tenants: int32, number of its tenant.
        heard: int32, minute of the log in which it was heard last.

    """

    partitions: NDArray[np.int32]
    tenants: NDArray[np.int32]
    heard: NDArray[np.int32]

    def take(self, kept: NDArray[np.intp] | slice) -> "SeriesColumns":
        """The columns of these ids."""
        return SeriesColumns(*(column[kept] for column in self))

    def resized(self, size: int) -> "SeriesColumns":
        """The same with this many places, no fewer than now."""
        more = np.zeros(size - len(self.heard), np.int32)
        return SeriesColumns(*(np.append(column, more) for column in self))


def make_series(size: int) -> SeriesColumns:
    """Columns of zeros with this many places."""
    return SeriesColumns(*(np.zeros(size, np.int32) for _ in range(3)))
