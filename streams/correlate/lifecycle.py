"""Lifecycle: one incident from its first firing alert until it can no longer be reopened.

Open while something fires and for `resolve_delay` after; resolved then; open again, under the same id, when one of
its alerts or groups fires within `reopen_within`. It holds `max_alerts` alerts and `TIMELINE_MAX` entries of its
timeline: a resolved alert makes room for a new one, a new one without room is counted, and old entries go, the
first excepted.

It refuses to decide which alert belongs to it, and when it is to be told.
"""

from collections.abc import Sequence
from copy import copy
from typing import Self

import msgspec

from schemas.alerts import Alert
from schemas.config import CorrelateConfig
from schemas.incidents import Cause, Incident, IncidentAlert, TimelineEntry, incident_id
from schemas.reasons import AnnounceReason, IncidentChange, IncidentState, JoinReason, Severity
from streams.correlate.announce import Announcements
from streams.correlate.group import Group
from streams.correlate.symptom import Symptom

TIMELINE_MAX = 100


class Lifecycle(msgspec.Struct, kw_only=True):
    """State of one incident; times are event times, ms.

    Attributes:
        changed_at: latest transition of one of its alerts.
        quiet_since: since when nothing fires, None while something does.
        revision: number of the last record written of it, 0 before the first.
        omitted: firing alerts that it had no room for.
        symptoms: what its alerts said when they fired, by fingerprint.

    """

    id: str
    tenant: str
    group: Group
    generation: int
    opened_at: int
    changed_at: int
    announcements: Announcements
    quiet_since: int | None = None
    resolved_at: int | None = None
    reopened: int = 0
    revision: int = 0
    historical: bool = False
    omitted: int = 0
    alerts: dict[str, IncidentAlert] = msgspec.field(default_factory=dict)
    symptoms: dict[str, Symptom] = msgspec.field(default_factory=dict)
    timeline: list[TimelineEntry] = msgspec.field(default_factory=list)

    @classmethod
    def open(
        cls, tenant: str, group: Group, generation: int, at: int, config: CorrelateConfig
    ) -> Self:
        """A new incident, still without an alert."""
        return cls(
            id=incident_id(tenant, group.key, generation),
            tenant=tenant,
            group=group,
            generation=generation,
            opened_at=at,
            changed_at=at,
            announcements=Announcements(origin=at + config.group_wait),
        )

    def copy(self) -> Self:
        """An incident of its own with the same state."""
        other = copy(self)
        other.announcements = copy(self.announcements)
        other.alerts, other.symptoms = dict(self.alerts), dict(self.symptoms)
        other.timeline = list(self.timeline)
        return other

    @property
    def firing(self) -> set[str]:
        """Fingerprints of the alerts that fire now."""
        return {f for f, a in self.alerts.items() if a.firing}

    @property
    def ended(self) -> set[str]:
        """Fingerprints of the alerts that have resolved."""
        return {f for f, a in self.alerts.items() if not a.firing}

    @property
    def severity(self) -> Severity:
        """That of the worst of its alerts."""
        return min((a.alert.severity for a in self.alerts.values()), key=lambda s: s.rank)

    def takes(self, at: int, config: CorrelateConfig) -> bool:
        """Whether an alert that fires now may still join it or reopen it."""
        if at - self.opened_at > config.max_span:
            return False
        return self.resolved_at is None or at - self.resolved_at <= config.reopen_within

    def near(self, onset: int, within: int) -> bool:
        """Whether this onset lies close to the onset, or to the last change, of one of its alerts."""
        return any(
            abs(onset - a.alert.active_at) <= within or abs(onset - a.alert.time) <= within
            for a in self.alerts.values()
        )

    def due(self, config: CorrelateConfig) -> int | None:
        """When it will next do something by itself: be announced, be resolved, be forgotten."""
        if self.resolved_at is not None:
            return self.resolved_at + config.reopen_within
        if self.quiet_since is not None:
            return self.quiet_since + config.resolve_delay
        return self.announcements.due(self.firing, self.ended, self.changed_at, config)

    def fire(
        self, alert: Alert, symptom: Symptom, joined: JoinReason, config: CorrelateConfig
    ) -> IncidentChange | None:
        """One of its alerts, or a new one, fires; what that means, None where there is no room for it."""
        held = self.alerts.get(alert.fingerprint)
        if held is None and not self._make_room(config.max_alerts):
            self.omitted += 1
            return None
        worst = self.severity if self.alerts else None
        change = self._start(alert.time, config)
        if held is None:
            held = IncidentAlert(
                alert=alert, joined=joined, joined_at=alert.time, first_at=alert.time
            )
        self.alerts[alert.fingerprint] = msgspec.structs.replace(
            held, alert=alert, resolved_at=None
        )
        self.symptoms.setdefault(alert.fingerprint, symptom)
        self.changed_at = alert.time
        self.note(alert.time, change, f"{_about(alert, symptom)} fires ({joined.value})")
        if (
            worst is not None
            and alert.severity.rank < worst.rank
            and change is IncidentChange.ALERTS_ADDED
        ):
            return IncidentChange.SEVERITY_RAISED
        return change

    def _start(self, at: int, config: CorrelateConfig) -> IncidentChange:
        if self.resolved_at is not None:
            self.resolved_at, self.quiet_since, self.historical = None, None, False
            self.reopened += 1
            self.symptoms.clear()
            self.announcements.begin(at, config)
            return IncidentChange.REOPENED
        if self.quiet_since is not None:
            self.quiet_since = None
            if not self.announcements.told and self.announcements.origin < at:
                self.announcements.begin(at, config)
        return IncidentChange.ALERTS_ADDED if self.alerts else IncidentChange.OPENED

    def _make_room(self, room: int) -> bool:
        if len(self.alerts) < max(room, 1):
            return True
        over = [(a.resolved_at, f) for f, a in self.alerts.items() if a.resolved_at is not None]
        if not over:
            return False
        _, fingerprint = min(over)
        del self.alerts[fingerprint]
        self.symptoms.pop(fingerprint, None)
        return True

    def end(self, alert: Alert) -> bool:
        """One of its alerts has resolved; False when none of them that fires did."""
        held = self.alerts.get(alert.fingerprint)
        if held is None or not held.firing:
            return False
        self.alerts[alert.fingerprint] = msgspec.structs.replace(
            held, alert=alert, resolved_at=alert.time
        )
        self.changed_at = alert.time
        if not self.firing:
            self.quiet_since = alert.time
        text = f"{alert.name} resolves ({alert.reason.value})"
        self.note(alert.time, IncidentChange.ALERTS_RESOLVED, text)
        return True

    def absorb(self, other: Self, config: CorrelateConfig) -> None:
        """Take in an incident of which no record was written, as if its alerts had joined this one."""
        for fingerprint, item in sorted(other.alerts.items()):
            if fingerprint in self.alerts or self._make_room(config.max_alerts):
                self.alerts[fingerprint] = msgspec.structs.replace(
                    item, joined=JoinReason.CALL_GRAPH
                )
                self.symptoms[fingerprint] = other.symptoms[fingerprint]
            else:
                self.omitted += item.firing
        self.omitted += other.omitted
        if not self.revision:
            self.opened_at = min(self.opened_at, other.opened_at)
            self.announcements.origin = min(self.announcements.origin, other.announcements.origin)
        self.changed_at = max(self.changed_at, other.changed_at)
        self.quiet_since = None if self.firing else self.quiet_since
        self.timeline = sorted([*self.timeline, *other.timeline], key=lambda e: e.time)
        self._trim()

    def resolve(self, at: int, text: str) -> AnnounceReason | None:
        """It is over; why people are to be told, None if they never knew."""
        self.resolved_at = at
        self.historical = not self.announcements.told
        reason = self.announcements.end(at)
        self.note(at, IncidentChange.RESOLVED, text)
        return reason

    def announce(self, at: int) -> AnnounceReason:
        """People are told of it as it stands."""
        firing, ended = self.firing, self.ended
        reason = self.announcements.reason(firing, ended)
        self.announcements.tell(at, firing, ended)
        self.historical = False
        text = f"announcement {self.announcements.count}: {reason.value}"
        self.note(at, IncidentChange.ANNOUNCED, text)
        return reason

    def note(self, at: int, change: IncidentChange, text: str) -> None:
        """Write an entry into the timeline."""
        self.timeline.append(TimelineEntry(time=at, change=change, text=text))
        self._trim()

    def _trim(self) -> None:
        if len(self.timeline) > TIMELINE_MAX:
            del self.timeline[1 : len(self.timeline) - TIMELINE_MAX + 1]

    def record(
        self,
        at: int,
        change: IncidentChange,
        announce: AnnounceReason | None,
        causes: Sequence[Cause],
        *,
        title: str,
        provisional: bool = False,
    ) -> Incident:
        """The next record of it."""
        self.revision += 1
        resolved = self.resolved_at is not None
        return Incident(
            id=self.id,
            tenant=self.tenant,
            group_key=self.group.key,
            generation=self.generation,
            revision=self.revision,
            provisional=provisional,
            state=IncidentState.RESOLVED if resolved else IncidentState.OPEN,
            change=change,
            announce=announce,
            announcement=self.announcements.count,
            historical=self.historical,
            severity=self.severity,
            title=title,
            group_labels=self.group.labels,
            opened_at=self.opened_at,
            updated_at=at,
            resolved_at=self.resolved_at,
            reopened=self.reopened,
            alerts=tuple(
                sorted(self.alerts.values(), key=lambda a: (a.first_at, a.alert.fingerprint))
            ),
            causes=tuple(causes),
            timeline=tuple(self.timeline),
        )


def _about(alert: Alert, symptom: Symptom) -> str:
    return f"{alert.name} on {symptom.entity}" if symptom.entity else alert.name
