"""Why: what led from the rules to the pages of an incident, gate by gate, as blocks of rows.

Decisions are those of all revisions, each once: the last record holds the latest ones only. Where a decision names a
key of the configuration, whoever asks may know the file and line.

It refuses to know a configuration: rules and lines are handed in.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from schemas.alerts import Alert
from schemas.decisions import Decision
from schemas.incidents import IncidentAlert
from schemas.labels import Matcher, make_labels
from schemas.records import rfc3339
from sinks.record.sqlite import IncidentHistory
from sinks.record.text import Block
from sinks.text import clean, labels_text, view_text


class RuleText(NamedTuple):
    """A rule as it stands in its file: `FILE:LINE`, its expression, and for how long it must hold."""

    where: str
    expr: str
    held: str


Locate = Callable[[str], str]
"""`FILE:LINE` of what a decision names, or the name itself."""


def fits(alert: Alert, wanted: Sequence[Matcher]) -> bool:
    """Whether an alert has the labels that are asked for; `tenant` and `severity` are labels here too."""
    labels = make_labels({**alert.labels, "tenant": alert.tenant, "severity": alert.severity.value})
    return all(matcher.matches(labels) for matcher in wanted)


def decisions_of(history: IncidentHistory) -> list[Decision]:
    """What the gates did, over all revisions and notices, each once, in order of event time."""
    records = [*history.revisions, history.incident, *history.notices]
    found = dict.fromkeys(d for record in records for d in record.decisions)
    return sorted(found, key=lambda d: d.time)


def explain(
    history: IncidentHistory,
    rules: Mapping[str, RuleText],
    locate: Locate = lambda by: by,
    wanted: Sequence[Matcher] = (),
) -> list[Block]:
    """Blocks `incident`, `alerts`, `decisions`, `notices`, `notifications`; of alerts those that are wanted."""
    incident = history.incident
    alerts = [item for item in incident.alerts if fits(item.alert, wanted)]
    shown = {item.alert.fingerprint for item in alerts}
    decisions = [d for d in decisions_of(history) if not d.alert or d.alert in shown]
    blocks = [
        Block(
            "incident",
            ("what", "is"),
            [
                ("id", incident.id),
                ("title", clean(incident.title)),
                ("state", incident.state.value),
                ("priority", incident.priority.value),
                ("group", clean(incident.group_key)),
            ],
        ),
        Block(
            "alerts",
            ("alert", "labels", "why it fired", "rule", "why it is here"),
            [_alert_row(item, rules) for item in alerts],
        ),
        Block(
            "decisions",
            ("time", "gate", "did", "why", "by"),
            [
                (
                    rfc3339(d.time),
                    d.gate.value,
                    "passed" if d.passed else "stopped",
                    clean(f"{d.reason}: {d.text}" if d.text else d.reason),
                    clean(locate(d.by)) if d.by else "",
                )
                for d in decisions
            ],
        ),
        Block(
            "notices",
            ("time", "receiver", "told", "by"),
            [
                (
                    rfc3339(n.updated_at),
                    clean(n.receiver),
                    "no" if n.announce is None else n.announce.value,
                    clean(locate(n.route)),
                )
                for n in history.notices
            ],
        ),
        Block(
            "notifications",
            ("time", "receiver", "outcome", "why", "detail"),
            [
                (
                    rfc3339(n.time),
                    clean(n.receiver or "nobody"),
                    n.reason.value,
                    n.announce.value,
                    clean(n.detail),
                )
                for n in history.notifications
            ],
        ),
    ]
    return [block for block in blocks if block.rows]


def _looked_at(alert: Alert) -> str:
    """The window of the last transition, and how complete its samples were."""
    said = []
    if alert.window is not None:
        said.append("looked at samples from {} to {}".format(*map(rfc3339, alert.window)))
    if alert.watermark is not None:
        said.append(f"watermark {rfc3339(alert.watermark)}")
    elif alert.urgent:
        said.append("on arrival, before the watermark")
    if alert.late is not None:
        late = alert.late
        what = "sample" if late.samples == 1 else "samples"
        said.append(f"{late.samples} of the {what} came late, by up to {late.most_ms / 1000:g} s")
    elif alert.window is not None:
        said.append("no late samples")
    if alert.amends:
        said.append(f"takes back {', '.join(alert.amends)}")
    return ", ".join(said)


def _fired(item: IncidentAlert) -> str:
    """When it fired, this time and the first."""
    alert, first = item.alert, f"fired at {rfc3339(item.first_at)}"
    if item.first_at >= alert.active_at:
        return first
    again = f"fired at {rfc3339(alert.time)}, " if item.firing else ""
    return f"{again}first {first}"


def _alert_row(item: IncidentAlert, rules: Mapping[str, RuleText]) -> tuple[str, ...]:
    alert = item.alert
    parts = [view_text(item), f"condition true since {rfc3339(alert.active_at)}"]
    rule = rules.get(alert.rule)
    if rule is not None and rule.held:
        parts.append(f"held for {rule.held}")
    parts.append(_fired(item))
    parts.append(_looked_at(alert))
    if item.resolved_at is not None:
        parts.append(f"resolved at {rfc3339(item.resolved_at)} ({alert.reason.value})")
    stands = alert.rule if rule is None else f"{rule.where}: {rule.expr}"
    return (
        clean(alert.name),
        labels_text(alert.labels),
        clean("; ".join(p for p in parts if p)),
        clean(stands),
        item.joined.value,
    )
