"""States of one rule's alerts, as columns over slots: inactive, pending, firing, and how they change.

The meaning of `for` and `keep_firing_for` is Prometheus's (rules/alerting.go): at an evaluation an alert whose
condition is true begins pending, with that evaluation's time, and fires once it has been true for `for`; a firing one
whose condition is false goes on firing until it has been false for `keep_firing_for`. Unlike Prometheus, a pending
alert that ends is resolved too, so that whoever was told of it can forget it.

Evaluations come as runs: consecutive ones of one slot with the same condition. A tick is a run of one. However
evaluations are cut into runs and calls, the changes are the same. Slots given out by others; nothing here knows labels.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from detectors.base import BoolArray, CodeArray, IntArray
from schemas.errors import CheckpointError
from schemas.reasons import AlertReason, AlertState
from streams.rules.checkpoint import AnyColumns

INACTIVE, PENDING, FIRING, RESOLVED = range(4)
STATES = {
    PENDING: AlertState.PENDING,
    FIRING: AlertState.FIRING,
    RESOLVED: AlertState.RESOLVED,
}
NEVER = np.iinfo(np.int64).min
FORMS: dict[str, tuple[DTypeLike, int]] = {
    "state": (np.int8, INACTIVE),
    "active_at": (np.int64, NEVER),
    "quiet_since": (np.int64, NEVER),
}


class Runs(NamedTuple):
    """Runs of evaluations, each of another slot; run i is `times[starts[i]:ends[i]]`, in order of time.

    slots int64[k], holds bool[k] (whether the condition is true), starts and ends int64[k], times int64[n] in ms.
    """

    slots: IntArray
    holds: BoolArray
    starts: IntArray
    ends: IntArray
    times: IntArray

    @classmethod
    def single(cls, slots: IntArray, holds: BoolArray, t_ms: int) -> "Runs":
        """One evaluation of each slot, all at the same time."""
        at = np.arange(len(slots))
        return cls(slots, holds, at, at + 1, np.full(len(slots), t_ms, np.int64))


class Changes(NamedTuple):
    """What changed, in order of the evaluations: its position in `Runs.times`, slot, new state, reason."""

    positions: IntArray
    slots: IntArray
    states: CodeArray
    reasons: list[AlertReason]


class AlertStates:
    """State of each slot.

    Attributes:
        state: int8[capacity], INACTIVE, PENDING or FIRING.
        active_at: int64[capacity], event time at which the condition became true, ms.
        quiet_since: int64[capacity], event time since which a firing alert's condition is false, else NEVER.

    """

    state: CodeArray
    active_at: IntArray
    quiet_since: IntArray

    def __init__(self, *, for_ms: int, keep_firing_for_ms: int) -> None:
        self.for_ms = for_ms
        self.keep_firing_for_ms = keep_firing_for_ms
        for name, (dtype, fill) in FORMS.items():
            setattr(self, name, np.full(0, fill, dtype))

    def grow(self, capacity: int) -> None:
        """Make room for slots below `capacity`."""
        for name, (dtype, fill) in FORMS.items():
            column = getattr(self, name)
            more = np.full(max(0, capacity - len(column)), fill, dtype)
            setattr(self, name, np.concatenate((column, more)))

    def reset(self, slots: IntArray) -> None:
        """Forget these slots."""
        for name, (_, fill) in FORMS.items():
            getattr(self, name)[slots] = fill

    def advance(self, runs: Runs) -> Changes:
        """Take in runs of evaluations; what changed by them.

        `active_at` of a resolved slot stays readable until it is reset.
        """
        parts = [*self._hold(runs), *self._quiet(runs)]
        run = np.concatenate([part[0] for part in parts])
        positions = np.concatenate([part[1] for part in parts])
        states = np.concatenate([np.full(len(p[0]), p[2], np.int8) for p in parts])
        reasons = [p[3] for p in parts for _ in range(len(p[0]))]
        # a run's two changes may share no position, so position and then state is the order in which they came
        order = np.lexsort((states, positions))
        return Changes(
            positions[order],
            runs.slots[run[order]],
            states[order],
            [reasons[i] for i in order.tolist()],
        )

    def _hold(self, runs: Runs) -> list[tuple[IntArray, IntArray, int, AlertReason]]:
        """Changes by runs whose condition is true: (run, position, new state, reason)."""
        run = np.flatnonzero(runs.holds)
        slots, starts, ends = runs.slots[run], runs.starts[run], runs.ends[run]
        self.quiet_since[slots] = NEVER
        fresh = self.state[slots] == INACTIVE
        waits = self.state[slots] != FIRING
        self.active_at[slots[fresh]] = runs.times[starts[fresh]]
        due = self.active_at[slots] + self.for_ms
        fires_at = np.where(waits, _first_from(runs.times, starts, ends, due), ends)
        fires = fires_at < ends
        at_once = fires & fresh & (fires_at == starts)
        later = fires & ~at_once
        pending = fresh & ~at_once
        self.state[slots[fresh]] = PENDING
        self.state[slots[fires]] = FIRING
        return [
            (run[pending], starts[pending], PENDING, AlertReason.CONDITION_TRUE),
            (run[at_once], fires_at[at_once], FIRING, AlertReason.CONDITION_TRUE),
            (run[later], fires_at[later], FIRING, AlertReason.HELD_FOR),
        ]

    def _quiet(self, runs: Runs) -> list[tuple[IntArray, IntArray, int, AlertReason]]:
        """Changes by runs whose condition is false."""
        run = np.flatnonzero(~runs.holds & (self.state[runs.slots] != INACTIVE))
        slots, starts, ends = runs.slots[run], runs.starts[run], runs.ends[run]
        firing = self.state[slots] == FIRING
        begins = firing & (self.quiet_since[slots] == NEVER)
        self.quiet_since[slots[begins]] = runs.times[starts[begins]]
        due = np.where(firing, self.quiet_since[slots] + self.keep_firing_for_ms, NEVER)
        ends_at = _first_from(runs.times, starts, ends, due)
        over = ends_at < ends
        self.state[slots[over]] = INACTIVE
        return [(run[over], ends_at[over], RESOLVED, AlertReason.CONDITION_FALSE)]

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """All columns, copied."""
        return {name: getattr(self, name).copy() for name in FORMS}

    def restore(self, columns: AnyColumns) -> None:
        """Take over the columns of a snapshot.

        Raises:
            CheckpointError: a column is missing, or they differ in length.

        """
        try:
            taken = {name: columns[name].astype(dtype) for name, (dtype, _) in FORMS.items()}
        except KeyError as error:
            raise CheckpointError(f"alert states of a checkpoint: no column {error}") from error
        if len({len(column) for column in taken.values()}) != 1:
            raise CheckpointError("alert states of a checkpoint: columns of different lengths")
        for name, column in taken.items():
            setattr(self, name, column)


def _first_from(times: IntArray, starts: IntArray, ends: IntArray, due: IntArray) -> IntArray:
    """For each run the position of its first evaluation at or after `due`, its end where there is none."""
    lengths = ends - starts
    if len(starts) == 0 or int(lengths.max()) == 1:
        return np.where(times[starts] >= due, starts, ends)
    offsets = np.cumsum(lengths) - lengths
    at = np.arange(int(lengths.sum())) - np.repeat(offsets - starts, lengths)
    reached = times[at] >= np.repeat(due, lengths)
    first: IntArray = np.minimum.reduceat(np.where(reached, at, np.repeat(ends, lengths)), offsets)
    return first
