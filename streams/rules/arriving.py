"""ArrivingRule: an alerting rule that is evaluated for each sample as it comes, and at no tick.

An alert belongs to one series of the store. What comes out hangs on the samples of that series in their order, not on
how they were cut into calls. Only series with an alert, or about to have one, are looked at sample by sample.

Refuses a second series that becomes the same alert, and more alerts than there is room for: these get none, and it is
told in `failures`.
"""

import numpy as np

from detectors.base import BoolArray, FloatArray, IntArray, rounds
from schemas.alerts import Alert
from schemas.reasons import AlertReason
from schemas.samples import STALE_BITS
from streams.rules.alert_states import Runs
from streams.rules.alerting import AlertingRule
from streams.rules.vector import Vector, show_labels
from streams.rules.verdict import odd
from streams.windows.series import LOOKBACK_MS, SeriesStore


class ArrivingRule(AlertingRule):
    """One rule marked on_arrival, and its alerts."""

    def arrive(
        self, store: SeriesStore, rows: IntArray, times: IntArray, values: FloatArray
    ) -> list[Alert]:
        """Evaluate for each of these samples, sorted by row of the store, then in order of time.

        Raises:
            RuleError: two series come to the same result; nothing has changed.

        """
        self._tidy(store)
        self._slots.follow(store)
        index, vector = self.plan.evaluate_samples(store, rows, times, values)
        verdict = None
        if self._detect:
            verdict = self._detect.update(self.plan.space, vector.rows, times[index], vector.values)
            index = index[verdict.abnormal]
        vector, facts = odd(vector, verdict)
        if not len(index) and not self._slots:
            return []
        # only series with an alert, or about to have one, need a look sample by sample
        matters = self._slots.of_series(rows) >= 0
        if len(index):
            about = np.zeros(int(rows[-1]) + 1, np.bool_)
            about[rows[index]] = True
            matters |= about[rows]
        at = np.flatnonzero(matters)
        if not at.size:
            return []
        holds = np.zeros(len(rows), np.bool_)
        holds[index] = True
        own = np.cumsum(holds[at]) - 1
        return self._arrived(store, rows[at], times[at], values[at], holds[at], vector, facts, own)

    def _arrived(
        self,
        store: SeriesStore,
        rows: IntArray,
        times: IntArray,
        values: FloatArray,
        holds: BoolArray,
        vector: Vector,
        facts: FloatArray,
        own: IntArray,
    ) -> list[Alert]:
        """Advance the states run by run; `own` is the place of a true sample's result in vector and facts."""
        begins = np.ones(len(rows), np.bool_)
        begins[1:] = (rows[1:] != rows[:-1]) | (holds[1:] != holds[:-1])
        starts = np.flatnonzero(begins)
        ends = np.append(starts[1:], len(rows))
        each = np.arange(len(starts))
        alerts: list[Alert] = []
        ended = values.view(np.int64) == STALE_BITS
        for chosen in rounds(rows[starts]):
            run = each[chosen]
            series = rows[starts[run]]
            fresh = run[(self._slots.of_series(series) < 0) & holds[starts[run]]]
            for i in fresh.tolist():
                self._open(store, int(rows[starts[i]]), vector, facts, int(own[starts[i]]))
            run = run[self._slots.of_series(series) >= 0]
            if not run.size:
                continue  # before its first true sample a series has no state
            slots = self._slots.of_series(rows[starts[run]])
            true = holds[starts[run]]
            runs = Runs(slots, true, starts[run], ends[run], times)
            changes = self._states.advance(runs)
            alerts += self._announce(changes, times, facts, urgent=True, own=own, ended=ended)
            last = ends[run] - 1
            self._slots.facts[:, slots[true]] = facts[:, own[last[true]]]
            self._slots.heard_at[slots] = times[last]
            self._forget(self._inactive(slots))
        alerts.sort(key=lambda alert: alert.time)
        return alerts

    def expire(self, t_ms: int) -> list[Alert]:
        """End the alerts (of a rule evaluated on arrival) whose series has been silent for the look-back."""
        if self._detect:
            self._detect.count(t_ms)
        used = self._slots.used
        return self._end(
            used[self._slots.heard_at[used] + LOOKBACK_MS <= t_ms], t_ms, AlertReason.SERIES_GONE
        )

    def _open(
        self, store: SeriesStore, series: int, vector: Vector, facts: FloatArray, place: int
    ) -> None:
        """Give a series of the store a slot; it gets none if another series has the same alert."""
        given = self.plan.space.labels[int(vector.rows[place])]
        labels = self.announcer.labels(given, facts[:, place].tolist())
        slot = self._slots.take(labels, given)
        self._states.grow(self._slots.capacity)
        if slot < 0:
            self.failures.append(f"more than {self._slots.cap} alerts at once")
        elif self._slots.series[slot] >= 0 and self._slots.series[slot] != series:
            self.failures.append(f"two series have the same alert: {show_labels(labels)}")
        else:
            self._slots.bind_series(slot, series, store)
