"""Ledger: alerts in order of time, and the timers between them, to the records of incidents.

Each timer fires at its own time: `advance` to t1 and then to t2 gives what `advance` to t2 gives. At equal times
alerts come before timers, and all changes of an incident at one time make one record. Nothing is written of an
incident before its first announcement or its end, so incidents that turn out to be one can still become one.

It refuses alerts for which there is no room and resolutions of alerts that no incident holds, each counted by
reason.
"""

from collections import Counter
from heapq import heapify, heappop, heappush

from schemas.alerts import Alert
from schemas.config import CorrelateConfig
from schemas.incidents import Cause, Incident
from schemas.reasons import AlertState, AnnounceReason, IncidentChange
from streams.correlate.cause import rank
from streams.correlate.lifecycle import Lifecycle
from streams.correlate.order import Release
from streams.correlate.reasons import DropReason
from streams.correlate.registry import Placement, Registry, RegistryState
from streams.correlate.symptom import Symptom, symptom_of
from streams.correlate.title import title_of
from streams.correlate.topology import Topology

_PRECEDENCE = (
    IncidentChange.OPENED,
    IncidentChange.REOPENED,
    IncidentChange.SEVERITY_RAISED,
    IncidentChange.ALERTS_ADDED,
    IncidentChange.ALERTS_RESOLVED,
)


class Ledger:
    """The incidents of the tenants of one partition; `dropped` counts by reason."""

    def __init__(
        self, config: CorrelateConfig, topology: Topology, *, page_horizon_ms: int
    ) -> None:
        self._config = config
        self._topology = topology
        self._page_horizon_ms = page_horizon_ms
        self._registry = Registry(config, topology)
        self._timers: list[tuple[int, str]] = []
        self._touched: dict[str, tuple[IncidentChange, bool]] = {}
        self._touched_at = 0
        self._records: list[Incident] = []
        self.dropped: Counter[DropReason] = Counter()

    def holds(self, identity: str) -> bool:
        """Whether this incident is open or may be reopened."""
        return identity in self._registry.lives

    def whereabouts(self, alert: Alert) -> str | None:
        """Identity of the incident that holds an alert."""
        life = self._registry.holder(alert)
        return None if life is None else life.id

    def advance(self, release: Release) -> list[Incident]:
        """The records due to alerts and timers up to and including the time of the release."""
        for alert in release.alerts:
            self._run(alert.time - 1, release)
            self._apply(alert)
        self._run(release.until, release)
        records, self._records = self._records, []
        return records

    def speculate(self, alert: Alert) -> Incident | None:
        """The record that an urgent alert would announce if it were the next one; changes nothing.

        None where people know already that its incident fires, or where there is no room.
        """
        symptom = symptom_of(alert, self._config.entity_label)
        placed = self._registry.place(alert, symptom)
        life = (
            self._registry.draft(alert, placed.group) if placed.life is None else placed.life.copy()
        )
        change = life.fire(alert, symptom, placed.joined, self._config)
        if change is None or life.announcements.told:
            return None
        first = not life.revision
        announce = life.announce(alert.time)
        causes = self._rank(life)
        return life.record(
            alert.time,
            IncidentChange.OPENED if first else change,
            announce,
            causes,
            title=title_of(life, causes),
            provisional=True,
        )

    def _apply(self, alert: Alert) -> None:
        self._touched_at = alert.time
        if alert.state is AlertState.FIRING:
            self._fire(alert)
            return
        life = self._registry.holder(alert)
        if life is None or not life.end(alert):
            self.dropped[DropReason.NOT_HELD] += 1
            return
        self._touch(life, IncidentChange.ALERTS_RESOLVED, urgent=False)

    def _fire(self, alert: Alert) -> None:
        holder = self._registry.holder(alert)
        if holder is not None and holder.alerts[alert.fingerprint].alert.id == alert.id:
            self.dropped[DropReason.DUPLICATE] += 1
            return
        symptom = symptom_of(alert, self._config.entity_label)
        placed = self._registry.place(alert, symptom)
        life = placed.life or self._open(alert, placed)
        if alert.urgent and life.group.key != placed.group.key:
            # it may have been announced ahead of order under the next number of its own group
            self._registry.use_generation(placed.group)
        urgent = alert.urgent
        for other in placed.absorbed:
            self._registry.absorb(life, other)
            urgent |= self._touched.pop(other.id, (None, False))[1]
        change = life.fire(alert, symptom, placed.joined, self._config)
        if change is None:
            self.dropped[DropReason.INCIDENT_FULL] += 1
            if not placed.absorbed:
                return
            change = IncidentChange.ALERTS_ADDED
        else:
            self._registry.joined(life, alert, placed.group)
        self._touch(life, change, urgent=urgent)

    def _open(self, alert: Alert, placed: Placement) -> Lifecycle:
        surplus = self._registry.surplus()
        if surplus is not None:
            self._touched.pop(surplus.id, None)
            if surplus.resolved_at is None:
                self._resolve(
                    surplus, alert.time, "ended to make room: too many incidents are open"
                )
            self._registry.forget(surplus)
        return self._registry.open(alert, placed.group)

    def _touch(self, life: Lifecycle, change: IncidentChange, *, urgent: bool) -> None:
        before, hurry = self._touched.get(life.id, (change, False))
        worst = min(before, change, key=_PRECEDENCE.index)
        self._touched[life.id] = (worst, hurry or urgent)

    def _run(self, until: int, release: Release) -> None:
        """Write what changed, then let the timers fire, up to and including a time."""
        if self._touched_at <= until:
            self._settle()
        while self._timers and self._timers[0][0] <= until:
            due, identity = heappop(self._timers)
            life = self._registry.lives.get(identity)
            if life is not None and life.due(self._config) == due:
                self._fall_due(life, due, release)

    def _settle(self) -> None:
        """One record for each incident that changed at the last time; urgent ones are announced with it."""
        touched, self._touched = self._touched, {}
        for identity, (change, urgent) in touched.items():
            life = self._registry.lives[identity]
            if urgent and life.firing and not life.announcements.told:
                self._announce(life, self._touched_at, change)
            elif life.revision:
                self._write(life, self._touched_at, change)
            self._wind(life)

    def _fall_due(self, life: Lifecycle, at: int, release: Release) -> None:
        if life.resolved_at is not None:
            self._registry.forget(life)
            return
        if life.quiet_since is not None:
            self._resolve(life, at, "nothing fires any more")
        elif self._over_already(life, at, release):
            life.announcements.skip(life.firing, life.ended)
        else:
            self._announce(life, at, IncidentChange.ANNOUNCED)
        self._wind(life)

    def _over_already(self, life: Lifecycle, at: int, release: Release) -> bool:
        """Whether what people do not know of yet was long over when this time was passed.

        It is when the record times of the ticks say that we are more than `page_horizon` behind, and what was known by
        then resolves all that fires.
        """
        if life.announcements.told:
            return False
        passed_at, backlog = release.backlog(at)
        if passed_at - at <= self._page_horizon_ms:
            return False
        last = {a.fingerprint: a.state for a in backlog if a.tenant == life.tenant}
        return all(last.get(f) is AlertState.RESOLVED for f in life.firing)

    def _announce(self, life: Lifecycle, at: int, change: IncidentChange) -> None:
        first = not life.revision
        reason = life.announce(at)
        self._write(life, at, IncidentChange.OPENED if first else change, reason)

    def _resolve(self, life: Lifecycle, at: int, text: str) -> None:
        self._write(life, at, IncidentChange.RESOLVED, life.resolve(at, text))

    def _write(
        self,
        life: Lifecycle,
        at: int,
        change: IncidentChange,
        announce: AnnounceReason | None = None,
    ) -> None:
        causes = self._rank(life)
        title = title_of(life, causes)
        self._records.append(life.record(at, change, announce, causes, title=title))

    def _rank(self, life: Lifecycle) -> tuple[Cause, ...]:
        symptoms: list[Symptom] = [life.symptoms[f] for f in sorted(life.symptoms)]
        return rank(symptoms, self._topology)

    def _wind(self, life: Lifecycle) -> None:
        """Set the timer of an incident; timers set before that no longer hold are ignored when they fire."""
        due = life.due(self._config)
        if due is not None:
            heappush(self._timers, (due, life.id))
        if len(self._timers) > 4 * len(self._registry.lives) + 1_000:
            self._rewind()

    def _rewind(self) -> None:
        dues = ((life.due(self._config), i) for i, life in self._registry.lives.items())
        self._timers = [(due, identity) for due, identity in dues if due is not None]
        heapify(self._timers)

    def snapshot(self) -> RegistryState:
        """The whole state; between two calls of `advance` nothing else is open."""
        return self._registry.snapshot()

    def restore(self, state: RegistryState) -> None:
        """Continue from a snapshot."""
        self._registry.restore(state)
        self._rewind()
