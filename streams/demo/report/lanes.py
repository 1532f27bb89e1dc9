"""Lanes: the one time line, a lane for each tenant, with faults, alerts, incidents and acts below each other.

A span of an alert goes from its firing to its resolution, and begins with the time in which it was pending.
Spans are packed into the first row that is free. Faults never overlap within a tenant; incidents may.
Refuses to grow without end: rows and spans are capped, and what is left out is counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from schemas.alerts import Alert
from schemas.incidents import Incident
from schemas.reasons import AlertState
from streams.produce.shop.faults import Fault

MOST_SPANS = 1_200
ALERT_ROWS, INCIDENT_ROWS = 18, 6
BAR, THIN, SIGN, GAP = 24, 6, 18, 4
HEAD = 26

Key = tuple[str, str]
"""Tenant and fingerprint of an alert."""


@dataclass(frozen=True)
class Span:
    """One time of firing; `end_ms` is the end of the report for what still fires."""

    alert: Alert
    pending_ms: int
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Lane:
    """One tenant; each thing stands with its y in px, and `rows` are the y at which the kinds begin."""

    tenant: str
    y: int
    height: int
    rows: Mapping[str, int]
    faults: tuple[tuple[int, Fault], ...]
    spans: tuple[tuple[int, Span], ...]
    incidents: tuple[tuple[int, Incident], ...]


def alert_spans(alerts: Iterable[Alert], end_ms: int) -> list[Span]:
    """Times of firing, in order of time."""
    open_: dict[Key, Alert] = {}
    spans = []
    for alert in sorted({a.id: a for a in alerts}.values(), key=lambda a: (a.time, a.id)):
        key = (alert.tenant, alert.fingerprint)
        if alert.state is AlertState.FIRING:
            open_.setdefault(key, alert)
        elif alert.state is AlertState.RESOLVED and key in open_:
            spans.append(_span(open_.pop(key), alert.time))
    spans += [_span(alert, max(end_ms, alert.time)) for alert in open_.values()]
    return sorted(spans, key=lambda s: (s.pending_ms, s.alert.id))


def lanes(
    faults: Sequence[Fault], spans: Sequence[Span], incidents: Sequence[Incident], end_ms: int
) -> list[Lane]:
    """Lay out all tenants that have anything to show, by name."""
    tenants = {f.tenant for f in faults} | {i.tenant for i in incidents}
    tenants |= {s.alert.tenant for s in spans}
    found, y = [], 0
    for tenant in sorted(tenants):
        lane = _lane(
            tenant,
            y,
            [f for f in faults if f.tenant == tenant],
            [s for s in spans if s.alert.tenant == tenant][: MOST_SPANS // len(tenants)],
            [i for i in incidents if i.tenant == tenant],
            end_ms,
        )
        found.append(lane)
        y += lane.height
    return found


def _span(alert: Alert, end_ms: int) -> Span:
    return Span(alert, min(alert.active_at, alert.time), alert.time, end_ms)


def _lane(
    tenant: str,
    y: int,
    faults: Sequence[Fault],
    spans: Sequence[Span],
    incidents: Sequence[Incident],
    end_ms: int,
) -> Lane:
    fault_y = y + HEAD
    alert_y = fault_y + BAR + 2 * GAP
    alert_rows = pack([(s.pending_ms, s.end_ms) for s in spans], ALERT_ROWS)
    incident_y = alert_y + max((max(alert_rows, default=0) + 1) * (THIN + 2), 18) + 2 * GAP
    ends = [(i.opened_at, i.resolved_at or end_ms) for i in incidents]
    incident_rows = pack(ends, INCIDENT_ROWS)
    told_y = incident_y + (max(incident_rows, default=0) + 1) * (BAR + GAP)
    return Lane(
        tenant=tenant,
        y=y,
        height=told_y + 2 * SIGN + 2 * GAP - y,
        rows={
            "faults": fault_y,
            "alerts": alert_y,
            "incidents": incident_y,
            "announced": told_y,
            "repaired": told_y + SIGN,
        },
        faults=tuple((fault_y, f) for f in faults),
        spans=tuple(
            (alert_y + row * (THIN + 2), s) for row, s in zip(alert_rows, spans, strict=True)
        ),
        incidents=tuple(
            (incident_y + row * (BAR + GAP), i)
            for row, i in zip(incident_rows, incidents, strict=True)
        ),
    )


def pack(ends: Sequence[tuple[int, int]], most: int) -> list[int]:
    """The row of each span, the first that is free; with none free, the one that is free first."""
    free_at: list[int] = []
    rows = []
    for start, end in ends:
        row = next((r for r, free in enumerate(free_at) if free <= start), len(free_at))
        if row == most:
            row = free_at.index(min(free_at))
            free_at[row] = max(free_at[row], end)
        elif row == len(free_at):
            free_at.append(end)
        else:
            free_at[row] = end
        rows.append(row)
    return rows
