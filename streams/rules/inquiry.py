"""Inquiry: what one can ask of the rules of an engine, and say to them, besides evaluating them.

Refuses nothing.
"""

from collections.abc import Collection

from schemas.commands import Command
from streams.rules.alerting import AlertingRule, Trace
from streams.rules.announce import Standing
from streams.rules.book import AnyRule, RuleBook
from streams.rules.detect import DetectRule
from streams.rules.partial.rule import PartialRule
from streams.rules.rule import Rule


class Inquiry:
    """The rules at work."""

    _book: RuleBook

    @property
    def intervals_ms(self) -> list[int]:
        """The different intervals of the groups, ascending."""
        return self._book.intervals_ms

    @property
    def ticking(self) -> bool:
        """Whether any rule is evaluated at ticks, so that samples must be appended."""
        return len(self._book.arriving) < len(self._book.rules)

    @property
    def _rules(self) -> Collection[AnyRule]:
        return self._book.rules.values()

    @property
    def partial(self) -> list[PartialRule]:
        """The rules of which only the first stage is evaluated here."""
        return [rule for rule in self._rules if isinstance(rule, PartialRule)]

    def trace(self, told: Trace) -> None:
        """Have every evaluation at a tick told, before it becomes alerts."""
        for rule in self._rules:
            if isinstance(rule, AlertingRule):
                rule.trace = told

    def standing(self) -> list[tuple[AlertingRule, Standing]]:
        """Every alert that is pending or firing, and its rule, by order of rules."""
        return [
            (rule, alert)
            for rule in self._rules
            if isinstance(rule, AlertingRule)
            for alert in rule.standing()
        ]

    def obey(self, command: Command) -> int:
        """Do what somebody says to detectors; how many series it speaks of."""
        return sum(rule.obey(command) for rule in self._rules if isinstance(rule, AlertingRule))

    @property
    def detectors(self) -> list[tuple[Rule, DetectRule]]:
        """The rules with a detector, and these."""
        return [
            (rule.rule, rule.detect)
            for rule in self._rules
            if isinstance(rule, AlertingRule) and rule.detect is not None
        ]
