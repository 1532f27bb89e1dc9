"""AlertingRule: one alerting rule at work at ticks, from results of its expression to transitions of its alerts.

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

from detectors.base import BoolArray, FloatArray, IntArray
from schemas.alerts import Alert
from schemas.commands import Command
from schemas.errors import RuleError
from schemas.reasons import AlertReason, AlertState
from streams.rules.alert_series import AlertSeries
from streams.rules.alert_states import (
    FIRING,
    RESOLVED,
    STATES,
    AlertStates,
    Changes,
    Runs,
)
from streams.rules.announce import Announcer
from streams.rules.checkpoint import AnyColumns, placed, under
from streams.rules.detect import DetectRule
from streams.rules.grouped import detect_rule
from streams.rules.history import History
from streams.rules.obey import obey
from streams.rules.owned import Owns, keep_owned
from streams.rules.plan import Plan
from streams.rules.rule import Rule
from streams.rules.slots import Slots
from streams.rules.standing import StandingAlerts
from streams.rules.vector import LabelSpace, Vector, show_labels
from streams.rules.verdict import Verdict, odd
from streams.windows.series import SeriesStore

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


class AlertingRule(StandingAlerts):
    """One rule and its alerts.

    Attributes:
        rule: what the user wrote.
        plan: its compiled expression.
        announcer: what it says about its alerts.
        failures: what went wrong without failing the evaluation; the caller empties it.
        trace: is told of each evaluation at a tick, where somebody asked for it.
        selected: whether some rule may select the series `ALERTS` of this one, so that they must be written.

    """

    def __init__(
        self,
        rule: Rule,
        announcer: Announcer,
        plan: Plan,
        *,
        max_series: int,
        owns: Owns = None,
    ) -> None:
        """`plan` is the compiled expression of the rule.

        Raises:
            ConfigError: the detector is unknown or has other parameters.

        """
        self.rule = rule
        self.plan = plan
        self.failures: list[str] = []
        self.trace: Trace | None = None
        self.announcer = announcer
        self.selected = False
        self._owns = owns
        self._states = AlertStates(for_ms=rule.for_ms, keep_firing_for_ms=rule.keep_firing_for_ms)
        self._slots = Slots(max_series)
        self._series = AlertSeries(rule)
        self._history = History(rule.interval_ms)
        self._detect = (
            detect_rule(rule.detect, interval_ms=rule.interval_ms, max_series=max_series)
            if rule.detect
            else None
        )

    def tick(self, store: SeriesStore, t_ms: int, *, again: bool = False) -> list[Alert]:
        """Evaluate at an event time; `again`, for its alerts only, where that was done before with fewer samples.

        Raises:
            RuleError: the samples at this time do not allow it; nothing has changed.

        """
        self._tidy(store)
        vector = self.plan.evaluate(store, t_ms - self.rule.query_offset_ms)
        vector = keep_owned(vector, self.plan.space, self._owns)
        compared = self.plan.take_compared()
        verdict = None
        if self._detect:
            vector = self._detect.gathered(self.plan.space, vector, t_ms)
            times = np.full(len(vector.rows), t_ms, np.int64)
            verdict = self._detect.update(self.plan.space, vector.rows, times, vector.values)
            self._detect.settle(self.plan.space, vector.rows)
            self._detect.count(t_ms)
            compared = vector
        if not again:
            if compared is not None:
                compared = keep_owned(compared, self.plan.space, self._owns)
            self._history.put(self.plan.space, compared, t_ms)
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
        self._hold(quiet, t_ms)
        self._slots.facts[:, slots] = facts
        self._slots.heard_at[slots] = t_ms
        self._forget(self._idle())
        if not again:
            self._write_series(store, t_ms - self.rule.query_offset_ms)
        return alerts

    def _hold(self, quiet: IntArray, t_ms: int) -> None:
        """Let the detector learn nothing of series whose alerts go on firing though they are calm."""
        firing = quiet[self._states.state[quiet] == FIRING]
        if self._detect and firing.size:
            given = [self._slots.given[slot] for slot in firing.tolist()]
            self._detect.hold(given, self._states.active_at[firing], t_ms)

    def obey(self, command: Command) -> int:
        """Do what a command says to the detector; how many series it speaks of."""
        if self._detect is None or command.about is None:
            return 0
        return obey(self._detect, command, command.about, self.announcer)

    @property
    def detect(self) -> DetectRule | None:
        """The detector, where the rule has one."""
        return self._detect

    def _write_series(self, store: SeriesStore, t_ms: int) -> None:
        if not self.selected and not len(self._series):
            return
        slots = self._slots.used if self.selected else self._slots.used[:0]
        refused = self._series.write(
            store,
            [self._slots.encoded(slot) for slot in slots.tolist()],
            self._states.state[slots] == FIRING,
            self._states.active_at[slots],
            t_ms,
        )
        if refused:
            self.failures.append(f"no room for {refused} series of its alerts")

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
        # on arrival it is the sample alone, at a tick all that the selectors reach
        reach = 0 if urgent else self.plan.reach_ms
        end = time - self.rule.query_offset_ms
        given, detect = self._slots.given[slot], self._detect
        fires = state is AlertState.FIRING and not urgent
        return self.announcer.alert(
            self._slots.labels(slot),
            given,
            facts,
            state=state,
            reason=reason,
            time=time,
            active_at=int(self._states.active_at[slot]),
            urgent=urgent,
            window=None if reach is None else (end - reach, end),
            watermark=None if urgent else time,
            insight=detect.insight(given, facts, present=not urgent) if detect else None,
            values=self._history.of(given, time) if fires else (),
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

    def _tidy(self, store: SeriesStore) -> None:
        if len(self.plan.space) > 2 * len(store) + SPARE_LABEL_SETS:
            self.plan.space.clear()

    @property
    def leaves_nothing(self) -> bool:
        """Whether nothing would have to be ended without this rule."""
        return not self._slots.used.size and not len(self._series)

    def adopt(self, rule: Rule, announcer: Announcer, *, selected: bool) -> None:
        """Go on as the same rule, which stands elsewhere now or says other things of its alerts."""
        self.rule = rule
        self.announcer = announcer
        self.selected = selected
        if self._detect and rule.detect:
            self._detect.adopt(rule.detect)

    def snapshot(self, store: SeriesStore) -> dict[str, NDArray[np.generic]]:
        """The state as columns; label sets instead of rows, so it does not hang on the plan's numbering."""
        return {
            **self._alerts(store),
            **placed("series", self._series.snapshot()),
            **placed("history", self._history.snapshot()),
            **(placed("detect", self._detect.snapshot()) if self._detect else {}),
        }

    def restore(self, columns: AnyColumns, store: SeriesStore) -> None:
        """Continue from a snapshot; the store must have been restored before.

        Raises:
            CheckpointError: the columns are not those of a snapshot of this rule.

        """
        self._restore_alerts(columns, store)
        if series := under("series", columns):
            self._series.restore(series)
        self._history.restore(under("history", columns))
        if self._detect:
            self._detect.restore(under("detect", columns))
