"""Writing: the record of an incident as it stands."""

from collections.abc import Sequence

from schemas.alerts import Alert
from schemas.incidents import Cause, Incident
from schemas.reasons import AnnounceReason, IncidentChange
from streams.correlate.lifecycle import Lifecycle
from streams.correlate.priority import Priorities
from streams.correlate.title import title_of

_GRAVEST_FIRST = (
    IncidentChange.OPENED,
    IncidentChange.REOPENED,
    IncidentChange.FLAPPING,
    IncidentChange.MERGED,
    IncidentChange.UNMERGED,
    IncidentChange.SEVERITY_RAISED,
    IncidentChange.ALERTS_ADDED,
    IncidentChange.ALERTS_RESOLVED,
    IncidentChange.WITHDRAWN,
    IncidentChange.AMENDED,
    IncidentChange.ACKNOWLEDGED,
    IncidentChange.UNACKNOWLEDGED,
    IncidentChange.ASSIGNED,
    IncidentChange.NOTED,
    IncidentChange.REFUSED,
)
_PLACE = {change: place for place, change in enumerate(_GRAVEST_FIRST)}


def graver(one: IncidentChange, other: IncidentChange) -> IncidentChange:
    """Of two changes at one time the one that the record is written for."""
    return one if _PLACE[one] <= _PLACE[other] else other


class Writer:
    """Numbers and writes the records of incidents."""

    def __init__(self, priorities: Priorities) -> None:
        self._priorities = priorities

    def joined(self, life: Lifecycle, alert: Alert) -> None:
        """Take note that an alert has joined an incident."""
        if life.priority is not None:
            life.priority = min(life.priority, self._priorities.of_alert(alert))

    def record(
        self,
        life: Lifecycle,
        at: int,
        change: IncidentChange,
        announce: AnnounceReason | None,
        causes: Sequence[Cause],
        *,
        provisional: bool = False,
    ) -> Incident:
        """The next record of an incident."""
        life.revision += 1
        if life.priority is None:
            life.priority = self._priorities.of_alerts(a.alert for a in life.alerts.values())
        alerts = sorted(life.alerts.values(), key=lambda a: (a.first_at, a.alert.fingerprint))
        return Incident(
            id=life.id,
            tenant=life.tenant,
            group_key=life.group.key,
            generation=life.generation,
            revision=life.revision,
            provisional=provisional,
            state=life.state,
            change=change,
            announce=announce,
            announcement=life.announcements.count,
            historical=life.historical,
            severity=life.severity,
            title=title_of(life, causes),
            group_labels=life.group.labels,
            opened_at=life.opened_at,
            updated_at=at,
            resolved_at=life.resolved_at,
            reopened=life.reopened,
            alerts=tuple(alerts),
            causes=tuple(causes),
            timeline=tuple(life.timeline),
            priority=life.priority,
            owner=life.owner,
            flapping=life.flapping.since is not None,
            held=life.held,
            merged_into=life.merged_into,
            omitted=life.omitted,
            decisions=tuple(life.decisions),
            amendment=life.amendment,
        )
