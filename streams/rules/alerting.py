"""AlertingRule: one alerting rule at work, from results of its expression to transitions of its alerts.

An alert is a label set after the rule's labels are put on. It has a slot while it is pending or firing, and none
otherwise. Work in Python is done for new alerts and for transitions only; all else is columns. A rule whose labels
depend on the value finds its slots anew at each evaluation, as Prometheus does: another label set is another alert.

Refuses two results that become the same alert, and more alerts than there is room for: the evaluation fails and the
states stay as they were. Over the group's limit all alerts of the rule end, as in Prometheus.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors.base import BoolArray, FloatArray, IntArray, rounds
from schemas.alerts import Alert
from schemas.errors import RuleError
from schemas.reasons import AlertReason, AlertState
from schemas.samples import STALE_BITS
from streams.rules.alert_states import INACTIVE, RESOLVED, STATES, AlertStates, Changes, Runs
from streams.rules.announce import Announcer, Standing
from streams.rules.checkpoint import AnyColumns, placed, under
from streams.rules.detect import DetectRule, Verdict, odd
from streams.rules.owned import Owns, keep_owned
from streams.rules.plan import compile_expression
from streams.rules.rule import Rule
from streams.rules.slots import Slots
from streams.rules.vector import LabelSpace, Vector, show_labels
from streams.windows.series import LOOKBACK_MS, SeriesStore

# The label space of an expression may outgrow the series that there are by this much before it is cleared.
SPARE_LABEL_SETS = 1024


class Evaluated(NamedTuple):
    """What one evaluation found, before it becomes alerts: for charts and explanations."""

    rule: Rule
    time: int
    space: LabelSpace
    vector: Vector
    verdict: Verdict | None


Trace: TypeAlias = Callable[[Evaluated], None]


class AlertingRule:
    """One rule and its alerts.

    Attributes:
        rule: what the user wrote.
        plan: its compiled expression.
        announcer: what it says about its alerts.
        failures: what went wrong without failing the evaluation; the caller empties it.
        trace: is told of each evaluation at a tick, where somebody asked for it.

    """

    def __init__(
        self, rule: Rule, announcer: Announcer, *, max_series: int, owns: Owns = None
    ) -> None:
        """Compile the rule.

        Raises:
            RuleError: the expression or a template is none.
            ConfigError: the detector is unknown or has other parameters.

        """
        self.rule = rule
        self.plan = compile_expression(rule.expr)
        self.failures: list[str] = []
        self.trace: Trace | None = None
        self.announcer = announcer
        self._owns = owns
        self._states = AlertStates(for_ms=rule.for_ms, keep_firing_for_ms=rule.keep_firing_for_ms)
        self._slots = Slots(max_series)
        self._detect = (
            DetectRule(rule.detect, interval_ms=rule.interval_ms, max_series=max_series)
            if rule.detect
            else None
        )

    def tick(self, store: SeriesStore, t_ms: int) -> list[Alert]:
        """Evaluate at an event time.

        Raises:
            RuleError: the samples at this time do not allow it; nothing has changed.

        """
        self._tidy(store)
        vector = self.plan.evaluate(store, t_ms - self.rule.query_offset_ms)
        vector = keep_owned(vector, self.plan.space, self._owns)
        verdict = None
        if self._detect:
            times = np.full(len(vector.rows), t_ms, np.int64)
            verdict = self._detect.update(self.plan.space, vector.rows, times, vector.values)
            self._detect.settle(self.plan.space, vector.rows)
        if self.trace:
            self.trace(Evaluated(self.rule, t_ms, self.plan.space, vector, verdict))
        vector, facts = odd(vector, verdict)
        before = self._slots.used
        slots = self._claim(vector, facts)
        quiet = np.setdiff1d(before, slots, assume_unique=True)
        every = np.concatenate((slots, quiet))
        runs = Runs.single(every, np.arange(len(every)) < len(slots), t_ms)
        changes = self._states.advance(runs)
        if self.rule.limit and self._count() > self.rule.limit:
            self.failures.append(f"exceeded limit of {self.rule.limit} with {self._count()} alerts")
            self._forget(np.setdiff1d(self._slots.used, before))
            return self._end(before, t_ms, AlertReason.RULE_FAILED)
        alerts = self._announce(changes, runs.times, facts, urgent=False)
        self._slots.facts[:, slots] = facts
        self._slots.heard_at[slots] = t_ms
        self._forget(self._idle())
        return alerts

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
        # only series with an alert, or about to have one, need a look sample by sample
        matters = self._slots.of_series >= 0
        matters[rows[index]] = True
        at = np.flatnonzero(matters[rows])
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
            fresh = run[(self._slots.of_series[series] < 0) & holds[starts[run]]]
            for i in fresh.tolist():
                self._open(store, int(rows[starts[i]]), vector, facts, int(own[starts[i]]))
            run = run[self._slots.of_series[series] >= 0]
            slots = self._slots.of_series[rows[starts[run]]]
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

    def expire(self, t_ms: int) -> list[Alert]:
        """End the alerts (of a rule evaluated on arrival) whose series has been silent for the look-back."""
        used = self._slots.used
        return self._end(
            used[self._slots.heard_at[used] + LOOKBACK_MS <= t_ms], t_ms, AlertReason.SERIES_GONE
        )

    def retire(self, before_ms: int) -> None:
        """Forget what the detector learnt of series without a value since then."""
        if self._detect:
            self._detect.retire(before_ms)

    def _claim(self, vector: Vector, facts: FloatArray) -> IntArray:
        """Slot of each result, all different."""
        space = self.plan.space
        slots = self._slots.of_rows(space, vector.rows)
        if self.announcer.depends_on_value:
            slots = np.full(len(vector.rows), -1, np.int64)
        for i in np.flatnonzero(slots < 0).tolist():
            given = space.labels[int(vector.rows[i])]
            slot = self._slots.take(self.announcer.labels(given, facts[:, i].tolist()), given)
            slots[i] = slot
            self._states.grow(self._slots.capacity)
            if slot >= 0 and not self.announcer.depends_on_value:
                self._slots.bind_row(slot, int(vector.rows[i]))
        distinct, counts = np.unique(slots, return_counts=True)
        if distinct.size and distinct[0] < 0:
            self._forget(self._idle())
            raise RuleError(f"more than {self._slots.cap} alerts at once")
        if distinct.size < slots.size:
            twice = show_labels(self._slots.labels(int(distinct[counts > 1][0])))
            self._forget(self._idle())
            what = "vector contains metrics with the same labelset after applying alert labels"
            raise RuleError(f"{what}: {twice}")
        return slots

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

    def _announce(
        self,
        changes: Changes,
        times: IntArray,
        facts: FloatArray,
        *,
        urgent: bool,
        own: IntArray | None = None,
        ended: BoolArray | None = None,
    ) -> list[Alert]:
        """Records of changes, by label set where the time is the same."""
        alerts = []
        for position, slot, state, reason in zip(
            changes.positions.tolist(),
            changes.slots.tolist(),
            changes.states.tolist(),
            changes.reasons,
            strict=True,
        ):
            over = state == RESOLVED
            if over and ended is not None and ended[position]:
                reason = AlertReason.SERIES_GONE  # noqa: PLW2901  a stale marker says more than a false condition
            place = position if own is None else int(own[position])
            known = self._slots.facts[:, slot] if over else facts[:, place]
            alerts.append(
                self._record(
                    slot, known.tolist(), STATES[state], reason, int(times[position]), urgent
                )
            )
        alerts.sort(key=lambda a: (a.time, a.tenant, tuple(a.labels.items())))
        return alerts

    def _record(
        self,
        slot: int,
        facts: Sequence[float],
        state: AlertState,
        reason: AlertReason,
        time: int,
        urgent: bool,
    ) -> Alert:
        return self.announcer.alert(
            self._slots.labels(slot),
            self._slots.given[slot],
            facts,
            state=state,
            reason=reason,
            time=time,
            active_at=int(self._states.active_at[slot]),
            urgent=urgent,
        )

    def _end(self, slots: IntArray, t_ms: int, reason: AlertReason) -> list[Alert]:
        alerts = [
            self._record(
                slot, self._slots.facts[:, slot].tolist(), AlertState.RESOLVED, reason, t_ms, False
            )
            for slot in slots.tolist()
        ]
        alerts.sort(key=lambda a: (a.tenant, tuple(a.labels.items())))
        self._forget(slots)
        return alerts

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

    def _tidy(self, store: SeriesStore) -> None:
        if len(self.plan.space) > 2 * len(store) + SPARE_LABEL_SETS:
            self.plan.space.clear()

    def snapshot(self, store: SeriesStore) -> dict[str, NDArray[np.generic]]:
        """The state as columns; label sets instead of rows, so it does not hang on the plan's numbering."""
        return {
            **placed("states", self._states.snapshot()),
            **placed("slots", self._slots.snapshot(store)),
            **(placed("detect", self._detect.snapshot()) if self._detect else {}),
        }

    def restore(self, columns: AnyColumns, store: SeriesStore) -> None:
        """Continue from a snapshot; the store must have been restored before.

        Raises:
            CheckpointError: the columns are not those of a snapshot of this rule.

        """
        self._states.restore(under("states", columns))
        self._slots.restore(under("slots", columns), store)
        if self._detect:
            self._detect.restore(under("detect", columns))
