"""Failing rules: a rule that could not be evaluated is an alert of its own, `RuleFailed`, with the rule and the error.

It fires at the first failure and resolves when the rule has not failed for `QUIET_MS`; the rule itself is tried again
each time, the others go on. What fails belongs to nobody's telemetry, so the alert is the default tenant's.
"""

from collections.abc import Sequence
from typing import Any

from schemas.alerts import Alert, transition_id
from schemas.labels import ALERTNAME, content_id
from schemas.reasons import AlertReason, AlertState
from streams.rules.announce import DEFAULT_TENANT
from streams.rules.engine import Failure

RULE = "tocsin/RuleFailed"
QUIET_MS = 300_000
MOST = 1000
"""Rules that fail at a time, of which more are not told one by one."""


class Failing:
    """The rules of one detect partition that fail."""

    def __init__(self, source: int) -> None:
        self._source = source
        self._since: dict[str, tuple[int, int, str]] = {}

    def fail(self, failures: Sequence[Failure]) -> list[Alert]:
        """Take in failures; an alert for each rule that did not fail before."""
        alerts = []
        for rule, message, time in failures:
            since, last, text = self._since.get(rule, (time, time, message))
            if rule not in self._since:
                if len(self._since) == MOST:
                    continue
                alerts.append(self._alert(rule, text, AlertState.FIRING, time, since))
            self._since[rule] = (since, max(last, time), text)
        return alerts

    def recover(self, t_ms: int) -> list[Alert]:
        """An alert's end for each rule that has not failed for a while, as of this time."""
        quiet = sorted(r for r, (_, last, _) in self._since.items() if last <= t_ms - QUIET_MS)
        ended = []
        for rule in quiet:
            since, _, text = self._since.pop(rule)
            ended.append(self._alert(rule, text, AlertState.RESOLVED, t_ms, since))
        return ended

    def _alert(self, rule: str, message: str, state: AlertState, time: int, since: int) -> Alert:
        labels = {ALERTNAME: "RuleFailed", "rule": rule, "partition": str(self._source)}
        fingerprint = content_id(DEFAULT_TENANT, RULE, rule, self._source)
        fires = state is AlertState.FIRING
        return Alert(
            id=transition_id(fingerprint, state, time),
            tenant=DEFAULT_TENANT,
            rule=RULE,
            fingerprint=fingerprint,
            state=state,
            reason=AlertReason.RULE_FAILED if fires else AlertReason.CONDITION_FALSE,
            time=time,
            active_at=since,
            labels=labels | {"severity": "warning"},
            annotations={"summary": f"Rule {rule} cannot be evaluated", "description": message},
            view=f"{rule} {'failed' if fires else 'has not failed for a while'}: {message}",
            source=self._source,
        )

    def snapshot(self) -> list[list[Any]]:
        """What `restore` takes."""
        return [[rule, *known] for rule, known in self._since.items()]

    def restore(self, known: Sequence[Sequence[Any]]) -> None:
        """Continue from a snapshot."""
        self._since = {rule: (since, last, text) for rule, since, last, text in known}
