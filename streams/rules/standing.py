"""StandingAlerts: the alerts of one rule that are pending or firing, by slot; what a rule has besides its expression.

It can be set back to what it was. Refuses nothing.
"""

import numpy as np
from numpy.typing import NDArray

from detectors.base import IntArray
from streams.rules.alert_states import INACTIVE, STATES, AlertStates
from streams.rules.announce import Standing
from streams.rules.checkpoint import AnyColumns, placed, under
from streams.rules.slots import Slots
from streams.windows.series import SeriesStore


class StandingAlerts:
    """Slots and their states."""

    _states: AlertStates
    _slots: Slots

    def standing(self) -> list[Standing]:
        """Every alert that is pending or firing, by label set."""
        return sorted(
            Standing(
                self._slots.labels(slot),
                self._slots.given[slot],
                self._slots.facts[:, slot].tolist(),
                STATES[int(self._states.state[slot])],
                int(self._states.active_at[slot]),
                int(self._slots.heard_at[slot]),
            )
            for slot in self._slots.used.tolist()
        )

    def remember(self, store: SeriesStore) -> dict[str, NDArray[np.generic]]:
        """What `rewind` takes: the alerts as they stand, nothing where there are none."""
        if not self._slots.used.size:
            return {}
        return self._alerts(store)

    def rewind(self, columns: AnyColumns, store: SeriesStore) -> None:
        """Have the alerts of an earlier time again."""
        if not columns:
            self._forget(self._slots.used)
        else:
            self._restore_alerts(columns, store)

    def _restore_alerts(self, columns: AnyColumns, store: SeriesStore) -> None:
        self._states.restore(under("states", columns))
        self._slots.restore(under("slots", columns), store)

    def _alerts(self, store: SeriesStore) -> dict[str, NDArray[np.generic]]:
        return {
            **placed("states", self._states.snapshot()),
            **placed("slots", self._slots.snapshot(store)),
        }

    def _count(self) -> int:
        return int(np.count_nonzero(self._states.state))

    def _idle(self) -> IntArray:
        return self._inactive(self._slots.used)

    def _inactive(self, slots: IntArray) -> IntArray:
        idle: IntArray = slots[self._states.state[slots] == INACTIVE]
        return idle

    def _forget(self, slots: IntArray) -> None:
        self._states.reset(slots)
        self._slots.release(slots)
