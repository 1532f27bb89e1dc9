"""FreeNumbers: a stack of small numbers that nobody has, in four bytes each: a list of ints takes thirty-six."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


class FreeNumbers:
    """Numbers from 0 up to 2**31 - 1; the last one that was put in comes out first."""

    def __init__(self, numbers: ArrayLike = ()) -> None:
        self._numbers = np.array(numbers, np.int32)
        self._count = len(self._numbers)

    def __len__(self) -> int:
        return self._count

    def pop(self) -> int:
        """Take one out.

        Raises:
            IndexError: there is none.

        """
        if not self._count:
            raise IndexError("no number is free")
        self._count -= 1
        return self._numbers.item(self._count)

    def extend(self, numbers: ArrayLike) -> None:
        """Put these in, the last one on top."""
        self._numbers = np.append(self._numbers[: self._count], np.array(numbers, np.int32))
        self._count = len(self._numbers)

    def all(self) -> NDArray[np.int64]:
        """All of them, the top one last."""
        return self._numbers[: self._count].astype(np.int64)
