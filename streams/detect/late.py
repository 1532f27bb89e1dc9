"""LateHeld: late samples of a detect partition, apart from the others until the step at which they are taken in.

A sample that was late goes to the first step behind the watermark at which it came; so does one from a source that was
given up as idle and came back, where that watermark is the furthest one of all sources together. All of that hangs on
the order of the log, and not on where it is cut.

Bounds: `HELD_MAX` samples. It refuses what is further behind than can be amended, histograms, and what there is no room
for.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from schemas.handles import is_handle
from schemas.samples import Float64s, Int64s
from streams.rules.past import NO_SAMPLES, STEP_MS, LateSamples

HELD_MAX = 200_000


class LateHeld:
    """Late samples that wait for their step."""

    def __init__(self, within_ms: int) -> None:
        self._within_ms = within_ms
        self._samples = NO_SAMPLES
        self._steps = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self._steps)

    def hold(self, rows: Int64s, times: Int64s, values: Float64s, late_at: Int64s) -> int:
        """Keep samples that came at these watermarks, ms, and were behind them; how many are refused."""
        good = (late_at - times <= self._within_ms) & ~is_handle(values)
        good[np.flatnonzero(good)[HELD_MAX - len(self) :]] = False
        if self._within_ms and good.any():
            new = LateSamples(rows[good], times[good], values[good], (late_at - times)[good])
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
        bits = found.values.view(np.int64)
        return found.take(np.lexsort((bits, found.behind_ms, found.times, found.rows)))

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Columns that `restore` takes."""
        return {**self._samples._asdict(), "steps": self._steps}

    def restore(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Continue from a snapshot; one of code without late samples has none."""
        if columns:
            found: dict[str, NDArray[np.generic]] = dict(columns)
            self._steps = found.pop("steps").astype(np.int64)
            self._samples = LateSamples(**found)  # type: ignore[arg-type]  # columns of a checkpoint
