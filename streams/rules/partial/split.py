"""Split: an expression that is wider than the locality, cut where partitions can evaluate it by themselves.

An aggregation of what is local is cut with the form of that aggregation; any other local part is sent as it is, element
by element. What is above the cuts is evaluated in the second stage by the same nodes as ever.
Refuses, with line and column, a subquery or a range over what several partitions see: nobody keeps its past. A
recording rule does.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import promql_parser as promql

from schemas.errors import RuleError
from schemas.labels import METRIC, Labels, content_id
from streams.rules.absent import Absent
from streams.rules.calls import target_label
from streams.rules.choose import FIRM_CHOOSERS, Choice
from streams.rules.compile import SUBQUERY_STEP_MS, Compiler, Options
from streams.rules.locality import ABSENT, selectors_in
from streams.rules.node import Node, RangeNode, VectorNode
from streams.rules.partial.cut import Cut
from streams.rules.partial.forms import FORMS, GATHERED, SUMMED, Form
from streams.rules.partial.merged import InOrder, Merged, Senders
from streams.rules.partial.wide import Wide
from streams.rules.picks import Picks
from streams.rules.plan import Plan
from streams.rules.ranges import RANGE_FUNCTIONS, RangeCall
from streams.rules.rule import Kind, Rule, RuleGroup
from streams.rules.scalars import Number
from streams.rules.tally import CountValues
from streams.rules.vector import drop_these, keep_only
from streams.windows.series import LOOKBACK_MS


class Split(NamedTuple):
    """An expression in two stages: what each partition evaluates, and what is made of it."""

    cuts: Sequence[Cut]
    plan: Plan


def split_rule(
    rule: Rule,
    wide: Wide,
    senders: Senders | None = None,
    *,
    subquery_step_ms: int = SUBQUERY_STEP_MS,
) -> Split:
    """The two stages of a rule; `senders` are only for who evaluates the second one.

    Raises:
        RuleError: it is no expression, or cannot be evaluated in two stages; with line and column.

    """
    splitter = _Splitter(rule, wide, senders or Senders(()), subquery_step_ms)
    root = splitter.compile()
    return Split(splitter.cuts, Plan(rule.expr, root))


def find_unsplittable(groups: Sequence[RuleGroup], locality: Sequence[str]) -> list[str]:
    """One line `file:line: what` for each rule wider than the locality that cannot be evaluated in two stages."""
    wide = Wide(groups, locality)
    problems = []
    for rule in (rule for group in groups for rule in group.rules):
        where = f"{rule.file}:{rule.line}: rule '{rule.name}'"
        if rule not in wide:
            if rule.kind is Kind.RECORD and rule.name in wide.recorded:
                problems.append(f"{where}: another rule records '{rule.name}' in the second stage")
            continue
        try:
            split_rule(rule, wide)
        except RuleError as error:
            problems.append(f"{where} is wider than the locality: {error}")
    return problems


class _Splitter(Compiler):
    """Builds the nodes of the second stage, and the cuts below them."""

    def __init__(self, rule: Rule, wide: Wide, senders: Senders, step_ms: int) -> None:
        super().__init__(rule.expr, Options(LOOKBACK_MS, step_ms, whole=False, picks=Picks()))
        self.cuts: list[Cut] = []
        self._rule = rule
        self._wide = wide
        self._senders = senders
        self._below = False

    def _build(self, tree: Any) -> Node:
        kind = type(tree).__name__
        if self._below or kind == "ParenExpr" or not selectors_in(tree):
            return super()._build(tree)
        raw = not all(map(self._wide.reads_second, selectors_in(tree)))
        if kind in ("SubqueryExpr", "MatrixSelector") and raw:
            raise self.refusal(
                "nobody keeps the past of what several partitions see; record it, and look back on that",
                "[",
            )
        if self._wide.is_local(tree):
            return self._gather(tree, self._local(tree))
        if kind == "AggregateExpr" and self._wide.is_local(tree.expr):
            return self._aggregate_apart(tree)
        if kind == "Call" and tree.func.name in ABSENT and self._wide.is_local(tree.args[0]):
            return self._absent_apart(tree)
        return super()._build(tree)

    def _local(self, tree: Any) -> VectorNode:
        """The nodes of a part that each partition evaluates by itself."""
        self._below = True
        try:
            return self.vector(tree)
        finally:
            self._below = False

    def _cut(
        self,
        tree: Any,
        node: VectorNode,
        form: Form,
        grouping: Callable[[Labels], Labels] = lambda labels: labels,
    ) -> Cut:
        rule = self._rule
        place = (rule.expr, rule.interval_ms, rule.query_offset_ms, len(self.cuts))
        identity = f"partial:{content_id(*place, str(tree.prettify()), *self._wide.names)}"
        plan = Plan(str(tree.prettify()), node, interval_ms=rule.interval_ms)
        self.cuts.append(Cut(identity, plan, form, grouping, offset_ms=rule.query_offset_ms))
        return self.cuts[-1]

    def _gather(self, tree: Any, node: VectorNode) -> Merged:
        return Merged(self._cut(tree, node, GATHERED), self._senders)

    def _aggregate_apart(self, tree: Any) -> Node:
        name = str(tree.op)
        names: frozenset[str] = frozenset(tree.modifier.labels if tree.modifier else ())
        by = tree.modifier is None or str(tree.modifier.type) == str(promql.AggModifierType.By)
        grouping = keep_only(names) if by else drop_these(names | {METRIC})
        if name in FORMS:
            phi = self.scalar(tree.param) if name == "quantile" else None
            cut = self._cut(tree, self._local(tree.expr), FORMS[name], grouping)
            return Merged(cut, self._senders, phi)
        if name == "count_values":
            label = target_label(self, tree.param, name)
            counted = CountValues(label, self._local(tree.expr), names, by=by)
            return Merged(self._cut(tree, counted, SUMMED), self._senders)
        number = None if selectors_in(tree.param) else self.scalar(tree.param)
        if not isinstance(number, Number):
            # how many there are to be is known in the second stage only
            return self._aggregate(tree)
        entry = FIRM_CHOOSERS[name]
        chosen = Choice(entry, InOrder(self._local(tree.expr)), grouping, number)
        return Choice(entry, self._gather(tree, chosen), grouping, number)

    def _absent_apart(self, tree: Any) -> Node:
        self._below = True
        try:
            node = self._build(tree.args[0])
        finally:
            self._below = False
        selection = getattr(node, "selection", None)
        if isinstance(node, RangeNode):
            node = RangeCall(RANGE_FUNCTIONS["present_over_time"], node, ())
        assert isinstance(node, VectorNode), "the parser has checked the types"
        cut = self._cut(tree, node, FORMS["group"], keep_only(frozenset()))
        return Absent(Merged(cut, self._senders), selection.matchers if selection else ())
