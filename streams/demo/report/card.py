"""Cards: what is told of one incident, or of one fault that was missed, with the charts that belong to it.

Incidents are numbered from 1 in order of opening; the number is the same on the line, in the graph and on the card.
Refuses to tell more than a reader takes in: alerts, entries and charts are capped, and what is left out is counted.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.alerts import Alert
from schemas.incidents import Incident, IncidentAlert, TimelineEntry
from schemas.reasons import RemediationState
from schemas.remediations import Remediation
from streams.demo.report.change import change
from streams.demo.report.contents import Chart, ReportData
from streams.demo.report.lanes import Span
from streams.demo.report.plot import Plot, plot
from streams.demo.verdict import Finding
from streams.produce.shop.faults import Fault

MOST_CARDS = 40
MOST_ALERTS, MOST_ENTRIES = 40, 40
MOST_CHARTS, MOST_CHARTS_IN_ALL = 6, 72
BEFORE_MS, AFTER_MS = 6 * 60_000, 4 * 60_000
"""Charts show this much before the trouble and after it, to tell what is usual."""


@dataclass(frozen=True)
class Drawing:
    """A chart on a card; `key` is its identity on the page."""

    key: str
    plot: Plot
    faults: tuple[Fault, ...]
    cause: bool


@dataclass(frozen=True)
class Card:
    """All about one incident.

    Attributes:
        finding: the planted fault that it belongs to, None for a false one.
        cause: the entity named first, empty when none was.
        entities: who has an alert in it, the cause first.
        unshown_*: how many were left out.

    """

    number: int
    incident: Incident
    finding: Finding | None
    cause: str
    entities: tuple[str, ...]
    alerts: tuple[IncidentAlert, ...]
    timeline: tuple[TimelineEntry, ...]
    remediations: tuple[Remediation, ...]
    drawings: tuple[Drawing, ...]
    unshown_alerts: int
    unshown_entries: int
    unshown_charts: int


@dataclass(frozen=True)
class Missed:
    """A planted fault that became no incident, and what its telemetry looked like."""

    finding: Finding
    drawings: tuple[Drawing, ...]


def entity(alert: Alert) -> str:
    """Who an alert is about: its service, its host where it has none."""
    return alert.labels.get("service") or alert.labels.get("host") or alert.name


def cards(data: ReportData) -> list[Card]:
    """A card for each incident, in order of opening, `MOST_CARDS` at most."""
    ordered = sorted({i.id: i for i in data.incidents}.values(), key=lambda i: (i.opened_at, i.id))
    findings = {i.id: f for f in data.verdict.findings for i in f.incidents}
    shown = ordered[:MOST_CARDS]
    most = min(MOST_CHARTS, MOST_CHARTS_IN_ALL // max(len(shown), 1))
    return [
        _card(number, incident, findings.get(incident.id), data, most)
        for number, incident in enumerate(shown, start=1)
    ]


def missed(data: ReportData) -> list[Missed]:
    """The planted faults without an incident."""
    return [
        _missed(place, finding, data)
        for place, finding in enumerate(data.verdict.findings)
        if not finding.incidents
    ]


def owners(spans: Sequence[Span], shown: Sequence[Card]) -> dict[str, Card]:
    """The card that each span of an alert belongs to, by the id of the alert's firing."""
    holding: dict[tuple[str, str], list[Card]] = {}
    for card in shown:
        for held in card.incident.alerts:
            key = (card.incident.tenant, held.alert.fingerprint)
            holding.setdefault(key, []).append(card)
    found = {}
    for span in spans:
        for card in holding.get((span.alert.tenant, span.alert.fingerprint), ()):
            end_ms = card.incident.resolved_at or span.start_ms
            if _begin(card.incident) <= span.start_ms <= end_ms:
                found[span.alert.id] = card
    return found


def latest(remediations: Sequence[Remediation]) -> list[Remediation]:
    """The result of each remediation, its intent where there is no result, in order of time."""
    last: dict[str, Remediation] = {}
    for one in remediations:
        known = last.get(one.id)
        if known is None or known.state is RemediationState.INTENDED:
            last[one.id] = one
    return sorted(last.values(), key=lambda r: (r.time, r.id))


def _card(
    number: int, incident: Incident, finding: Finding | None, data: ReportData, most: int
) -> Card:
    cause = incident.causes[0].entity if incident.causes else ""
    by_alerts = Counter(entity(a.alert) for a in incident.alerts)
    others = sorted(by_alerts, key=lambda name: (-by_alerts[name], name))
    entities = tuple(dict.fromkeys([*([cause] if cause else []), *others]))
    span = (_begin(incident), incident.resolved_at or data.end_ms)
    charts = _charts(data, incident.tenant, entities, span)
    return Card(
        number=number,
        incident=incident,
        finding=finding,
        cause=cause,
        entities=entities,
        alerts=incident.alerts[:MOST_ALERTS],
        timeline=incident.timeline[:MOST_ENTRIES],
        remediations=tuple(latest([r for r in data.remediations if r.incident == incident.id])),
        drawings=_drawings(f"chart-{number}", charts[:most], data, span, cause),
        unshown_alerts=max(len(incident.alerts) - MOST_ALERTS, 0),
        unshown_entries=max(len(incident.timeline) - MOST_ENTRIES, 0),
        unshown_charts=max(len(charts) - most, 0),
    )


def _missed(place: int, finding: Finding, data: ReportData) -> Missed:
    fault = finding.fault
    span = (fault.start_ms, fault.end_ms)
    charts = _charts(data, fault.tenant, (fault.cause, *fault.affected), span)[:MOST_CHARTS]
    return Missed(finding, _drawings(f"missed-{place}", charts, data, span, fault.cause))


def _begin(incident: Incident) -> int:
    """When its first alert fired, which may be before it was opened."""
    return min([incident.opened_at, *(a.first_at for a in incident.alerts)])


def _charts(
    data: ReportData, tenant: str, entities: Sequence[str], span: tuple[int, int]
) -> list[Chart]:
    """Charts of these entities: two of the first, one of each other, and so on; what moved most first."""
    place = {name: at for at, name in enumerate(dict.fromkeys(entities))}
    mine = [c for c in data.charts if c.tenant == tenant and c.service in place]
    moved = [change(chart, *span, BEFORE_MS) for chart in mine]
    by_change = sorted(range(len(mine)), key=lambda row: (-moved[row], row))
    turn: Counter[str] = Counter()
    ranked = []
    for row in by_change:
        service = mine[row].service
        rounds = turn[service] // 2 if place[service] == 0 else turn[service]
        ranked.append(((rounds, place[service], turn[service]), row))
        turn[service] += 1
    return [mine[row] for _, row in sorted(ranked)]


def _drawings(
    prefix: str, charts: Sequence[Chart], data: ReportData, span: tuple[int, int], cause: str
) -> tuple[Drawing, ...]:
    from_ms = max(span[0] - BEFORE_MS, data.start_ms)
    to_ms = max(min(span[1] + AFTER_MS, data.end_ms), from_ms + 1)
    faults = [f.fault for f in data.verdict.findings]
    return tuple(
        Drawing(
            key=f"{prefix}-{place}",
            plot=plot(chart, from_ms, to_ms),
            faults=tuple(
                f
                for f in faults
                if f.tenant == chart.tenant and f.start_ms < to_ms and f.end_ms > from_ms
            ),
            cause=chart.service == cause,
        )
        for place, chart in enumerate(charts)
    )
