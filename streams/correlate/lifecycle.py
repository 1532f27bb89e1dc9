"""Lifecycle: one incident from its first firing alert until it can no longer be reopened.

Open while something fires and for `resolve_delay` after; resolved then; open again, under the same id, when one of
its alerts or groups fires within `reopen_within`. It holds `max_alerts` alerts and `TIMELINE_MAX` entries of its
timeline: a resolved alert makes room for a new one, a new one without room is counted, and old entries go, the
first excepted. What people say to it is in `commands`.

It refuses to decide which alert belongs to it, and when it is to be told.
"""

from copy import copy
from typing import Self

import msgspec

from schemas.alerts import Alert
from schemas.config import CorrelateConfig
from schemas.decisions import Decision
from schemas.incidents import IncidentAlert, TimelineEntry, incident_id
from schemas.reasons import (
    Amendment,
    AnnounceReason,
    Gate,
    GateReason,
    IncidentChange,
    IncidentState,
    JoinReason,
    Priority,
    Severity,
)
from streams.correlate.announce import Announcements
from streams.correlate.flapping import Flapping
from streams.correlate.group import Group
from streams.correlate.symptom import Symptom

TIMELINE_MAX = 100
DECISIONS_MAX = 50
ENGINE = "tocsin"


class Lifecycle(msgspec.Struct, kw_only=True):
    """State of one incident; times are event times, ms.

    Attributes:
        changed_at: latest transition of one of its alerts.
        quiet_since: since when nothing fires, None while something does.
        revision: number of the last record written of it, 0 before the first.
        omitted: firing alerts that it had no room for.
        firing: fingerprints of the alerts that fire now.
        worst, priority: of the worst, and of the most urgent, of its alerts; None where it is to be found anew.
        symptoms: what its alerts said when they fired, by fingerprint.
        owner: who has acknowledged it, or whom it was assigned to.
        acknowledged_at: None while it is not acknowledged.
        resumed_at: no announcement but the end is due before this.
        stopped_by: what stops all of its alerts from being told of, as far as that is written.
        held: it is not announced because pages are held.
        urgent: one of its alerts was, so it may have been announced ahead of order.
        merged_into: the incident that it is part of, empty where none.
        parts: the incidents that were made part of it by hand.
        amendment: what late samples did to it, None where they did nothing.
        summary_of: the team whose held pages it lists; None for an incident of its own.

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
    firing: set[str] = msgspec.field(default_factory=set)
    worst: Severity | None = None
    priority: Priority | None = None
    symptoms: dict[str, Symptom] = msgspec.field(default_factory=dict)
    timeline: list[TimelineEntry] = msgspec.field(default_factory=list)
    decisions: list[Decision] = msgspec.field(default_factory=list)
    flapping: Flapping = msgspec.field(default_factory=Flapping)
    owner: str = ""
    acknowledged_at: int | None = None
    resumed_at: int = 0
    stopped_by: tuple[str, ...] = ()
    held: bool = False
    urgent: bool = False
    merged_into: str = ""
    parts: list[str] = msgspec.field(default_factory=list)
    summary_of: str | None = None
    amendment: Amendment | None = None

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
        other.announcements, other.flapping = copy(self.announcements), copy(self.flapping)
        other.alerts, other.symptoms = dict(self.alerts), dict(self.symptoms)
        other.timeline, other.decisions = list(self.timeline), list(self.decisions)
        other.firing, other.parts = set(self.firing), list(self.parts)
        return other

    @property
    def ended(self) -> set[str]:
        """Fingerprints of the alerts that have resolved."""
        # what fires is held, so as many that fire as there are means that nothing has ended
        return set() if len(self.firing) == len(self.alerts) else self.alerts.keys() - self.firing

    @property
    def severity(self) -> Severity:
        """That of the worst of its alerts."""
        if self.worst is None:
            found = {a.alert.severity for a in self.alerts.values()}
            self.worst = min(found, key=lambda s: s.rank)
        return self.worst

    @property
    def state(self) -> IncidentState:
        """Where it stands."""
        if self.resolved_at is not None or self.merged_into:
            return IncidentState.RESOLVED
        if self.acknowledged_at is not None:
            return IncidentState.ACKNOWLEDGED
        return IncidentState.OPEN

    def takes(self, at: int, config: CorrelateConfig) -> bool:
        """Whether an alert that fires now may still join it or reopen it."""
        if self.merged_into or at - self.opened_at > config.max_span:
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
        if self.merged_into:
            return None
        if self.resolved_at is not None:
            return self.resolved_at + config.reopen_within
        steady_at = self.flapping.steady_at(config.flapping)
        if self.quiet_since is not None:
            end = self.quiet_since + config.resolve_delay
            return end if steady_at is None else max(end, steady_at)
        due = self._page_due(config) if steady_at is None else steady_at
        if not config.stale_after:
            return due
        stale_at = self.changed_at + config.stale_after
        return stale_at if due is None else min(due, stale_at)

    def _page_due(self, config: CorrelateConfig) -> int | None:
        if self.held:
            return None
        ended, told = self.ended, self.announcements
        due = told.due(self.firing, ended, self.changed_at, config)
        if due is not None and due < self.resumed_at:
            due = told.opportunity(self.resumed_at, config)
        if due is None or (self.acknowledged_at is None and self.summary_of is None):
            return due
        repeats = told.reason(self.firing, ended) is AnnounceReason.REPEAT_INTERVAL_ELAPSED
        if self.summary_of is not None:
            # a summary says once that pages are held, and reminds of it; it does not page for each of them
            return due if repeats or not told.told else None
        return None if repeats else due

    def is_stale(self, at: int, config: CorrelateConfig) -> bool:
        """Whether nothing of it has changed for so long that it is to be closed."""
        return bool(config.stale_after) and at >= self.changed_at + config.stale_after

    def fire(
        self,
        alert: Alert,
        symptom: Symptom,
        joined: JoinReason,
        config: CorrelateConfig,
        because: str = "",
    ) -> IncidentChange | None:
        """One of its alerts, or a new one, fires; what that means, None where there is no room for it."""
        held = self.alerts.get(alert.fingerprint)
        if held is None and not self.make_room(config.max_alerts):
            self.omitted += 1
            return None
        severity, worst = alert.severity, self.severity if self.alerts else None
        worse = worst is not None and severity.rank < worst.rank
        change = self._start(alert.time, config)
        if held is None:
            now = IncidentAlert(
                alert=alert,
                joined=joined,
                joined_at=alert.time,
                first_at=alert.time,
                because=because,
            )
        else:
            if not held.firing and self.flapping.restart(alert.time, config.flapping):
                change = IncidentChange.FLAPPING
            now = msgspec.structs.replace(held, alert=alert, resolved_at=None)
        self.alerts[alert.fingerprint] = now
        self.firing.add(alert.fingerprint)
        self.worst = severity if worst is None or worse else worst
        self.urgent |= alert.urgent
        self.symptoms.setdefault(alert.fingerprint, symptom)
        self.changed_at = alert.time
        why = f"{joined.value}: {because}" if because else joined.value
        self.note(alert.time, change, f"{_about(alert, symptom)} fires ({why})")
        raised = worse and change is IncidentChange.ALERTS_ADDED
        return IncidentChange.SEVERITY_RAISED if raised else change

    def _start(self, at: int, config: CorrelateConfig) -> IncidentChange:
        if self.resolved_at is not None:
            self.reopen(at, config)
            return IncidentChange.REOPENED
        if self.quiet_since is not None:
            self.quiet_since = None
            if not self.announcements.told and self.announcements.origin < at:
                self.announcements.begin(at, config)
        return IncidentChange.ALERTS_ADDED if self.alerts else IncidentChange.OPENED

    def reopen(self, at: int, config: CorrelateConfig) -> None:
        """It is not over after all."""
        self.resolved_at, self.quiet_since, self.historical = None, None, False
        self.acknowledged_at, self.held = None, False
        self.amendment = self.amendment and Amendment.AMENDED
        self.reopened += 1
        self.symptoms = {f: s for f, s in self.symptoms.items() if f in self.firing}
        self.announcements.begin(at, config)

    def make_room(self, room: int) -> bool:
        """Let the alert that has been resolved for longest go, where it is full; whether there is room now."""
        if len(self.alerts) < max(room, 1):
            return True
        over = [(a.resolved_at, f) for f, a in self.alerts.items() if a.resolved_at is not None]
        if not over:
            return False
        _, fingerprint = min(over)
        del self.alerts[fingerprint]
        self.worst = self.priority = None
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
        self.firing.discard(alert.fingerprint)
        self.changed_at = alert.time
        if not self.firing:
            self.quiet_since = alert.time
        text = f"{alert.name} resolves ({alert.reason.value})"
        self.note(alert.time, IncidentChange.ALERTS_RESOLVED, text)
        return True

    def resolve(self, at: int, text: str, actor: str = ENGINE) -> AnnounceReason | None:
        """It is over; why people are to be told, None if they never knew."""
        self.resolved_at = at
        self.historical = not self.announcements.told and not self.held
        if self.historical:
            over = GateReason.OVER_BEFORE_TOLD
            decision = Decision(time=at, gate=Gate.DEDUP, passed=False, reason=over, text=text)
            self.decide(decision)
        if self.held and self.urgent:
            # if so, under the number of its first announcement
            self.announcements.told = True
            self.announcements.count = max(self.announcements.count, 1)
        self.held = False
        self.flapping.since = None
        reason = self.announcements.end(at)
        self.note(at, IncidentChange.RESOLVED, text, actor)
        return reason

    def announce(self, at: int, reason: AnnounceReason | None = None) -> AnnounceReason:
        """People are told of it as it stands."""
        ended = self.ended
        reason = reason or self.announcements.reason(self.firing, ended)
        self.announcements.tell(at, self.firing, ended)
        self.historical, self.held = False, False
        text = f"announcement {self.announcements.count}: {reason.value}"
        self.note(at, IncidentChange.ANNOUNCED, text)
        return reason

    def note(self, at: int, change: IncidentChange, text: str, actor: str = ENGINE) -> None:
        """Write an entry into the timeline."""
        self.timeline.append(TimelineEntry(time=at, change=change, text=text, actor=actor))
        if len(self.timeline) > TIMELINE_MAX:
            self.trim()

    def decide(self, decision: Decision) -> None:
        """Keep what a gate did."""
        self.decisions.append(decision)
        del self.decisions[:-DECISIONS_MAX]

    def trim(self) -> None:
        """Let the oldest entries of the timeline go, the first excepted."""
        if len(self.timeline) > TIMELINE_MAX:
            del self.timeline[1 : len(self.timeline) - TIMELINE_MAX + 1]


def _about(alert: Alert, symptom: Symptom) -> str:
    return f"{alert.name} on {symptom.entity}" if symptom.entity else alert.name
