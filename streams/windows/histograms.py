"""Bag: histograms beside the samples; a column of float64 names them by handles, and the bag knows which is which.

So columns, windows and vectors carry histograms as they carry floats; only who computes with values must look.
Refuses to guess: a handle that the bag does not know is an error, and what comes from outside must be cleaned first.
"""

from collections.abc import Collection, Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.errors import CheckpointError
from schemas.handles import NUMBER_BITS, is_handle, make_handles, numbers_of, pick
from schemas.histograms import NativeHistogram
from schemas.samples import Float64s
from streams.windows.blocks import Bools

PASSING = 1 << (NUMBER_BITS - 1)
"""Numbers from here on belong to one evaluation; below, to the store."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(dict[int, NativeHistogram])


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

    def hold(self, histograms: Collection[NativeHistogram]) -> Float64s:
        """Handles of these."""
        first, self._next = self._next, self._next + len(histograms)
        self._held.update(zip(range(first, self._next), histograms, strict=True))
        return make_handles(len(histograms), first)

    def adopt(self, values: Float64s, histograms: Sequence[NativeHistogram]) -> Float64s:
        """Hold those of the histograms that these values name by index; the values with handles of this bag."""
        adopted, named = pick(values, histograms, self._next)
        self.hold(named)
        return adopted

    def known(self, values: Float64s) -> Float64s:
        """Values from outside, where a handle that this bag does not know is nothing but NaN."""
        at = np.flatnonzero(is_handle(values))
        strange = [number not in self._held for number in numbers_of(values[at]).tolist()]
        if not any(strange):
            return values
        cleaned = values.copy()
        cleaned[at[strange]] = np.nan
        return cleaned

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
        if self._held:
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
