"""RuleEngine: all rules over all series of one detect partition, driven by samples and event times.

`append` takes samples; `tick` evaluates the groups whose interval divides the time, groups and rules in the order of
the files, so a recorded series is seen by the rules after it; `arrive` evaluates the rules marked on_arrival for the
samples at hand. What comes out hangs on the samples and the ticks alone, not on how samples were cut into calls,
and not on whether the state was saved and restored in between.

A rule that fails does not stop the others: it is left out at that time and told in `failures`.
Refuses nothing else; to tick forwards only, and behind the samples, is the caller's duty.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.base import BoolArray, FloatArray, IntArray
from schemas.alerts import Alert
from schemas.errors import CheckpointError
from schemas.order import stable_order
from streams.rules.alerting import AlertingRule, Trace
from streams.rules.announce import Announcer, Standing
from streams.rules.checkpoint import AnyColumns, placed, under
from streams.rules.locality import speaks_of_nothing
from streams.rules.owned import Owns
from streams.rules.recording import RecordingRule
from streams.rules.removed import Heading, end_removed
from streams.rules.rule import Evaluate, Kind, Rule, RuleGroup
from streams.rules.rule_file import DEFAULT_INTERVAL_MS
from streams.windows.histograms import without_handles
from streams.windows.series import SeriesStore

AnyRule: TypeAlias = AlertingRule | RecordingRule

VERSION = 1
# Failures are for logs and counters; a caller that does not empty the list must not fill the memory.
MOST_FAILURES = 1000


class Failure(NamedTuple):
    """A rule that could not be evaluated, or not fully: `group/name`, why, and the event time in ms."""

    rule: str
    message: str
    time: int


class RuleEngine:
    """Rules, and the series that they read.

    Attributes:
        store: the series.
        failures: what went wrong since the caller last emptied it, bounded.
        intervals_ms: the different intervals of the groups, ascending.
        ticking: whether any rule is evaluated at ticks, so that samples must be appended.

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
    ) -> None:
        """`source` is the partition of tocsin.samples.

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
        self._source = source
        self._rules: list[AnyRule] = []
        self._keys: list[str] = []
        self._headings: dict[str, Heading] = {}
        self._removed: list[tuple[Heading, dict[str, NDArray[np.generic]]]] = []
        self._owns = owns
        self._external_url = external_url
        seen: Counter[str] = Counter()
        for rule in (rule for group in groups for rule in group.rules):
            self._add(rule, seen, max_series, external_labels or {})
        self.intervals_ms = sorted({rule.rule.interval_ms for rule in self._rules})
        self._arriving = [
            rule
            for rule in self._rules
            if isinstance(rule, AlertingRule) and rule.rule.evaluate is Evaluate.ON_ARRIVAL
        ]
        self.ticking = len(self._arriving) < len(self._rules)
        self._retain()

    def _add(
        self, rule: Rule, seen: Counter[str], max_series: int, external: Mapping[str, str]
    ) -> None:
        # rules may share a name; only those that could make the same alert must be told apart
        shape = f"{rule.id} {sorted(rule.labels.items())}"
        occurrence = seen[shape]
        seen[shape] += 1
        key = f"{rule.identity}-{occurrence}"
        self._keys.append(key)
        owns = self._owns if speaks_of_nothing(rule.expr) else None
        if rule.kind is Kind.RECORD:
            self._rules.append(RecordingRule(rule, owns=owns))
            return
        self._headings[key] = Heading(rule.group, rule.name, rule.expr, occurrence)
        announcer = Announcer(
            rule,
            occurrence=occurrence,
            source=self._source,
            external_labels=external,
            external_url=self._external_url,
        )
        self._rules.append(AlertingRule(rule, announcer, max_series=max_series, owns=owns))

    def _retain(self) -> None:
        # what is evaluated on arrival looks at the sample that has come, and at no other
        for rule in self._rules:
            if rule.rule.evaluate is not Evaluate.ON_ARRIVAL:
                self.store.retain(rule.plan.retention_ms + rule.rule.query_offset_ms)

    def trace(self, told: Trace) -> None:
        """Have every evaluation at a tick told, before it becomes alerts."""
        for rule in self._rules:
            if isinstance(rule, AlertingRule):
                rule.trace = told

    def append(self, rows: IntArray, times: IntArray, values: FloatArray) -> BoolArray:
        """Take samples into the store; which of them were taken, the others being repeated, too old or without room."""
        order = np.lexsort((times, rows))
        taken = np.zeros(len(rows), np.bool_)
        taken[order] = self.append_sorted(rows[order], times[order], values[order])
        return taken

    def append_sorted(self, rows: IntArray, times: IntArray, values: FloatArray) -> BoolArray:
        """The same of samples that come sorted by (row, time)."""
        return self.store.append(rows, times, without_handles(values))

    def next_tick(self, after_ms: int) -> int:
        """The first time after this one at which a group is evaluated."""
        intervals = self.intervals_ms or [DEFAULT_INTERVAL_MS]
        return min((after_ms // ms + 1) * ms for ms in intervals)

    def tick(self, t_ms: int) -> list[Alert]:
        """Evaluate all groups that are due at this event time; transitions by order of rules, then label sets."""
        alerts = self._end_removed(t_ms)
        for rule in self._rules:
            if t_ms % rule.rule.interval_ms:
                continue
            try:
                alerts += self._evaluate(rule, t_ms)
            except Exception as error:  # noqa: BLE001  whatever a rule does, the others must be evaluated
                self._fail(rule, error, t_ms)
            self._gather(rule, t_ms)
        return alerts

    def _evaluate(self, rule: AnyRule, t_ms: int) -> list[Alert]:
        if isinstance(rule, RecordingRule):
            refused = rule.tick(self.store, t_ms)
            if refused:
                self._fail(rule, f"no room for {refused} recorded series", t_ms)
            return []
        if rule.rule.evaluate is Evaluate.ON_ARRIVAL:
            return rule.expire(t_ms)
        return rule.tick(self.store, t_ms)

    def arrive(self, rows: IntArray, times: IntArray, values: FloatArray) -> list[Alert]:
        """Evaluate the rules marked on_arrival for these samples, those of a series in the order given.

        Transitions come by time, then by order of rules, then by label sets.
        """
        if not self._arriving or not len(rows):
            return []
        values = without_handles(values)
        if bool((rows[1:] < rows[:-1]).any()) or rows[0] < 0:
            order = stable_order(rows)
            order = order[np.searchsorted(rows[order], 0) :]
            rows, times, values = rows[order], times[order], values[order]
        if not len(rows):
            return []
        alerts: list[Alert] = []
        for rule in self._arriving:
            newest_ms = int(times.max())
            try:
                alerts += rule.arrive(self.store, rows, times, values)
            except Exception as error:  # noqa: BLE001  as in tick
                self._fail(rule, error, newest_ms)
            self._gather(rule, newest_ms)
        alerts.sort(key=lambda alert: alert.time)
        return alerts

    def standing(self) -> list[tuple[AlertingRule, Standing]]:
        """Every alert that is pending or firing, and its rule, by order of rules."""
        return [
            (rule, alert)
            for rule in self._rules
            if isinstance(rule, AlertingRule)
            for alert in rule.standing()
        ]

    def expire(self, t_ms: int) -> list[Alert]:
        """End alerts of rules marked on_arrival whose series has been silent for the look-back; `tick` does it too."""
        return [alert for rule in self._arriving for alert in rule.expire(t_ms)]

    def retire(self, before_ms: int) -> list[int]:
        """Forget series without a sample since, and what detectors learnt of them; rows of the store that went."""
        for rule in self._rules:
            if isinstance(rule, AlertingRule):
                rule.retire(before_ms)
        return self.store.retire(before_ms)

    def _end_removed(self, t_ms: int) -> list[Alert]:
        # a moment before the tick: where the rule was changed, its new alerts come after the end of the old ones
        removed, self._removed = self._removed, []
        return [
            alert
            for heading, columns in removed
            for alert in end_removed(heading, columns, source=self._source, time=t_ms - 1)
        ]

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
        head = msgspec.json.encode({"version": VERSION, "rules": self._headings})
        columns = {"head": np.frombuffer(head, np.uint8), **placed("store", self.store.snapshot())}
        for key, rule in zip(self._keys, self._rules, strict=True):
            if isinstance(rule, RecordingRule):
                columns |= placed(f"rule/{key}", rule.snapshot())
            else:
                columns |= placed(f"rule/{key}", rule.snapshot(self.store))
        return columns

    def restore(self, columns: AnyColumns) -> None:
        """Continue from a snapshot; rules that were not changed since keep their state.

        Alerts of rules that are no longer there, or were changed, end at the next tick.

        Raises:
            CheckpointError: it is no snapshot of rules, or of another version.

        """
        head = _decode_head(columns)
        self.store.restore(under("store", columns))
        self._retain()
        for key, rule in zip(self._keys, self._rules, strict=True):
            own = under(f"rule/{key}", columns)
            if own and isinstance(rule, RecordingRule):
                rule.restore(own)
            elif own and isinstance(rule, AlertingRule):
                rule.restore(own, self.store)
        self._removed = [
            (heading, under(f"rule/{key}", columns))
            for key, heading in head.rules.items()
            if key not in self._headings
        ]


class _Head(msgspec.Struct):
    version: int
    rules: dict[str, Heading]


def _decode_head(columns: AnyColumns) -> _Head:
    try:
        head = msgspec.json.decode(columns["head"].tobytes(), type=_Head)
    except (KeyError, msgspec.MsgspecError) as error:
        raise CheckpointError(f"no snapshot of rules: {error!r}") from error
    if head.version != VERSION:
        raise CheckpointError(
            f"snapshot of rules of version {head.version}, this code reads {VERSION}"
        )
    return head
