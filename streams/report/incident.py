"""The report on one incident: summary, impact, cause with evidence, charts, time line, what was tried, follow-ups.

All of it is from the history; follow-ups are what the records themselves show to be wanting. It refuses to guess at
what people know better: it writes no prose about why.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import chain

from schemas.config.section import format_duration
from schemas.incidents import Incident, IncidentAlert
from schemas.reasons import DeliveryReason, IncidentChange, RemediationState
from schemas.records import rfc3339
from sinks.record import IncidentHistory, describe
from sinks.record.why import decisions_of
from streams.report.figures import Times, times_of
from streams.report.paper import Items, Paper, Picture, Section, Table, Text

SURE_SHARE = 0.5
"""A cause with a smaller share of the evidence than all others together is not certain."""


def report_on(history: IncidentHistory, pictures: Sequence[Picture] = ()) -> Paper:
    """The report on an incident, with charts where somebody has the series."""
    incident = history.incident
    times = times_of(incident)
    blocks = {block.title: block for block in describe(history)}
    timeline = blocks["timeline"]
    sections = (
        Section("Summary", (Text(_summary(incident, times)), _facts(incident, times))),
        Section("Impact", _impact(history)),
        Section("Cause", _causes(incident)),
        Section("Series", tuple(pictures)),
        Section("Time line", (Table(timeline.columns, tuple(timeline.rows)),)),
        Section("What was told, and what was not", _decisions(history)),
        Section("What was tried", _tried(history)),
        Section("Follow-ups", (Items(tuple(follow_ups(history)), to_do=True),)),
    )
    return Paper(f"Incident {incident.id}: {incident.title}", sections)


def _summary(incident: Incident, times: Times) -> str:
    begin = rfc3339(times.began_at)
    if incident.resolved_at is None:
        return f"{incident.title}. Since {begin}, {incident.state.value}."
    span = format_duration(incident.resolved_at - times.began_at)
    return f"{incident.title}. From {begin} to {rfc3339(incident.resolved_at)}, {span}."


def _facts(incident: Incident, times: Times) -> Table:
    spans = (
        ("first told after", times.detect_ms),
        ("acknowledged after being told", times.acknowledge_ms),
        ("resolved after", times.resolve_ms),
    )
    rows = [
        ("priority", incident.priority.value),
        ("severity", incident.severity.value),
        ("tenant", incident.tenant),
        ("owner", incident.owner or "nobody"),
        *((what, "-" if ms is None else format_duration(ms)) for what, ms in spans),
        ("reopened", _count(incident.reopened, "time")),
    ]
    return Table(("what", "is"), tuple(rows))


def _impact(history: IncidentHistory) -> tuple[Table | Text, ...]:
    incident = history.incident
    pages = sum(n.reason is DeliveryReason.DELIVERED for n in history.notifications)
    by_rule = Counter((a.alert.rule, a.alert.severity.value) for a in incident.alerts)
    entities = sorted({name for a in incident.alerts if (name := a.alert.labels.get("service"))})
    where = f" of {', '.join(entities)}" if entities else ""
    more = f", and {incident.omitted} for which there was no room" if incident.omitted else ""
    text = f"{_count(len(incident.alerts), 'alert')}{where}{more}; {_count(pages, 'message')} delivered."
    rows = tuple((rule, severity, str(n)) for (rule, severity), n in by_rule.most_common())
    return Text(text), Table(("rule", "severity", "alerts"), rows)


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _causes(incident: Incident) -> tuple[Table, ...]:
    rows = tuple(
        (cause.entity, f"{cause.share:.0%}", "; ".join(e.text for e in cause.evidence))
        for cause in incident.causes
    )
    return (Table(("likely cause", "share", "evidence"), rows),) if rows else ()


def _decisions(history: IncidentHistory) -> tuple[Table, ...]:
    rows = tuple(
        (
            rfc3339(d.time),
            d.gate.value,
            "passed" if d.passed else "stopped",
            f"{d.reason}: {d.text}",
            d.by,
        )
        for d in decisions_of(history)
    )
    return (Table(("time", "gate", "did", "why", "by"), rows),) if rows else ()


def _tried(history: IncidentHistory) -> tuple[Table | Items, ...]:
    notes = tuple(
        f"{rfc3339(entry.time)}, {entry.actor}: {entry.text}"
        for entry in history.incident.timeline
        if entry.change is IncidentChange.NOTED
    )
    done = tuple(
        (rfc3339(r.time), r.playbook, r.state.value, r.reason.value, r.action)
        for r in history.remediations
    )
    heads = ("time", "playbook", "state", "reason", "action")
    return (*((Table(heads, done),) if done else ()), *((Items(notes),) if notes else ()))


def follow_ups(history: IncidentHistory) -> list[str]:
    """What the records show to be wanting, each as something to do."""
    incident = history.incident
    found = chain(
        _about_people(incident),
        _about_rules(incident.alerts),
        (
            f"See why {r} could not be told: {_count(n, 'attempt')} failed"
            for r, n in _failures(history).items()
        ),
        (
            f"See why playbook {r.playbook} failed"
            for r in history.remediations
            if r.state is RemediationState.FAILED
        ),
    )
    return list(dict.fromkeys(found)) or ["Nothing in the records asks for anything."]


def _about_people(incident: Incident) -> list[str]:
    found = []
    if not incident.owner:
        found.append("Nobody acknowledged it: ask whether it had to be told at all")
    if incident.causes and incident.causes[0].share < SURE_SHARE:
        found.append("The cause is not certain: write down what it was")
    if incident.reopened:
        found.append("It came back: see whether it was resolved too early")
    if incident.omitted:
        found.append("It was too large: raise correlate.max_alerts, or group it more finely")
    return found


def _about_rules(alerts: Sequence[IncidentAlert]) -> list[str]:
    return [
        f"Write a runbook for rule {item.alert.rule}, and name it as runbook_url"
        for item in alerts
        if "runbook_url" not in item.alert.annotations
    ]


def _failures(history: IncidentHistory) -> Counter[str]:
    fine = (
        DeliveryReason.DELIVERED,
        DeliveryReason.DUPLICATE,
        DeliveryReason.HISTORICAL,
        DeliveryReason.NEVER_ANNOUNCED,
        DeliveryReason.RESOLVE_NOT_WANTED,
    )
    return Counter(n.receiver or "anybody" for n in history.notifications if n.reason not in fine)
