"""Texts: byte strings without an object for each, where they lie in one buffer.

An object of Python's takes 33 bytes beside its text, the place in a list 8 and the allocator some more; a place here
takes 12.
"""

from collections.abc import Sequence
from typing import TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

UInt32s: TypeAlias = NDArray[np.uint32]
LEAST = 1024
SPARE = 8
"""There is room for one more for each so many."""


class LabelTexts(Sequence[bytes]):
    """Label bytes where they stand in a batch: a piece is cut out when it is asked for.

    A reader asks for those of new series only, which are few.

    Attributes:
        ends: uint32[k + 1], 0 and then where each text ends behind the first one's begin.

    """

    __slots__ = ("_data", "_start", "ends")

    def __init__(self, data: bytes, start: int, ends: UInt32s) -> None:
        self._data = data
        self._start = start
        self.ends = ends

    @classmethod
    def of(cls, texts: Sequence[bytes]) -> "LabelTexts":
        """These byte strings, one behind the other."""
        if isinstance(texts, LabelTexts):
            return texts
        lengths = np.fromiter(map(len, texts), np.uint32, len(texts))
        return cls(b"".join(texts), 0, _ends(lengths))

    @property
    def whole(self) -> bytes:
        """All of them, one behind the other."""
        end = self._start + self.ends.item(-1)
        all_of_it = not self._start and end == len(self._data)
        return self._data if all_of_it else self._data[self._start : end]

    def __len__(self) -> int:
        return len(self.ends) - 1

    @overload
    def __getitem__(self, index: int) -> bytes: ...

    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...

    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        first, last = self.ends.item(index), self.ends.item(index + 1)
        return self._data[self._start + first : self._start + last]


class TextArena:
    """Texts by dense number; each is written once, in any order, and is empty until then."""

    __slots__ = ("_count", "_data", "_lengths", "_starts")

    def __init__(self, count: int = 0) -> None:
        self._count = count
        self._data = bytearray()
        self._starts = np.zeros(max(LEAST, count), np.int64)
        self._lengths = np.zeros(max(LEAST, count), np.int32)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> bytes:
        if not 0 <= number < self._count:
            raise IndexError(number)
        start = self._starts.item(number)
        return bytes(self._data[start : start + self._lengths.item(number)])

    @property
    def size_bytes(self) -> int:
        """Memory of all of it."""
        return len(self._data) + self._starts.nbytes + self._lengths.nbytes

    def add(self) -> int:
        """Have a place for one more text; its number."""
        if self._count == len(self._starts):
            more = np.zeros(self._count // SPARE, np.int32)
            self._starts = np.append(self._starts, more.astype(np.int64))
            self._lengths = np.append(self._lengths, more)
        self._count += 1
        return self._count - 1

    def has(self, number: int) -> bool:
        """Whether the text of a number was written."""
        return self._lengths.item(number) > 0

    def write(self, number: int, text: bytes) -> None:
        """Write the text of a number that has none yet."""
        self._starts[number] = len(self._data)
        self._lengths[number] = len(text)
        self._data += text

    def gather(self, numbers: NDArray[np.intp]) -> LabelTexts:
        """The texts of these numbers, one behind the other."""
        starts, lengths = self._starts[numbers], self._lengths[numbers]
        places = zip(starts.tolist(), (starts + lengths).tolist(), strict=True)
        with memoryview(self._data) as data:
            pieces = [data[start:end] for start, end in places]
            text = b"".join(pieces)
            del pieces  # they hold the buffer, which could not grow
        return LabelTexts(text, 0, _ends(lengths))

    def take(self, numbers: NDArray[np.intp]) -> "TextArena":
        """An arena of these texts alone, in this order."""
        kept = TextArena(len(numbers))
        kept._lengths[: len(numbers)] = self._lengths[numbers]
        texts = self.gather(numbers)
        kept._data += texts.whole
        kept._starts[: len(numbers)] = texts.ends[:-1]
        return kept


def _ends(lengths: NDArray[np.int32] | UInt32s) -> UInt32s:
    ends = np.zeros(len(lengths) + 1, np.uint32)
    np.cumsum(lengths, out=ends[1:])
    return ends
