"""Ledger: alerts and commands in order of time, and the timers between them, to the records of incidents.

Each timer fires at its own time: `advance` to t1 and then to t2 gives what `advance` to t2 gives. At equal times
facts come before alerts, those before commands, and those before timers; all changes of an incident at one time make
one record. Nothing is written of an incident before its first announcement or its end, so incidents that turn out to
be one can still become one.

It refuses alerts for which there is no room, resolutions of alerts that no incident holds and commands that cannot be
carried out, each counted by reason.
"""

from collections import Counter

import msgspec

from schemas.alerts import Alert
from schemas.changes import Change
from schemas.commands import Command
from schemas.config import CorrelateConfig, TopologyConfig
from schemas.config.section import format_duration
from schemas.incidents import Incident
from schemas.reasons import AlertState, AnnounceReason, IncidentChange
from streams.correlate.amending import AMENDING, WITHDRAWN, amend, is_withdrawn
from streams.correlate.cooccurrence import CooccurrenceState
from streams.correlate.desk import Desk
from streams.correlate.facts import Facts
from streams.correlate.gates import Gates
from streams.correlate.graphs import LearntEdge
from streams.correlate.graves import Graves, Tombstone
from streams.correlate.lifecycle import Lifecycle
from streams.correlate.order import Release
from streams.correlate.pager import Pager
from streams.correlate.priority import Priorities
from streams.correlate.reasons import DropReason
from streams.correlate.registry import Placement, Registry, RegistryState
from streams.correlate.storm import StormsState
from streams.correlate.suppressor import Suppressor
from streams.correlate.symptom import bare, symptom_of
from streams.correlate.timers import Timers
from streams.correlate.verdicts import no_room, passed, too_late
from streams.correlate.writing import Writer, graver
from streams.time.watermark import BEFORE_ALL


class LedgerState(msgspec.Struct):
    """All that `Ledger.restore` needs."""

    registry: RegistryState
    storms: StormsState = msgspec.field(default_factory=StormsState)
    edges: list[LearntEdge] = []
    changes: list[list[Change]] = []
    together: CooccurrenceState = msgspec.field(default_factory=CooccurrenceState)
    graves: list[Tombstone] = []


class Ledger:
    """The incidents of the tenants of one partition; `dropped` counts by reason, `desk` has refused commands.

    Without `announces` others say who is told, so no page is ever held.
    """

    def __init__(
        self,
        config: CorrelateConfig,
        topology: TopologyConfig,
        *,
        page_horizon_ms: int,
        gates: Gates | None = None,
        announces: bool = True,
    ) -> None:
        self._config = config
        self._facts = Facts(topology, config.change_within)
        self._page_horizon_ms = page_horizon_ms
        self._registry = Registry(config, self._facts.graphs)
        self._suppressor = Suppressor(gates, config)
        priorities = Priorities(config.priorities)
        self._writer = Writer(priorities)
        self._pager = Pager(
            config,
            self._registry,
            priorities,
            write=self._write,
            wind=self._wind,
            active=announces,
        )
        self.graves = Graves(config.retention)
        self.desk = Desk(self._registry, self._pager, gates, config)
        self._timers = Timers()
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
        """The records due to alerts, commands and timers up to and including the time of the release."""
        before = BEFORE_ALL
        for record in release.in_order():
            if record.time > before:
                self._run(record.time - 1, release)
                before = record.time
            if isinstance(record, Alert):
                self._apply(record)
            elif isinstance(record, Command):
                self._obey(record)
            else:
                self._facts.learn(record)
        self._run(release.until, release)
        records, self._records = self._records, []
        return records

    def speculate(self, alert: Alert) -> Incident | None:
        """The record that an urgent alert would announce if it were the next one; changes nothing.

        None where people know already that its incident fires, or where there is no room.
        """
        symptom = symptom_of(alert, self._config.entity_label, self._config.join_labels)
        alert = bare(alert)
        placed = self._registry.place(alert, symptom, self._registry.holder(alert))
        life = (
            self._registry.draft(alert, placed.group) if placed.life is None else placed.life.copy()
        )
        change = life.fire(alert, symptom, placed.joined, self._config, placed.because)
        if change is None or life.announcements.told:
            return None
        if self._pager.holds(alert) or self._suppressor.stops(alert):
            return None
        self._writer.joined(life, alert)
        change = change if life.revision else IncidentChange.OPENED
        announce = life.announce(alert.time)
        return self._writer.record(
            life, alert.time, change, announce, self._facts.causes(life), provisional=True
        )

    def _apply(self, alert: Alert) -> None:
        self._touched_at = alert.time
        self._suppressor.note(alert)
        if alert.reason in AMENDING and (found := amend(self._registry.holder(alert), alert)):
            self._touch(*found, urgent=False)
            return
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
        symptom = symptom_of(alert, self._config.entity_label, self._config.join_labels)
        alert = bare(alert)
        placed = self._registry.place(alert, symptom, holder)
        life = placed.life or self._open(alert, placed)
        if alert.urgent and life.group.key != placed.group.key:
            # it may have been announced ahead of order under the next number of its own group
            self._registry.use_generation(placed.group)
        urgent = alert.urgent
        for other in placed.absorbed:
            self._registry.absorb(life, other)
            urgent |= self._touched.pop(other.id, (None, False))[1]
        change = life.fire(alert, symptom, placed.joined, self._config, placed.because)
        if change is None:
            self.dropped[DropReason.INCIDENT_FULL] += 1
            life.decide(no_room(alert, self._config.max_alerts))
            if not placed.absorbed:
                return
            change = IncidentChange.ALERTS_ADDED
        else:
            self._writer.joined(life, alert)
            self._registry.joined(life, alert, placed.group, change)
        if self._config.learn_together:
            self._registry.together.observe(alert.tenant, alert.fingerprint, alert.time)
        self._touch(life, change, urgent=urgent)

    def _obey(self, command: Command) -> None:
        self._touched_at = command.time
        for turn in self.desk.obey(command):
            if turn.over:
                self._touched.pop(turn.life.id, None)
                self._write(turn.life, command.time, turn.change, turn.announce)
                self._wind(turn.life)
            else:
                self._touch(turn.life, turn.change, urgent=False)

    def _open(self, alert: Alert, placed: Placement) -> Lifecycle:
        surplus = self._registry.surplus()
        if surplus is not None:
            self._touched.pop(surplus.id, None)
            if surplus.resolved_at is None:
                self._resolve(
                    surplus, alert.time, "ended to make room: too many incidents are open"
                )
            self._forget(surplus, alert.time)
        return self._registry.open(alert, placed.group)

    def _touch(self, life: Lifecycle, change: IncidentChange, *, urgent: bool) -> None:
        before, hurry = self._touched.get(life.id, (change, False))
        worst = graver(before, change)
        self._touched[life.id] = (worst, hurry or urgent)

    def _run(self, until: int, release: Release) -> None:
        """Write what changed, then let the timers fire, up to and including a time."""
        if self._touched_at <= until:
            self._settle()
        while True:
            due, look_at = self._timers.next_due, self._pager.next_due
            if due is not None and due <= until and (look_at is None or due <= look_at):
                life = self._registry.lives.get(self._timers.take()[1])
                if life is not None and life.due(self._config) == due:
                    self._fall_due(life, due, release)
            elif look_at is not None and look_at <= until:
                self._pager.fall_due(look_at)
            else:
                return

    def _settle(self) -> None:
        """One record for each incident that changed at the last time; urgent ones are announced with it."""
        if not self._touched:
            return
        touched, self._touched = self._touched, {}
        for identity, (change, urgent) in touched.items():
            life = self._registry.lives[identity]
            at = self._touched_at
            if change is IncidentChange.FLAPPING:
                self._announce(life, at, change, AnnounceReason.ALERTS_FLAP)
            elif urgent and life.firing and not life.announcements.told and not life.held:
                self._announce(life, at, change)
            elif is_withdrawn(life) and life.resolved_at is None:
                self._write(life, at, change, life.resolve(at, WITHDRAWN))
            elif life.revision:
                self._write(life, at, change)
            self._wind(life)

    def _fall_due(self, life: Lifecycle, at: int, release: Release) -> None:
        if life.resolved_at is not None:
            self._forget(life, at)
            return
        if life.flapping.since is not None:
            self._steady(life, at)
        elif life.quiet_since is not None:
            self._resolve(life, at, "nothing fires any more")
        elif life.is_stale(at, self._config):
            span = format_duration(self._config.stale_after)
            self._resolve(life, at, f"stale: nothing has changed for {span}")
        elif not life.announcements.told and release.over_by_then(
            at, self._page_horizon_ms, life.tenant, life.firing
        ):
            # people do not know of it, and need not
            life.announcements.skip(life.firing, life.ended)
            life.decide(too_late(at, self._page_horizon_ms))
        elif (together := release.known_with(at, self._page_horizon_ms)) > at:
            # people are told once, of how it stands at the end of what became known at once
            life.announcements.origin = together
        else:
            self._announce(life, at, IncidentChange.ANNOUNCED)
        self._wind(life)

    def _forget(self, life: Lifecycle, at: int) -> None:
        for identity in (life.id, *life.parts):
            if self._registry.lives[identity].revision:
                self.graves.bury(identity, life.tenant, at)
        self._registry.forget(life)

    def _steady(self, life: Lifecycle, at: int) -> None:
        """It flaps no more; when nothing fires, that is its end."""
        life.flapping.end()
        life.resumed_at = at
        life.note(at, IncidentChange.STEADY, "its alerts flap no more")
        if life.quiet_since is None:
            self._write(life, at, IncidentChange.STEADY)
        else:
            self._resolve(life, at, "nothing fires any more")

    def _announce(
        self,
        life: Lifecycle,
        at: int,
        change: IncidentChange,
        reason: AnnounceReason | None = None,
    ) -> None:
        """Tell people, unless something stops it: then that is written."""
        first = not life.revision
        if self._suppressor.stops_all(life, at, self._write) or not self._pager.admits(life, at):
            return
        reason = life.announce(at, reason)
        life.decide(passed(at, reason, life.announcements.count))
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
        causes = self._facts.causes(life)
        self._records.append(self._writer.record(life, at, change, announce, causes))

    def _wind(self, life: Lifecycle) -> None:
        """Set the timer of an incident; timers set before that no longer hold are ignored when they fire."""
        due = life.due(self._config)
        self._registry.changed(life)
        if due is not None:
            self._timers.set(due, life.id)
        if self._timers.crowded(len(self._registry.lives)):
            self._rewind()

    def _rewind(self) -> None:
        lives = self._registry.lives.items()
        self._timers.set_anew((life.due(self._config), identity) for identity, life in lives)

    def snapshot(self) -> LedgerState:
        """The whole state; between two calls of `advance` nothing else is open."""
        return LedgerState(
            self._registry.snapshot(),
            self._pager.storms.snapshot(),
            self._facts.graphs.snapshot(),
            self._facts.changes.snapshot(),
            self._registry.together.snapshot(),
            self.graves.snapshot(),
        )

    def restore(self, state: LedgerState) -> None:
        """Continue from a snapshot."""
        self._registry.restore(state.registry)
        self._pager.storms.restore(state.storms)
        self._facts.graphs.restore(state.edges)
        self._facts.changes.restore(state.changes)
        self._registry.together.restore(state.together)
        self.graves.restore(state.graves)
        self._rewind()
