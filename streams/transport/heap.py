"""Heap: memory that many series have left, on their way in or out, given back to the system.

glibc keeps what is freed for the next allocation, and by itself returns only what lies at the end of the heap. After
many series have been retired most of the process is holes below blocks that are still in use, and after many have come
there are those that columns have left when they grew; `malloc_trim` gives back the whole pages in them
(malloc_trim(3)). It holds up the allocator for about a millisecond for each ten megabytes, so it is called after a
checkpoint, and only where the number of series has changed much.

Does nothing where the C library has no such call (musl, macOS).
"""

import ctypes
from collections.abc import Callable

MOVED_SERIES = 10_000
"""So many series more or fewer are worth a look for free pages: some megabytes."""


def _find_trim() -> Callable[[int], int] | None:
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
    return found


_trim = _find_trim()


def trim_heap() -> None:
    """Give free pages back."""
    if _trim is not None:
        _trim(0)


class Heap:
    """Follows the number of series, and trims when it has risen or fallen."""

    def __init__(self, trim: Callable[[], None] = trim_heap) -> None:
        self._trim = trim
        self._least = self._most = 0

    def follow(self, series: int) -> None:
        """Take in how many series there are now."""
        self._least, self._most = min(self._least, series), max(self._most, series)
        if max(series - self._least, self._most - series) >= MOVED_SERIES:
            self._least = self._most = series
            self._trim()
