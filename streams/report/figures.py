"""Figures of a while: how fast incidents were told, taken over and resolved, who was paged when, which rules are noise.

* time to detect: from the first condition that became true to the first announcement;
* time to acknowledge: from the first announcement to the first acknowledgement;
* time to resolve: from the first condition to the end. The means are over the incidents that have both ends.
* a page: a delivered message about something that fires; at night: from 22:00 to 06:00 in the zone that is asked for.
* noise: of the incidents with an alert of the rule, the share that nobody acknowledged and that ended by itself.

All times are event times, ms. It refuses to look anything up: incidents and notifications are handed in.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from statistics import fmean

import msgspec

from schemas.incidents import Incident
from schemas.notifications import Notification
from schemas.reasons import AnnounceReason, DeliveryReason, IncidentChange
from streams.correlate.listed import RULE

NIGHT_BEGINS, NIGHT_ENDS = 22, 6
_ENDS = (AnnounceReason.ALL_ALERTS_RESOLVED, AnnounceReason.SOME_ALERTS_RESOLVED)


class Times(msgspec.Struct, frozen=True):
    """Spans of one incident, ms; None where an end is missing."""

    began_at: int
    detect_ms: int | None = None
    acknowledge_ms: int | None = None
    resolve_ms: int | None = None


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """Of some incidents: how many, and the means in ms; None where there is nothing to average."""

    incidents: int
    pages: int
    detect_ms: int | None
    acknowledge_ms: int | None
    resolve_ms: int | None


class Paged(msgspec.Struct, frozen=True, kw_only=True):
    """How often somebody was paged."""

    name: str
    pages: int
    at_night: int
    nights: int


class Noise(msgspec.Struct, frozen=True, kw_only=True):
    """How much of what a rule made nobody needed."""

    rule: str
    alerts: int
    incidents: int
    ignored: int

    @property
    def share(self) -> float:
        """Part of its incidents that ended by themselves and that nobody acknowledged."""
        return self.ignored / self.incidents


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """All of a while; weeks are those of ISO 8601. A receiver that is of no person stands for itself."""

    since: int
    until: int
    whole: Means
    weeks: dict[str, Means]
    people: list[Paged]
    receivers: list[Paged]
    rules: list[Noise]


def times_of(incident: Incident) -> Times:
    """Spans of one incident, from its alerts and its time line."""
    began = min((a.alert.active_at for a in incident.alerts), default=incident.opened_at)
    began = min(began, incident.opened_at)
    told = _first(incident, IncidentChange.ANNOUNCED)
    taken = _first(incident, IncidentChange.ACKNOWLEDGED)
    return Times(
        began,
        None if told is None else told - began,
        None if told is None or taken is None else max(taken - told, 0),
        None if incident.resolved_at is None else incident.resolved_at - began,
    )


def _first(incident: Incident, change: IncidentChange) -> int | None:
    return next((e.time for e in incident.timeline if e.change is change), None)


def figures_of(
    incidents: Sequence[Incident],
    notifications: Sequence[Notification],
    *,
    since: int,
    until: int,
    zone: tzinfo = UTC,
    persons: Mapping[str, str] | None = None,
) -> Figures:
    """Figures of the incidents that opened, and the pages that were delivered, within a while.

    `persons` says whose a receiver is.
    """
    found = [i for i in incidents if since <= i.opened_at < until and _counts(i)]
    pages = [n for n in notifications if since <= n.time < until and _is_page(n)]
    by_week: dict[str, tuple[list[Incident], list[Notification]]] = defaultdict(lambda: ([], []))
    for incident in found:
        by_week[_week(incident.opened_at, zone)][0].append(incident)
    for page in pages:
        by_week[_week(page.time, zone)][1].append(page)
    return Figures(
        since=since,
        until=until,
        whole=_means(found, pages),
        weeks={week: _means(*by_week[week]) for week in sorted(by_week)},
        people=_paged(pages, zone, persons or {}),
        receivers=_paged(pages, zone, {}),
        rules=_noise(found),
    )


def _counts(incident: Incident) -> bool:
    """Whether it is one of its own: neither part of another, nor a summary of held pages."""
    return not incident.merged_into and any(a.alert.rule != RULE for a in incident.alerts)


def _is_page(item: Notification) -> bool:
    return item.reason is DeliveryReason.DELIVERED and item.announce not in _ENDS


def _means(incidents: Sequence[Incident], pages: Sequence[Notification]) -> Means:
    times = [times_of(incident) for incident in incidents]
    return Means(
        incidents=len(incidents),
        pages=len(pages),
        detect_ms=_mean(t.detect_ms for t in times),
        acknowledge_ms=_mean(t.acknowledge_ms for t in times),
        resolve_ms=_mean(t.resolve_ms for t in times),
    )


def _mean(spans: Iterable[int | None]) -> int | None:
    known = [span for span in spans if span is not None]
    return round(fmean(known)) if known else None


def _week(time_ms: int, zone: tzinfo) -> str:
    year, week, _ = datetime.fromtimestamp(time_ms / 1000, zone).isocalendar()
    return f"{year}-W{week:02d}"


def _paged(pages: Iterable[Notification], zone: tzinfo, persons: Mapping[str, str]) -> list[Paged]:
    total: Counter[str] = Counter()
    night: dict[str, list[int]] = defaultdict(list)
    for page in pages:
        name = persons.get(page.receiver, page.receiver)
        total[name] += 1
        local = datetime.fromtimestamp((page.delivered_at or page.time) / 1000, zone)
        if local.hour >= NIGHT_BEGINS or local.hour < NIGHT_ENDS:
            # a night counts as that of the evening on which it begins
            night[name].append(local.toordinal() - (local.hour < NIGHT_ENDS))
    return [
        Paged(name=name, pages=n, at_night=len(night[name]), nights=len(set(night[name])))
        for name, n in sorted(total.items(), key=lambda item: (-item[1], item[0]))
    ]


def _noise(incidents: Iterable[Incident]) -> list[Noise]:
    alerts: Counter[str] = Counter()
    within: Counter[str] = Counter()
    ignored: Counter[str] = Counter()
    for incident in incidents:
        alerts.update(a.alert.rule for a in incident.alerts)
        rules = {a.alert.rule for a in incident.alerts}
        within.update(rules)
        over = incident.resolved_at is not None and not incident.firing
        if over and _first(incident, IncidentChange.ACKNOWLEDGED) is None:
            ignored.update(rules)
    found = [
        Noise(rule=rule, alerts=n, incidents=within[rule], ignored=ignored[rule])
        for rule, n in alerts.items()
    ]
    return sorted(found, key=lambda n: (-n.ignored, -n.alerts, n.rule))
