"""Absence: why an alert did not fire, from the samples that its rule would have seen.

The expression is evaluated at the last multiple of the group's interval before the time asked about, and where its
condition holds, at those before, to see since when. Of a comparison both sides are evaluated, so that value and
threshold can be named. Refuses to judge a rule with a detector, whose answer hangs on all that it has learnt: a
backtest does that.
"""

from collections.abc import Iterator, Sequence

import msgspec

from schemas.config.section import format_duration
from schemas.labels import ALERTNAME, METRIC, TENANT, Labels, Matcher, MatchOp, make_labels, without
from schemas.reasons import AbsenceReason
from schemas.records import rfc3339
from streams.rules.answer import Sample, answer
from streams.rules.compile import SUBQUERY_STEP_MS
from streams.rules.plan import compile_expression
from streams.rules.rule import Kind, Rule, RuleGroup
from streams.rules.sides import condition_of, sides_of
from streams.rules.vector import show_labels
from streams.windows.series import SeriesStore

STEPS_MAX = 2_000
"""So many evaluations are looked back over for the begin of a condition."""
NEAREST = 3


class Absence(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule says of one series, or of none.

    Attributes:
        rule: `group/alertname`; empty where no rule has that name.
        where: `FILE:LINE` of the rule.
        evaluated_at: event time of the evaluation, ms.
        value, threshold: the two sides of the comparison; None where they are no single number.
        since: since when the condition holds, event time ms; None while it does not.
        nearest: label sets of the metrics of the rule that come closest to what was asked for.

    """

    reason: AbsenceReason
    text: str
    rule: str = ""
    where: str = ""
    evaluated_at: int = 0
    labels: dict[str, str] = {}
    value: float | None = None
    threshold: float | None = None
    since: int | None = None
    nearest: tuple[str, ...] = ()


def explain_absence(
    store: SeriesStore, groups: Sequence[RuleGroup], wanted: Sequence[Matcher], at_ms: int
) -> list[Absence]:
    """What each rule whose alerts could have these labels says at an event time.

    Raises:
        RuleError: an expression cannot be evaluated over these series.

    """
    rules = [r for g in groups for r in g.rules if r.kind is Kind.ALERT and _may_have(r, wanted)]
    if not rules:
        names = sorted({r.name for g in groups for r in g.rules if r.kind is Kind.ALERT})
        text = f"no rule makes an alert with these labels; there are {', '.join(names) or 'none'}"
        return [Absence(reason=AbsenceReason.NO_RULE, text=text)]
    return [found for rule in rules for found in _Judge(store, rule, wanted, at_ms).judge()]


def _may_have(rule: Rule, wanted: Sequence[Matcher]) -> bool:
    fixed = {n: v for n, v in rule.labels.items() if "{{" not in v} | {ALERTNAME: rule.name}
    return all(m.matches_value(fixed[m.name]) for m in wanted if m.name in fixed)


class _Judge:
    def __init__(
        self, store: SeriesStore, rule: Rule, wanted: Sequence[Matcher], at_ms: int
    ) -> None:
        self._store = store
        self._rule = rule
        self._at_ms = at_ms // rule.interval_ms * rule.interval_ms
        self._wanted = [m for m in wanted if m.name not in rule.labels and m.name != ALERTNAME]
        self._left, self._right = sides_of(rule.expr)

    def judge(self) -> Iterator[Absence]:
        left = self._select(self._left, self._at_ms)
        if not left:
            yield self._unseen()
            return
        if self._rule.detect is not None:
            for sample in left:
                text = f"{self._rule.detect.detector} judges this value; `tocsin backtest` asks it"
                yield self._say(AbsenceReason.DETECTOR_DECIDES, text, sample)
            return
        holding = {_bare(s.labels) for s in self._select(self._rule.expr, self._at_ms)}
        threshold = self._threshold()
        for sample in left:
            if _bare(sample.labels) in holding:
                yield self._holding(sample, threshold)
            else:
                against = (
                    ""
                    if threshold is None
                    else f", the condition is {condition_of(self._rule.expr)}"
                )
                text = f"the value is {_shown(sample)}{against}"
                yield self._say(AbsenceReason.CONDITION_FALSE, text, sample, threshold)

    def _holding(self, sample: Sample, threshold: float | None) -> Absence:
        rule, since = self._rule, self._since(_bare(sample.labels))
        held, needed = format_duration(self._at_ms - since), format_duration(rule.for_ms)
        if self._at_ms - since < rule.for_ms:
            text = f"pending: the condition holds for {held}, {needed} are needed"
            return self._say(AbsenceReason.STILL_PENDING, text, sample, threshold, since)
        text = f"it fires: the condition holds since {rfc3339(since)}"
        return self._say(AbsenceReason.FIRES, text, sample, threshold, since)

    def _since(self, labels: Labels) -> int:
        since = self._at_ms
        for step in range(1, STEPS_MAX):
            at = self._at_ms - step * self._rule.interval_ms
            if at < 0 or labels not in {_bare(s.labels) for s in self._select(self._rule.expr, at)}:
                break
            since = at
        return since

    def _select(self, expression: str, at_ms: int) -> list[Sample]:
        """Elements of a result whose labels are those that were asked for."""
        found = answer(self._store, expression, at_ms - self._rule.query_offset_ms)
        return [s for s in found if all(m.matches(_named(s.labels)) for m in self._wanted)]

    def _threshold(self) -> float | None:
        if not self._right:
            return None
        found = answer(self._store, self._right, self._at_ms)
        values = {s.value for s in found if isinstance(s.value, float)}
        return values.pop() if len(values) == 1 else None

    def _unseen(self) -> Absence:
        plan = compile_expression(self._rule.expr, subquery_step_ms=SUBQUERY_STEP_MS, whole=True)
        metrics = {selection.metric for selection in plan.selectors} - {""}
        known = [self._store.labels(row) for row in range(len(self._store))]
        near = [labels for labels in known if dict(labels).get(METRIC) in metrics]
        equal = [m for m in self._wanted if m.op is MatchOp.EQUAL]
        near.sort(key=lambda labels: (-sum(m.matches(_named(labels)) for m in equal), labels))
        shown = tuple(show_labels(without(labels, TENANT)) for labels in near[:NEAREST])
        what = ", ".join(sorted(metrics)) or self._left
        text = f"no series of {what} has these labels at that time"
        if shown:
            text += f"; the nearest of {len(near)}: {'; '.join(shown)}"
        return self._say(AbsenceReason.NO_SERIES, text, nearest=shown)

    def _say(
        self,
        reason: AbsenceReason,
        text: str,
        sample: Sample | None = None,
        threshold: float | None = None,
        since: int | None = None,
        nearest: tuple[str, ...] = (),
    ) -> Absence:
        value = None if sample is None else sample.value
        return Absence(
            reason=reason,
            text=text,
            rule=self._rule.id,
            where=f"{self._rule.file}:{self._rule.line}",
            evaluated_at=self._at_ms,
            labels={} if sample is None else dict(_bare(sample.labels)),
            value=value if isinstance(value, float) else None,
            threshold=threshold,
            since=since,
            nearest=nearest,
        )


def _bare(labels: Labels) -> Labels:
    return without(labels, METRIC, TENANT)


def _named(labels: Labels) -> Labels:
    """With the tenant under the name that people use."""
    return make_labels({**dict(labels), "tenant": dict(labels).get(TENANT, "")})


def _shown(sample: Sample) -> str:
    return f"{sample.value:.6g}" if isinstance(sample.value, float) else str(sample.value)
