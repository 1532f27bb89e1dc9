"""Wide: which rules of some groups need two stages, since no single detect partition sees all that they read.

Those are the rules that reach beyond one locality, and all that read what such rules record or alert. The series of the
second stage live there, by tenant: rules of the first stage do not see them.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import promql_parser as promql

from schemas.labels import ALERTNAME, METRIC
from streams.rules.alert_series import ALERTS, ALERTS_FOR_STATE
from streams.rules.locality import locality_names, reaches_beyond, selectors_in
from streams.rules.parse import parse_expression
from streams.rules.rule import Evaluate, Kind, Rule, RuleGroup


class Wide:
    """The rules of some groups that need two stages.

    Attributes:
        names: labels of the locality, without the tenant.
        recorded: metrics that rules of the second stage record.

    """

    def __init__(self, groups: Iterable[RuleGroup], locality: Sequence[str]) -> None:
        self.names = locality_names(locality)
        self.recorded: set[str] = set()
        self._alerts: set[str] = set()
        self._rules: set[str] = set()
        ticking = [r for g in groups for r in g.rules if r.evaluate is Evaluate.ON_TICK]
        trees = [(rule, parse_expression(rule.gathers)) for rule in ticking]
        before = -1
        while len(self._rules) > before:
            before = len(self._rules)
            for rule, tree in trees:
                if rule.identity not in self._rules and self._is_wide(tree):
                    self._rules.add(rule.identity)
                    made = self.recorded if rule.kind is Kind.RECORD else self._alerts
                    made.add(rule.name)

    def __len__(self) -> int:
        return len(self._rules)

    def __contains__(self, rule: Rule) -> bool:
        return rule.identity in self._rules

    def reads_second(self, selector: Any) -> bool:
        """Whether the tree of a selector picks series of the second stage."""
        equal = str(promql.MatchOp.Equal)
        fixed = {m.name: m.value for m in selector.matchers.matchers if str(m.op) == equal}
        metric = selector.name or fixed.get(METRIC, "")
        if metric in (ALERTS, ALERTS_FOR_STATE):
            return fixed.get(ALERTNAME, "") in self._alerts
        return metric in self.recorded

    def is_local(self, tree: Any) -> bool:
        """Whether each detect partition can evaluate a part of an expression by itself, and completely."""
        second = any(map(self.reads_second, selectors_in(tree)))
        return not second and not reaches_beyond(tree, self.names)

    def _is_wide(self, tree: Any) -> bool:
        return not self.is_local(tree)


def needs_second_stage(groups: Iterable[RuleGroup], locality: Sequence[str]) -> bool:
    """Whether any rule does."""
    return len(Wide(groups, locality)) > 0
