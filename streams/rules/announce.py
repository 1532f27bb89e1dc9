"""Announcer: what one rule says about an alert, its labels, annotations, view and identity.

Labels and annotations are templates over the labels and the value of the result. Hidden from them, and kept in
every identity, is the tenant.
Refuses nothing: a template that fails becomes text that says so, as in Prometheus.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from schemas.alerts import Alert, transition_id
from schemas.labels import ALERTNAME, METRIC, TENANT, Labels, content_id, get_label, make_labels
from schemas.labels import without as without_labels
from schemas.reasons import AlertReason, AlertState
from streams.rules.explain import Insight, sentence
from streams.rules.rule import Rule
from streams.rules.template import DETECT_VARIABLES, NOW, PLAIN_VARIABLES, Scope, Template

DEFAULT_TENANT = "default"
FACTS = ("value", "score", "expected", "low", "high", "samples", "view")
"""What is known of a result, in this order everywhere; all but the value are NaN for plain rules.

`samples` is how many the detector had learnt of the series before it, `view` the number of the view that spoke."""


class Standing(NamedTuple):
    """An alert that is pending or firing.

    Attributes:
        labels: its own, the tenant among them.
        given: the labels of the result that it was made of.
        facts: what is known of that result, in the order of `FACTS`.
        active_at: event time since which its condition holds, ms.
        heard_at: event time of that result, ms.

    """

    labels: Labels
    given: Labels
    facts: list[float]
    state: AlertState
    active_at: int
    heard_at: int


class Announcer:
    """Texts and identities of one rule's alerts.

    Attributes:
        depends_on_value: whether the labels do, not only on the labels of the result.

    """

    def __init__(
        self,
        rule: Rule,
        *,
        occurrence: int,
        source: int,
        external_labels: Mapping[str, str],
        external_url: str = "",
    ) -> None:
        """`occurrence` tells rules apart that have the same id, 0 for the first."""
        variables = DETECT_VARIABLES if rule.detect else PLAIN_VARIABLES
        name = f"__alert_{rule.name}"  # as Prometheus names it in its messages
        self._labels = {k: Template(text, variables, name=name) for k, text in rule.labels.items()}
        self._annotations = {
            k: Template(text, variables, name=name) for k, text in rule.annotations.items()
        }
        self._rule = rule
        self._occurrence = occurrence
        self._source = source
        self._external = dict(external_labels)
        self._external_url = external_url
        self._expr = " ".join(rule.expr.split())
        uses = frozenset[str]().union(*(t.uses for t in self._labels.values()))
        self.depends_on_value = bool(uses & {f"${fact}" for fact in FACTS})

    def labels(self, given: Labels, facts: Sequence[float]) -> Labels:
        """Label set of the alert for a result's label set, the tenant included."""
        pairs = dict(without_labels(given, METRIC))
        if self._labels:
            scope = self._scope(given, facts)
            pairs |= {name: template.expand(scope) for name, template in self._labels.items()}
        pairs[ALERTNAME] = self._rule.name
        return make_labels(pairs)

    def alert(
        self,
        labels: Labels,
        given: Labels,
        facts: Sequence[float],
        *,
        state: AlertState,
        reason: AlertReason,
        time: int,
        active_at: int,
        urgent: bool,
        window: tuple[int, int] | None = None,
        watermark: int | None = None,
        insight: Insight | None = None,
        values: tuple[float | None, ...] = (),
    ) -> Alert:
        """The record of one transition of the alert with these labels, made of a result with the labels `given`.

        `window` and `watermark`: what the expression looked at, and up to when all samples were in, ms. `insight` is
        what a detector knows beside the facts, `values` what the rule looked at in its last evaluations.
        """
        tenant = get_label(labels, TENANT) or DEFAULT_TENANT
        shown = without_labels(labels, TENANT)
        identity = self.fingerprint(labels)
        value, score, expected, low, high = map(_finite, facts[:5])
        return Alert(
            id=transition_id(identity, state, time),
            tenant=tenant,
            rule=self._rule.id,
            fingerprint=identity,
            state=state,
            reason=reason,
            time=time,
            active_at=active_at,
            labels=dict(shown),
            annotations=self._explained(self.annotations(given, facts, time), facts, insight),
            value=value,
            score=score,
            expected=expected,
            low=low,
            high=high,
            view=self._view(state, reason, facts, insight),
            urgent=urgent,
            source=self._source,
            window=window,
            watermark=watermark,
            values=values,
            values_step_ms=self._rule.interval_ms if values else 0,
        )

    def ending(self, reason: AlertReason) -> str:
        """Why an alert is over, in words."""
        return f"{_ENDINGS[reason]}: {self._expr}"

    def annotations(self, given: Labels, facts: Sequence[float], time: int) -> dict[str, str]:
        """Annotations for a result with the labels `given`, as of an event time in ms."""
        scope = self._scope(given, facts) | {NOW: time / 1000}
        return {name: template.expand(scope) for name, template in self._annotations.items()}

    def fingerprint(self, labels: Labels) -> str:
        """Identity over its transitions of the alert with these labels, the tenant among them."""
        tenant = get_label(labels, TENANT) or DEFAULT_TENANT
        parts = [part for pair in without_labels(labels, TENANT) for part in pair]
        return content_id(tenant, self._rule.id, self._occurrence, *parts)

    def _scope(self, given: Labels, facts: Sequence[float]) -> Scope:
        return {
            "$labels": dict(without_labels(given, TENANT)),
            "$externalLabels": self._external,
            "$externalURL": self._external_url,
            **{f"${name}": fact for name, fact in zip(FACTS, facts, strict=True)},
        }

    def _explained(
        self, told: dict[str, str], facts: Sequence[float], insight: Insight | None
    ) -> dict[str, str]:
        """Annotations, and those that a detector adds where the rule has none of that name."""
        if insight is None or math.isnan(facts[1]):
            return told
        said = {"explanation": sentence(facts, self._rule.interval_ms, insight)}
        if insight.blame:
            said["blame"] = insight.blame
        return said | told

    def _view(
        self,
        state: AlertState,
        reason: AlertReason,
        facts: Sequence[float],
        insight: Insight | None,
    ) -> str:
        value, score = facts[:2]
        if state is AlertState.RESOLVED:
            return self.ending(reason)
        if math.isnan(score):
            return f"The value is {value:.4g}: {self._expr}"
        return f"{sentence(facts, self._rule.interval_ms, insight or Insight())}: {self._expr}"


_ENDINGS = {
    AlertReason.CONDITION_FALSE: "No longer true",
    AlertReason.SERIES_GONE: "The series has gone silent",
    AlertReason.RULE_REMOVED: "The rule was removed or changed",
    AlertReason.RULE_FAILED: "The rule has more alerts than its limit",
    AlertReason.AMENDED: "No longer true, late samples say",
    AlertReason.WITHDRAWN: "Late samples say that it never was true",
}


def _finite(fact: float) -> float | None:
    return fact if math.isfinite(fact) else None
