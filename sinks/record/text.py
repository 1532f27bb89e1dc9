"""An incident as it is shown to people: blocks of rows, which a terminal may colour and a file may print.

All times are event times, except in the text of an attempt. Rows of `timeline` merge what the incident says with what
was said and done about it, in order of time.

It refuses to know a terminal.
"""

from collections.abc import Iterable
from typing import NamedTuple

from schemas.incidents import Incident
from schemas.notifications import Notification
from schemas.reasons import DeliveryReason
from schemas.records import rfc3339
from schemas.remediations import Remediation
from sinks.record.sqlite import IncidentHistory
from sinks.text import clean, labels_text, view_text


class Block(NamedTuple):
    """A titled table; every row has as many cells as `columns`."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def describe(history: IncidentHistory) -> list[Block]:
    """Blocks `incident`, `causes`, `alerts`, `timeline`; those without rows are left out."""
    incident = history.incident
    blocks = [
        Block("incident", ("what", "is"), _facts(incident)),
        Block(
            "causes",
            ("entity", "share", "evidence"),
            [
                (clean(c.entity), f"{c.share:.0%}", clean("; ".join(e.text for e in c.evidence)))
                for c in incident.causes
            ],
        ),
        Block(
            "alerts",
            ("state", "since", "alert", "labels", "view", "joined"),
            [
                (
                    a.alert.state.value,
                    rfc3339(a.first_at),
                    clean(a.alert.name),
                    labels_text(a.alert.labels),
                    view_text(a),
                    a.joined.value,
                )
                for a in incident.alerts
            ],
        ),
        Block("timeline", ("time", "what", "text"), _timeline(history)),
    ]
    return [b for b in blocks if b.rows]


def to_lines(blocks: Iterable[Block]) -> list[str]:
    """The blocks as plain text, columns aligned, without headings of columns."""
    lines: list[str] = []
    for block in blocks:
        widths = [max(map(len, column)) for column in zip(*block.rows, strict=True)]
        lines.append(block.title)
        for row in block.rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            lines.append(f"  {'  '.join(cells)}".rstrip())
    return lines


def _facts(incident: Incident) -> list[tuple[str, ...]]:
    facts = [
        ("id", incident.id),
        ("title", clean(incident.title)),
        ("tenant", clean(incident.tenant)),
        ("state", incident.state.value),
        ("severity", incident.severity.value),
        ("priority", incident.priority.value),
        ("group", labels_text(incident.group_labels)),
        ("opened", rfc3339(incident.opened_at)),
        ("updated", rfc3339(incident.updated_at)),
    ]
    if incident.resolved_at is not None:
        facts.append(("resolved", rfc3339(incident.resolved_at)))
    if incident.reopened:
        facts.append(("reopened", str(incident.reopened)))
    more = (
        ("owner", clean(incident.owner)),
        ("part of", incident.merged_into),
        ("held", "its page is held" if incident.held else ""),
        ("flapping", "its alerts come and go" if incident.flapping else ""),
    )
    facts += [fact for fact in more if fact[1]]
    if incident.historical:
        facts.append(("historical", "it was over before it could be told"))
    return [*facts]


def _timeline(history: IncidentHistory) -> list[tuple[str, ...]]:
    entries = [
        (e.time, e.change.value, f"{e.text} ({e.actor})" if e.actor != "tocsin" else e.text)
        for e in history.incident.timeline
    ]
    entries += [(n.time, "notification", _said(n)) for n in history.notifications]
    entries += [(r.time, "remediation", _done(r)) for r in history.remediations]
    # Python's sort is stable: what has one time stays in the order incident, said, done
    entries.sort(key=lambda e: e[0])
    return [(rfc3339(time), what, clean(text)) for time, what, text in entries]


def _said(item: Notification) -> str:
    to = f"{item.announce.value} to {item.receiver or 'nobody'}"
    if item.reason is DeliveryReason.DELIVERED:
        return f"{to}: delivered at {rfc3339(item.delivered_at)}, attempt {item.attempt}"
    tried = f", attempt {item.attempt}" if item.attempt else ""
    more = "" if item.final else ", will be tried again"
    return f"{to}: {item.reason.value}{tried}{more}{f' ({item.detail})' if item.detail else ''}"


def _done(item: Remediation) -> str:
    detail = f" ({item.detail})" if item.detail else ""
    return f"{item.playbook}: {item.state.value}, {item.reason.value}: {item.action}{detail}"
