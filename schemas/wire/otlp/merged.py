"""Merged: what deltas of exponential histograms add up to, series by series, as `totals` does for numbers.

Bounded: at the cap the series that was added to longest ago goes, and begins anew. Whether a delta was sent twice is
asked before those of its record are added. It refuses nothing.
"""

from collections import OrderedDict
from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.errors import CheckpointError
from schemas.histograms import NativeHistogram
from schemas.wire.otlp.exponential import added
from schemas.wire.otlp.totals import MOST_BEHIND_MS


class _Entry(msgspec.Struct, array_like=True):
    histogram: NativeHistogram
    told_ms: int
    time_ms: int
    start_ns: int


_decode = msgspec.msgpack.Decoder(list[tuple[int, _Entry]]).decode


class Merged:
    """Running histograms by the fingerprint of their series; at most so many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[int, _Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def has(self, print_: int, time_ms: int, start_ns: int) -> bool:
        """Whether a delta has the times of the one before it, and so was sent twice."""
        known = self._known.get(print_)
        return known is not None and (known.time_ms, known.start_ns) == (time_ms, start_ns)

    def add(
        self, print_: int, time_ms: int, start_ns: int, delta: NativeHistogram
    ) -> tuple[int, NativeHistogram]:
        """Time and whole of a series after this delta."""
        known = self._known.get(print_)
        if known is None:
            known = _Entry(delta, time_ms, time_ms, start_ns)
            self._known[print_] = known
            if len(self._known) > self._most:
                self._known.popitem(last=False)
            return time_ms, delta
        self._known.move_to_end(print_)
        behind = time_ms < known.told_ms - MOST_BEHIND_MS
        known.told_ms = time_ms if behind else max(time_ms, known.told_ms)
        known.time_ms, known.start_ns = time_ms, start_ns
        known.histogram = added(known.histogram, delta)
        return known.told_ms, known.histogram

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Columns that `restore` takes."""
        packed = msgspec.msgpack.encode(list(self._known.items()))
        return {"merged": np.frombuffer(packed, np.uint8)}

    def restore(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Continue from a snapshot.

        Raises:
            CheckpointError: it is none.

        """
        try:
            self._known = OrderedDict(_decode(columns["merged"].tobytes()))
        except (KeyError, msgspec.MsgspecError) as error:
            raise CheckpointError(f"histograms of a checkpoint: {error!r}") from error
