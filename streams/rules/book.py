"""RuleBook: the rules of one engine in the order of their files, each under a key that hashes its definition.

A rule has the same key wherever it stands, as long as nothing changes that its state depends on: so its state is found
again in a snapshot and in an earlier book. Of rules that could make the same alert, the first one is the first.
Refuses nothing but what cannot be compiled.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from streams.rules.alert_series import selects_alerts
from streams.rules.alerting import AlertingRule
from streams.rules.announce import Announcer
from streams.rules.arriving import ArrivingRule
from streams.rules.compile import SUBQUERY_STEP_MS
from streams.rules.locality import speaks_of_nothing
from streams.rules.owned import Owns
from streams.rules.partial.rule import PartialRule
from streams.rules.partial.split import split_rule
from streams.rules.partial.stages import First, Part, Second
from streams.rules.partial.wide import Wide
from streams.rules.picks import Picks
from streams.rules.plan import compile_expression
from streams.rules.recording import RecordingRule
from streams.rules.removed import Heading
from streams.rules.rule import Evaluate, Kind, Rule, RuleGroup

AnyRule: TypeAlias = AlertingRule | RecordingRule | PartialRule


@dataclass(frozen=True)
class Making:
    """What rules are made with, besides their text; see `RuleEngine`."""

    max_series: int
    source: int = 0
    external_labels: Mapping[str, str] = field(default_factory=dict)
    external_url: str = ""
    owns: Owns = None
    subquery_step_ms: int = SUBQUERY_STEP_MS
    keep_alert_series: bool = False
    part: Part = None
    picks: Picks = field(default_factory=Picks)


class RuleBook:
    """Rules at work.

    Attributes:
        rules: in order, by key.
        headings: of the alerting ones, what a checkpoint keeps besides their state.
        arriving: those that are evaluated on arrival.
        intervals_ms: the different intervals of the groups, ascending.
        retention_ms: how much of the past all of them together need.

    """

    def __init__(self, groups: Sequence[RuleGroup], making: Making) -> None:
        """Compile all rules.

        Raises:
            RuleError: an expression or a template does not parse.
            ConfigError: a detector cannot be made.

        """
        self._making = making
        part = making.part
        self._wide = None if part is None else Wide(groups, part.locality)
        self.rules: dict[str, AnyRule] = {}
        self.headings: dict[str, Heading] = {}
        seen: Counter[str] = Counter()
        for rule in (rule for group in groups for rule in group.rules):
            # rules may share a name; only those that could make the same alert must be told apart
            shape = f"{rule.id} {sorted(rule.labels.items())}"
            occurrence = seen[shape]
            seen[shape] += 1
            self._add(f"{rule.identity}-{occurrence}", rule, occurrence)
        self._find_selected()
        self.arriving = [rule for rule in self.rules.values() if isinstance(rule, ArrivingRule)]
        self.intervals_ms = sorted({rule.rule.interval_ms for rule in self.rules.values()})
        # what is evaluated on arrival looks at the sample that has come, and at no other
        self.retention_ms = max(
            (
                rule.plan.retention_ms + rule.rule.query_offset_ms
                for rule in self.rules.values()
                if not isinstance(rule, ArrivingRule)
            ),
            default=0,
        )

    def _add(self, key: str, rule: Rule, occurrence: int) -> None:
        making = self._making
        owns = making.owns if speaks_of_nothing(rule.expr) else None
        step_ms = making.subquery_step_ms
        plan = None
        if self._wide is not None and rule in self._wide:
            senders = making.part.senders if isinstance(making.part, Second) else None
            split = split_rule(rule, self._wide, senders, subquery_step_ms=step_ms)
            if isinstance(making.part, First):
                # other cuts than before are another rule
                cuts = "-".join(cut.id for cut in split.cuts)
                partial = PartialRule(rule, split, sender=making.source)
                self.rules[f"{key}-{cuts}"] = partial
                return
            plan = split.plan
        elif isinstance(making.part, Second):
            return
        plan = plan or compile_expression(
            rule.expr,
            subquery_step_ms=step_ms,
            interval_ms=rule.interval_ms,
            picks=making.picks,
        )
        if rule.kind is Kind.RECORD:
            self.rules[key] = RecordingRule(rule, plan, owns=owns)
            return
        self.headings[key] = Heading(rule.group, rule.name, rule.expr, occurrence)
        announcer = Announcer(
            rule,
            occurrence=occurrence,
            source=making.source,
            external_labels=making.external_labels,
            external_url=making.external_url,
        )
        kind = ArrivingRule if rule.evaluate is Evaluate.ON_ARRIVAL else AlertingRule
        self.rules[key] = kind(rule, announcer, plan, max_series=making.max_series, owns=owns)

    def _find_selected(self) -> None:
        """Find whose alerts must be written as series: nobody pays for what nobody reads."""
        selections = {each for rule in self.rules.values() for each in rule.plan.selectors}
        for rule in self.rules.values():
            if isinstance(rule, AlertingRule):
                name = rule.rule.name
                rule.selected = self._making.keep_alert_series or any(
                    selects_alerts(each, name) for each in selections
                )

    def keep(self, older: "RuleBook") -> None:
        """Let the rules of an older book that stand here too go on with all they know; they lose nothing."""
        for key in self.rules.keys() & older.rules.keys():
            new, old = self.rules[key], older.rules[key]
            if isinstance(new, AlertingRule) and isinstance(old, AlertingRule):
                old.adopt(new.rule, new.announcer, selected=new.selected)
            elif not isinstance(old, AlertingRule):
                old.adopt(new.rule)
            self.rules[key] = old
        self.arriving = [rule for rule in self.rules.values() if isinstance(rule, ArrivingRule)]
