"""Layout: where in a record the numbers of its samples stand, so that whole columns of them are read at once.

A producer exports the same series again and again, and numbers have a fixed width: two of its records differ in nothing
but times and values. So a layout that was found by reading a record field by field serves for each later one that
equals it in every other byte, which is compared, not assumed.

Bounded: the layouts used longest ago go first. It refuses to outlive the interner's ids.
"""

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]
PADDING = 32
"""Zero bytes behind a record: room to look ahead, and the number 0 for what is not written."""
_NS_PER_MS = 1_000_000
MOST_BYTES = 16 * 2**20
"""Of records that are remembered, by default."""


class Number(IntEnum):
    """How the eight bytes of a value are read; a bucket counts those before it in its histogram too."""

    DOUBLE = 0
    SIGNED = 1
    COUNT = 2
    BUCKET = 3


@dataclass(frozen=True, slots=True)
class Layout:
    """Samples of a record.

    Attributes:
        series: intp[n], id of each.
        resource: intp[n], which resource of the record each is of.
        time_at: int64[n], first byte of the time, uint64 in ns.
        start_at: int64[n], first byte of the time at which its counting began.
        value_at: int64[n], first byte of the value.
        numbers: uint8[n], `Number` of the value.
        heads: intp[n], the first sample of the same point.
        delta: whether each is to be added up.
        stale: whether each says that there is no value.

    """

    series: NDArray[np.intp]
    resource: NDArray[np.intp]
    time_at: Int64s
    start_at: Int64s
    value_at: Int64s
    numbers: NDArray[np.uint8]
    heads: NDArray[np.intp]
    delta: Bools
    stale: Bools

    def read(self, data: bytes) -> tuple[Int64s, NDArray[np.float64]]:
        """Times in ms, to the nearest, -1 for none; and values."""
        words = at_any_byte(data)
        values = words[self.value_at]
        found = values.view(np.float64)
        kinds = self.numbers
        if (kinds == Number.SIGNED).any():
            found = np.where(
                kinds == Number.SIGNED, values.view(np.int64).astype(np.float64), found
            )
        if (kinds >= Number.COUNT).any():
            # whole numbers, so that where the running sum began does not matter
            running = np.cumsum(np.where(kinds == Number.BUCKET, values, 0), dtype=np.uint64)
            before = np.concatenate((np.zeros(1, np.uint64), running))[self.heads]
            counts = np.where(kinds == Number.BUCKET, running - before, values)
            found = np.where(kinds >= Number.COUNT, counts.astype(np.float64), found)
        return times_ms(words[self.time_at]), found


def at_any_byte(data: bytes) -> NDArray[np.uint64]:
    """The eight bytes from each byte of `data` on, as numbers."""
    return np.ndarray(len(data) - 7, "<u8", data, strides=(1,))


def times_ms(ns: NDArray[np.uint64]) -> Int64s:
    """Times in ms, to the nearest, of times in ns; -1 for 0, which means that none is known."""
    whole, rest = np.divmod(ns, np.uint64(_NS_PER_MS))
    ms = (whole + (2 * rest >= _NS_PER_MS)).astype(np.int64)
    return np.where(ns == 0, -1, ms)


def to_ms(ns: int) -> int:
    """The same of one time."""
    return (ns + _NS_PER_MS // 2) // _NS_PER_MS if ns else -1


@dataclass(frozen=True, slots=True)
class Sketch:
    """A record's layout, the ids of `target_info` of its resources (-1 for none), and where its numbers stand."""

    layout: Layout
    infos: tuple[int, ...]
    moving: Int64s


@dataclass(frozen=True, slots=True)
class _Known:
    sketch: Sketch
    mask: NDArray[np.uint64]
    rest: NDArray[np.uint64]


class Sketches:
    """Sketches of records of late; at most so many bytes are compared with."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._known: OrderedDict[Hashable, _Known] = OrderedDict()

    def forget(self) -> None:
        """Forget all."""
        self._known.clear()
        self._bytes = 0

    def find(self, key: Hashable, data: bytes) -> Sketch | None:
        """The sketch of a record that is the same but for its numbers; the key only says which to compare with."""
        known = self._known.get(key)
        if known is None:
            return None
        words = np.frombuffer(data, np.uint64)
        if len(words) != len(known.mask) or ((words & known.mask) != known.rest).any():
            return None
        self._known.move_to_end(key)
        return known.sketch

    def add(self, key: Hashable, data: bytes, sketch: Sketch) -> None:
        """Remember a sketch, in place of any other of this key."""
        mask = np.full(len(data), 0xFF, np.uint8)
        mask[(sketch.moving[:, None] + np.arange(8)).ravel()] = 0
        words = mask.view(np.uint64)
        self._drop(key)
        self._known[key] = _Known(sketch, words, np.frombuffer(data, np.uint64) & words)
        self._bytes += len(data)
        while self._bytes > self._most_bytes:
            self._drop(next(iter(self._known)))

    def _drop(self, key: Hashable) -> None:
        known = self._known.pop(key, None)
        if known is not None:
            self._bytes -= 8 * len(known.mask)


def padded(value: bytes) -> bytes:
    """A record with zero bytes behind it, and as many as make whole words."""
    return value + bytes(PADDING + -len(value) % 8)


def join(parts: Sequence[Layout]) -> Layout:
    """The samples of these layouts, one after the other."""
    if len(parts) == 1:
        return parts[0]
    names = [each.name for each in dataclass_fields(Layout)]
    return Layout(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
