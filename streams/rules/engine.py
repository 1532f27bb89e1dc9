"""RuleEngine: all rules over all series of one detect partition, driven by samples and event times.

`append` takes samples; `tick` evaluates the groups whose interval divides the time, groups and rules in the order of
the files, so a recorded series is seen by the rules after it; `arrive` evaluates the rules marked on_arrival for the
samples at hand. What comes out hangs on the samples and the ticks alone, not on how samples were cut into calls,
and not on whether the state was saved and restored in between.

A rule that fails does not stop the others: it is left out at that time and told in `failures`.
Refuses nothing else; to tick forwards only, and behind the samples, is the caller's duty.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.base import BoolArray, FloatArray, IntArray
from schemas.alerts import Alert
from schemas.handles import without_handles
from schemas.order import stable_order
from streams.rules.alerting import AlertingRule
from streams.rules.amend import Amended, amend
from streams.rules.arriving import ArrivingRule
from streams.rules.book import AnyRule, Making, RuleBook
from streams.rules.checkpoint import AnyColumns, placed, under
from streams.rules.compile import SUBQUERY_STEP_MS
from streams.rules.inquiry import Inquiry
from streams.rules.native.append import append_mixed
from streams.rules.owned import Owns
from streams.rules.partial.merged import NotYetError
from streams.rules.partial.rule import PartialRule
from streams.rules.partial.stages import Part, Second
from streams.rules.past import LateSamples, Past
from streams.rules.recording import RecordingRule
from streams.rules.removed import Left, end_left_series, end_removed, read_head, write_head
from streams.rules.rule import RuleGroup
from streams.rules.rule_file import DEFAULT_INTERVAL_MS
from streams.windows.histograms import Bag
from streams.windows.series import SeriesStore

# Failures are for logs and counters; a caller that does not empty the list must not fill the memory.
MOST_FAILURES = 1000
ROOM = "rule/"
ENDED = "-ended"


class Failure(NamedTuple):
    """A rule that could not be evaluated, or not fully: `group/name`, why, and the event time in ms."""

    rule: str
    message: str
    time: int


class RuleEngine(Inquiry):
    """Rules, and the series that they read.

    Attributes:
        store: the series.
        failures: what went wrong since the caller last emptied it, bounded.

    """

    def __init__(
        self,
        groups: Sequence[RuleGroup],
        *,
        source: int = 0,
        max_series: int,
        max_per_tenant: int | None = None,
        external_labels: Mapping[str, str] | None = None,
        external_url: str = "",
        owns: Owns = None,
        subquery_step_ms: int = SUBQUERY_STEP_MS,
        keep_alert_series: bool = False,
        part: Part = None,
        amend_within_ms: int = 0,
    ) -> None:
        """`source` is the partition of tocsin.samples, `subquery_step_ms` the step of a subquery that names none.

        The series `ALERTS` and `ALERTS_FOR_STATE` are written where a rule selects them, else with `keep_alert_series`.

        `amend_within_ms` is how far behind the watermark a late sample may be that amends what was told; 0: none does.

        `part` is the stage of wide rules that this engine evaluates; None: it sees everything.

        `owns` tells whether a label set belongs to this partition. Results that come from no series (`absent`,
        `vector`) appear in every partition; where `owns` is given, only the owner's count.

        Raises:
            RuleError: an expression or a template does not parse.
            ConfigError: a detector cannot be made.

        """
        self.store = SeriesStore(
            max_series=max_series, max_per_tenant=max_per_tenant, retention_ms=0
        )
        self.failures: list[Failure] = []
        self._making = Making(
            max_series=max_series,
            source=source,
            external_labels=external_labels or {},
            external_url=external_url,
            owns=owns,
            subquery_step_ms=subquery_step_ms,
            keep_alert_series=keep_alert_series,
            part=part,
        )
        self._book = RuleBook(groups, self._making)
        self._left: dict[str, Left] = {}
        corrects = isinstance(part, Second)
        self.past = Past(amend_within_ms, corrects=corrects) if amend_within_ms else None
        self.store.retain(self._retention_ms)

    @property
    def _retention_ms(self) -> int:
        """How much of the past the rules need, and those that are evaluated again."""
        return self._book.retention_ms + (0 if self.past is None else self.past.reach_ms)

    def replace(self, groups: Sequence[RuleGroup]) -> None:
        """Go on with other rules, as a new engine would that restores a snapshot of this one; between two ticks.

        Rules that were not changed keep all they know. Alerts of rules that are no longer there, or were changed, end
        at the next tick.

        Raises:
            RuleError: an expression or a template does not parse; nothing has changed.
            ConfigError: a detector cannot be made; nothing has changed.

        """
        old, new = self._book, RuleBook(groups, self._making)
        if isinstance(self._making.part, Second):
            # a rule that stays may read what another one has begun to record: all plans are made anew
            state = self.snapshot()
            self._book = new
            self.restore(state)
            self.store.retention_ms = self._retention_ms
            return
        new.keep(old)
        gone = {key: rule for key, rule in old.rules.items() if key not in new.rules}
        for key, rule in gone.items():
            if not rule.leaves_nothing:
                self._left[key] = Left(old.headings.get(key), self._state_of(rule))
        for key in self._left.keys() & new.rules.keys():
            self._restore_rule(new.rules[key], self._left.pop(key).columns)
        self._book = new
        # how long samples are kept is for the rules of now to say
        self.store.retention_ms = self._retention_ms

    def append(self, rows: IntArray, times: IntArray, values: FloatArray) -> BoolArray:
        """Take samples into the store; which of them were taken, the others being repeated, too old or without room."""
        order = np.lexsort((times, rows))
        taken = np.zeros(len(rows), np.bool_)
        taken[order] = self.append_sorted(rows[order], times[order], values[order])
        return taken

    def append_sorted(
        self, rows: IntArray, times: IntArray, values: FloatArray, bag: Bag | None = None
    ) -> BoolArray:
        """The same of samples that come sorted by (row, time), of which some may name histograms of a bag."""
        if bag:
            return append_mixed(self.store, rows, times, bag.known(values), bag)
        return self.store.append(rows, times, without_handles(values))

    def next_tick(self, after_ms: int) -> int:
        """The first time after this one at which a group is evaluated."""
        intervals = self.intervals_ms or [DEFAULT_INTERVAL_MS]
        return min((after_ms // ms + 1) * ms for ms in intervals)

    def tick(self, t_ms: int) -> list[Alert]:
        """Evaluate all groups that are due at this event time; transitions by order of rules, then label sets."""
        alerts = self._end_removed(t_ms)
        if self.past is not None:
            self.past.ticked = t_ms
        for key, rule in self._book.rules.items():
            if t_ms % rule.rule.interval_ms:
                continue
            try:
                found = self._evaluate(rule, t_ms)
                if found and self.past is not None:
                    found = self.past.tell(key, rule, found, self.store)
                alerts += found
            except NotYetError:
                continue  # its alerts and series stay as they are
            except Exception as error:  # noqa: BLE001  whatever a rule does, the others must be evaluated
                self._fail(rule, error, t_ms)
            self._gather(rule, t_ms)
        self._end_left_series(t_ms)
        return alerts

    def _evaluate(self, rule: AnyRule, t_ms: int) -> list[Alert]:
        if isinstance(rule, RecordingRule):
            refused = rule.tick(self.store, t_ms)
            if refused:
                self._fail(rule, f"no room for {refused} recorded series", t_ms)
            return []
        if isinstance(rule, ArrivingRule):
            return rule.expire(t_ms)
        if isinstance(rule, PartialRule):
            rule.tick(self.store, t_ms)
            return []
        return rule.tick(self.store, t_ms)

    def arrive(self, rows: IntArray, times: IntArray, values: FloatArray) -> list[Alert]:
        """Evaluate the rules marked on_arrival for these samples, those of a series in the order given.

        Transitions come by time, then by order of rules, then by label sets.
        """
        if not self._book.arriving or not len(rows):
            return []
        values = without_handles(values)
        if bool((rows[1:] < rows[:-1]).any()) or rows[0] < 0:
            order = stable_order(rows)
            order = order[np.searchsorted(rows[order], 0) :]
            rows, times, values = rows[order], times[order], values[order]
        if not len(rows):
            return []
        alerts: list[Alert] = []
        for rule in self._book.arriving:
            newest_ms = int(times.max())
            try:
                alerts += rule.arrive(self.store, rows, times, values)
            except Exception as error:  # noqa: BLE001  as in tick
                self._fail(rule, error, newest_ms)
            self._gather(rule, newest_ms)
        alerts.sort(key=lambda alert: alert.time)
        return alerts

    def expire(self, t_ms: int) -> list[Alert]:
        """End alerts of rules marked on_arrival whose series has been silent for the look-back; `tick` does it too."""
        return [alert for rule in self._book.arriving for alert in rule.expire(t_ms)]

    def retire(self, before_ms: int) -> list[int]:
        """Forget series without a sample since, and what detectors learnt of them; rows of the store that went."""
        for rule in self._rules:
            if isinstance(rule, AlertingRule):
                rule.retire(before_ms)
        gone = self.store.retire(before_ms)
        if gone and self.past is not None:
            self.past.forget(gone)
        return gone

    def settle(self, t_ms: int, late: LateSamples | None, bag: Bag | None = None) -> Amended:
        """Take in late samples, and keep what is so now, at a step of event time behind all that was in time.

        Some of the samples may name histograms of a bag.
        """
        if self.past is None:
            return Amended(0, [])
        return amend(self._book.rules, self.store, self.past, late, t_ms, bag)

    def _end_removed(self, t_ms: int) -> list[Alert]:
        # a moment before the tick: where the rule was changed, its new alerts come after the end of the old ones
        alerts: list[Alert] = []
        for key, left in sorted(self._left.items()):
            if left.heading is not None:
                source = self._making.source
                alerts += end_removed(left.heading, left.columns, source=source, time=t_ms - 1)
                # its series end later, and never under the key of a rule that may come back
                self._left[f"{key}{ENDED}"] = Left(None, left.series)
                del self._left[key]
        return alerts

    def _end_left_series(self, t_ms: int) -> None:
        # after the evaluation, and not before all groups had theirs: what another rule makes now must have no gap
        if self._left and t_ms % max(self.intervals_ms, default=1) == 0:
            for left in self._left.values():
                end_left_series(left, self.store, t_ms)
            self._left.clear()

    def _fail(self, rule: AnyRule, error: Exception | str, t_ms: int) -> None:
        shown = str(error) if isinstance(error, str) else f"{type(error).__name__}: {error}"
        self.failures.append(Failure(rule.rule.id, shown, t_ms))
        del self.failures[:-MOST_FAILURES]

    def _gather(self, rule: AnyRule, t_ms: int) -> None:
        if isinstance(rule, AlertingRule):
            for message in rule.failures:
                self._fail(rule, message, t_ms)
            rule.failures.clear()

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """The whole state as columns: the series, and each rule's state under a hash of its definition."""
        left = {key: each.heading for key, each in self._left.items() if each.heading is not None}
        columns = {
            "head": write_head(self._book.headings | left),
            **placed("store", self.store.snapshot()),
            **placed("past", {} if self.past is None else self.past.snapshot()),
        }
        for key, rule in self._book.rules.items():
            columns |= placed(f"{ROOM}{key}", self._state_of(rule))
        for key, each in self._left.items():
            columns |= placed(f"{ROOM}{key}", each.columns)
        return columns

    def _state_of(self, rule: AnyRule) -> dict[str, NDArray[np.generic]]:
        return rule.snapshot(self.store) if isinstance(rule, AlertingRule) else rule.snapshot()

    def restore(self, columns: AnyColumns) -> None:
        """Continue from a snapshot; rules that were not changed since keep their state.

        Alerts of rules that are no longer there, or were changed, end at the next tick.

        Raises:
            CheckpointError: it is no snapshot of rules, or of another version.

        """
        headings = read_head(columns)
        self.store.restore(under("store", columns))
        self.store.retain(self._retention_ms)
        if self.past is not None:
            self.past.restore(under("past", columns))
        keys = {n.removeprefix(ROOM).split("/")[0] for n in columns if n.startswith(ROOM)}
        states = {key: under(f"{ROOM}{key}", columns) for key in sorted(keys)}
        for key in keys & self._book.rules.keys():
            self._restore_rule(self._book.rules[key], states.pop(key))
        self._left = {key: Left(headings.get(key), state) for key, state in states.items()}

    def _restore_rule(self, rule: AnyRule, columns: AnyColumns) -> None:
        if isinstance(rule, AlertingRule):
            rule.restore(columns, self.store)
        else:
            rule.restore(columns)
