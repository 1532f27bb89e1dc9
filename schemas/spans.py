"""Spans: byte strings that lie in one buffer, as their places there, the binary layout of Arrow but for gaps.

Who reads places alone makes no object of a byte string; to anybody else it is a sequence, and the objects are made
once, when the first is asked for. The buffer lives as long as any part of it.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import overload

import numpy as np
from numpy.typing import NDArray

NULL = -1


class Spans(Sequence[bytes | None]):
    """Byte strings, some of which may be null.

    Attributes:
        buffer: where they lie.
        starts: int64[n], where each begins, `NULL` for a null.
        ends: int64[n], where each ends, `NULL` for a null.

    """

    __slots__ = ("_made", "buffer", "ends", "starts")

    def __init__(self, buffer: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
        self.buffer, self.starts, self.ends = buffer, starts, ends
        self._made: list[bytes | None] | None = None

    @classmethod
    def of(cls, values: Sequence[bytes | None]) -> "Spans":
        """These byte strings, one behind the other."""
        if isinstance(values, Spans):
            return values
        filled = [value or b"" for value in values]
        ends = np.fromiter(accumulate(map(len, filled)), np.int64, len(filled))
        starts = np.append(0, ends[:-1]) if len(ends) else ends
        if None in values:
            starts[[value is None for value in values]] = NULL
        return cls(b"".join(filled), starts, np.where(starts < 0, NULL, ends))

    @property
    def text(self) -> NDArray[np.uint8]:
        """uint8, the buffer."""
        return np.frombuffer(self.buffer, np.uint8)

    @property
    def made(self) -> list[bytes | None]:
        """The byte strings as objects."""
        if self._made is None:
            buffer = self.buffer
            places = zip(self.starts.tolist(), self.ends.tolist(), strict=True)
            self._made = [None if a < 0 else buffer[a:b] for a, b in places]
        return self._made

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[bytes | None]:
        return iter(self.made)

    @overload
    def __getitem__(self, at: int) -> bytes | None: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[bytes | None]: ...

    def __getitem__(self, at: int | slice) -> bytes | Sequence[bytes | None] | None:
        if not isinstance(at, slice):
            return self.made[at]
        if at.step not in (None, 1):
            return self.made[at]
        part = Spans(self.buffer, self.starts[at], self.ends[at])
        if self._made is not None:
            part._made = self._made[at]
        return part

    def take(self, rows: NDArray[np.intp]) -> list[bytes | None]:
        """The byte strings of these rows."""
        if self._made is None:
            return Spans(self.buffer, self.starts[rows], self.ends[rows]).made
        return [self._made[row] for row in rows.tolist()]
