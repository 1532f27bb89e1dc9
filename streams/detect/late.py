"""LateHeld: late samples of a detect partition, apart from the others until the step at which they are taken in.

A sample that was late goes to the first step behind the watermark at which it came; so does one from a source that was
given up as idle and came back, where that watermark is the furthest one of all sources together. All of that hangs on
the order of the log, and not on where it is cut.

Bounds: `HELD_MAX` samples. It refuses what is further behind than can be amended, and what there is no room for.
"""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.handles import is_handle, without_handles
from schemas.histograms import NativeHistogram
from schemas.labels import fingerprint_bytes
from schemas.samples import Float64s, Int64s
from streams.rules.past import NO_SAMPLES, STEP_MS, LateSamples
from streams.windows.histograms import Bag

HELD_MAX = 200_000

_encode = msgspec.msgpack.Encoder().encode


class LateHeld:
    """Late samples that wait for their step.

    Attributes:
        bag: the native histograms among them, and among those of the last `take`.

    """

    def __init__(self, within_ms: int) -> None:
        self.bag = Bag()
        self._within_ms = within_ms
        self._samples = NO_SAMPLES
        self._steps = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self._steps)

    def hold(
        self,
        rows: Int64s,
        times: Int64s,
        values: Float64s,
        late_at: Int64s,
        histograms: Sequence[NativeHistogram] = (),
    ) -> int:
        """Keep samples that came at these watermarks, ms, and were behind them; how many are refused.

        Handles among the values name these histograms.
        """
        good = late_at - times <= self._within_ms
        good[np.flatnonzero(good)[HELD_MAX - len(self) :]] = False
        if self._within_ms and good.any():
            if self.bag.is_full:
                self.bag.keep(self._samples.values)
            kept = values[good]
            kept = self.bag.adopt(kept, histograms) if histograms else without_handles(kept)
            new = LateSamples(rows[good], times[good], kept, (late_at - times)[good])
            self._samples = self._samples.and_then(new)
            self._steps = np.concatenate((self._steps, (late_at[good] // STEP_MS + 1) * STEP_MS))
            return len(good) - int(np.count_nonzero(good))
        return len(good)

    def next_step(self, after_ms: int, until_ms: int) -> int | None:
        """The step to go to next, after a time and not after another; None where there is none.

        Where nothing waits, it is the last one: between two evaluations all steps are alike.
        """
        first, last = after_ms // STEP_MS + 1, until_ms // STEP_MS
        if last < first:
            return None
        return (first if len(self) else last) * STEP_MS

    def take(self, step_ms: int) -> LateSamples | None:
        """The samples of the steps up to this one, in an order that does not hang on that in which they came."""
        if not len(self):
            return None
        due = self._steps <= step_ms
        if not due.any():
            return None
        found, self._samples = self._samples.take(due), self._samples.take(~due)
        self._steps = self._steps[~due]
        order = (self._contents(found.values), found.behind_ms, found.times, found.rows)
        return found.take(np.lexsort(order))

    def _contents(self, values: Float64s) -> Int64s:
        """A number for each value that hangs on what it is, and not on when it came."""
        found = values.view(np.int64).copy()
        at = np.flatnonzero(is_handle(values))
        named = map(_encode, self.bag.get(values[at]))
        hashes = np.fromiter(map(fingerprint_bytes, named), np.uint64, len(at))
        found[at] = hashes.view(np.int64)
        return found

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Columns that `restore` takes."""
        columns: dict[str, NDArray[np.generic]] = {
            **self._samples._asdict(),
            "steps": self._steps,
        }
        if self.bag:
            columns["histograms"] = self.bag.snapshot(self._samples.values)
        return columns

    def restore(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Continue from a snapshot; one of code without late samples has none."""
        if columns:
            self.bag.restore(columns)
            found = {name: c for name, c in columns.items() if name != "histograms"}
            self._steps = found.pop("steps").astype(np.int64)
            self._samples = LateSamples(**found)  # type: ignore[arg-type]  # columns of a checkpoint
