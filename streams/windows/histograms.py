"""Histograms beside the samples: a column of float64 holds a NaN that names one, a handle, and a bag knows which.

A handle is a quiet NaN that no computation makes: its upper 16 bits are 0x7FFC, the lower 48 number the histogram. So
columns, windows and vectors carry histograms as they carry floats; only who computes with values must look.
Refuses to guess: a handle that the bag does not know is an error, and what comes from outside must be cleaned first.
"""

from collections.abc import Iterable, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.errors import CheckpointError
from schemas.histograms import NativeHistogram
from schemas.samples import Float64s, Int64s
from streams.windows.blocks import Bools

MARK = 0x7FFC
NUMBER_BITS = 48
PASSING = 1 << (NUMBER_BITS - 1)
"""Numbers from here on belong to one evaluation; below, to the store."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(dict[int, NativeHistogram])


def is_handle(values: Float64s) -> Bools:
    """Which values name a histogram."""
    found: Bools = (np.ascontiguousarray(values).view(np.int64) >> NUMBER_BITS) == MARK
    return found


def without_handles(values: Float64s) -> Float64s:
    """Values from outside, where a NaN that looks like a handle is nothing but NaN."""
    strange = is_handle(values)
    return np.where(strange, np.nan, values) if strange.any() else values


def numbers_of(handles: Float64s) -> Int64s:
    """The numbers in handles."""
    bits: Int64s = np.ascontiguousarray(handles).view(np.int64) & ((1 << NUMBER_BITS) - 1)
    return bits


class Bag:
    """Histograms by number; one of an evaluation also knows those of the store."""

    def __init__(self, store: "Bag | None" = None) -> None:
        self._store = store
        self._held: dict[int, NativeHistogram] = {}
        self._next = PASSING if store is not None else 0
        self._limit = 1024

    def __len__(self) -> int:
        return len(self._held) + (len(self._store) if self._store is not None else 0)

    def mask(self, values: Float64s) -> Bools | None:
        """Which values name a histogram; None where none does."""
        if not len(self):
            return None
        found = is_handle(values)
        return found if found.any() else None

    def hold(self, histograms: Iterable[NativeHistogram]) -> Float64s:
        """Handles of these."""
        numbers = []
        for each in histograms:
            self._held[self._next] = each
            numbers.append(self._next | MARK << NUMBER_BITS)
            self._next += 1
        return np.array(numbers, np.int64).view(np.float64)

    def get(self, handles: Float64s) -> list[NativeHistogram]:
        """The histograms that these values name, all of them handles."""
        return [self._of(number) for number in numbers_of(handles).tolist()]

    def value(self, values: Float64s, at: int) -> float | NativeHistogram:
        """One value, a histogram as such."""
        one = values[at : at + 1]
        return self.get(one)[0] if is_handle(one)[0] else float(one[0])

    def _of(self, number: int) -> NativeHistogram:
        if self._store is not None and number < PASSING:
            return self._store._of(number)  # noqa: SLF001  a bag too
        return self._held[number]

    @property
    def is_full(self) -> bool:
        """Whether it is worth while to `keep` only what is still named."""
        return len(self._held) > self._limit

    def keep(self, values: Float64s) -> None:
        """Forget histograms that none of these values names."""
        named = np.unique(numbers_of(values[is_handle(values)])).tolist()
        self._held = {number: self._held[number] for number in named if number in self._held}
        self._limit = 2 * len(self._held) + 1024

    def snapshot(self, values: Float64s) -> NDArray[np.generic]:
        """As a column, those that these values name."""
        self.keep(values)
        return np.frombuffer(_encoder.encode(self._held), np.uint8)

    def restore(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Become what the column `histograms` says; empty where there is none, as in older checkpoints.

        Raises:
            CheckpointError: the column is no such snapshot.

        """
        try:
            data = columns["histograms"].tobytes() if "histograms" in columns else b"\x80"
            self._held = _decoder.decode(data)
        except msgspec.MsgspecError as error:
            raise CheckpointError(f"histograms of a checkpoint: {error!r}") from error
        self._next = max(self._held, default=-1) + 1
