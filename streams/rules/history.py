"""History: the last values of what a rule looks at, for whoever asks what moved before what.

Of a comparison it is what was compared, whether it held or not. Values are kept by label set, one for each evaluation,
as far back as `LENGTH` evaluations; what has had none for so long is forgotten. All of it can be saved, so it is the
same after a restart.

Bounds: `LABEL_SETS_MAX` label sets of a rule; an evaluation with more than `RESULTS_MAX` results for a tenant leaves
nothing of that tenant behind, and all of the others. Refuses to hold times between evaluations, and fills no gap.
"""

import numpy as np
from numpy.typing import NDArray

from detectors.base import IntArray
from schemas.errors import CheckpointError
from schemas.labels import Labels, encode_labels
from streams.rules.checkpoint import AnyColumns
from streams.rules.roster import Roster
from streams.rules.vector import LabelSpace, Vector

LENGTH = 32
"""At 15 s that is 8 minutes: what spreads through a call graph does so within a few evaluations."""
RESULTS_MAX = 1_000
LABEL_SETS_MAX = 20_000
DIGITS = 6
"""Significant digits of a value as it is told, which is what a 32-bit float holds."""
UNKNOWN = -1


class History:
    """Values of one rule, float32[capacity, LENGTH], the newest last, NaN where there was none."""

    def __init__(self, interval_ms: int) -> None:
        self.interval_ms = interval_ms
        self._empty()

    def _empty(self) -> None:
        self._roster = Roster(LABEL_SETS_MAX)
        self._values = np.zeros((0, LENGTH), np.float32)
        self._time = 0
        self._number_of = np.zeros(0, np.int64)
        self._epoch = -1

    def put(self, space: LabelSpace, found: Vector | None, t_ms: int) -> None:
        """Take in what an evaluation at an event time found; times ascend."""
        self._pass(t_ms)
        if found is not None and len(found.rows) > RESULTS_MAX:
            tenants = space.tenant_of(found.rows)
            found = found.keep((np.bincount(tenants) <= RESULTS_MAX)[tenants])
        if found is None or not len(found.rows):
            return
        numbers = self._numbers(space, found.rows)
        kept = numbers >= 0
        with np.errstate(over="ignore"):
            self._values[numbers[kept], -1] = found.values[kept]

    def of(self, labels: Labels, t_ms: int) -> tuple[float | None, ...]:
        """The values of a label set up to an evaluation, the newest last; nothing unless that was the last one."""
        number = self._roster.find(encode_labels(labels)) if t_ms == self._time else UNKNOWN
        if number < 0:
            return ()
        values = self._values[number]
        there = np.flatnonzero(np.isfinite(values))
        if not there.size:
            return ()
        # histograms and infinities have no place among numbers
        return tuple(
            float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None
            for value in values[there[0] :].tolist()
        )

    def _pass(self, t_ms: int) -> None:
        """Make room at the end for the evaluation of a time, and for those that were left out."""
        passed = (t_ms - self._time) // self.interval_ms if self.interval_ms else LENGTH
        self._time = t_ms
        if not len(self._roster) or passed <= 0:
            return
        shift = min(passed, LENGTH)
        self._values[:, : LENGTH - shift] = self._values[:, shift:]
        self._values[:, LENGTH - shift :] = np.nan
        silent = self._roster.numbers
        silent = silent[np.isnan(self._values[silent]).all(axis=1)]
        if silent.size:
            self._roster.release(silent.tolist())
            self._number_of[np.isin(self._number_of, silent)] = UNKNOWN

    def _numbers(self, space: LabelSpace, rows: IntArray) -> IntArray:
        """Number of each row, UNKNOWN where there is no room for it."""
        if space.epoch != self._epoch:
            self._epoch = space.epoch
            self._number_of = np.zeros(0, np.int64)
        more = np.full(max(0, len(space) - len(self._number_of)), UNKNOWN)
        self._number_of = np.concatenate((self._number_of, more))
        for row in rows[self._number_of[rows] < 0].tolist():
            self._number_of[row] = self._roster.number(space.labels[row])
        wider = self._roster.capacity - len(self._values)
        if wider > 0:
            fresh = np.full((wider, LENGTH), np.nan, np.float32)
            self._values = np.concatenate((self._values, fresh))
        return self._number_of[rows]

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """All of it as columns; nothing where nothing is kept."""
        if not len(self._roster):
            return {}
        numbers = self._roster.numbers
        return {
            **self._roster.snapshot(),
            "values": self._values[numbers].ravel(),
            "time": np.array([self._time], np.int64),
        }

    def restore(self, columns: AnyColumns) -> None:
        """Continue from a snapshot; from one of code without a history, with none.

        Raises:
            CheckpointError: it is none.

        """
        self._empty()
        if not columns:
            return
        try:
            self._roster.restore(columns)
            self._values = np.full((self._roster.capacity, LENGTH), np.nan, np.float32)
            self._values[self._roster.numbers] = columns["values"].reshape(-1, LENGTH)
            self._time = int(columns["time"][0])
        except (KeyError, ValueError, IndexError) as error:
            raise CheckpointError(f"history of a checkpoint: {error!r}") from error
