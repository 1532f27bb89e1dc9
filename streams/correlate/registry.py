"""Registry: the incidents that are open or may be reopened, and which of them an alert belongs to.

An alert goes, in this order, to the incident that holds it or serves its group and still takes it; else to one with
an alert of a connected entity, with an onset near its own; else to a new one. Where it connects incidents of which
no record was written yet, they become one: nobody has seen that they were several.

Bounds: `INCIDENTS_MAX` incidents, and as many group keys as `GROUPS_MAX`; the one unchanged for longest goes first.
A group key that is forgotten never gets a generation again that it had before.
"""

from heapq import nsmallest
from typing import NamedTuple

import msgspec

from schemas.alerts import Alert
from schemas.config import CorrelateConfig
from schemas.reasons import JoinReason
from streams.correlate.group import Group, group_of
from streams.correlate.index import Index, Key, Place
from streams.correlate.lifecycle import Lifecycle
from streams.correlate.symptom import Symptom
from streams.correlate.topology import Topology

INCIDENTS_MAX = 20_000
GROUPS_MAX = 100_000


class Placement(NamedTuple):
    """Where an alert goes: an incident, or None for a new one; why; and the incidents that become part of it."""

    group: Group
    life: Lifecycle | None
    joined: JoinReason
    absorbed: tuple[Lifecycle, ...] = ()


class RegistryState(msgspec.Struct):
    """All that `Registry.restore` needs."""

    lives: list[Lifecycle]
    served: list[tuple[str, str]]
    holders: dict[str, str]
    generations: list[tuple[str, int]]
    generation_floor: int


class Registry:
    """Incidents by identity, group key, alert and entity."""

    def __init__(self, config: CorrelateConfig, topology: Topology) -> None:
        self._config = config
        self._topology = topology
        self.lives: dict[str, Lifecycle] = {}
        self._index = Index()
        self._served: dict[str, str] = {}
        self._holders: dict[str, str] = {}
        self._generations: dict[str, int] = {}
        self._generation_floor = 0
        self._sweep_at = GROUPS_MAX

    def holder(self, alert: Alert) -> Lifecycle | None:
        """The incident that holds an alert, whatever its state."""
        life = self.lives.get(self._holders.get(_alert_key(alert), ""))
        return life if life is not None and alert.fingerprint in life.alerts else None

    def place(self, alert: Alert, symptom: Symptom) -> Placement:
        """Where an alert that fires belongs; changes nothing."""
        group = group_of(alert, self._config.group_by)
        own = self._own(alert, group)
        if own is not None and own.resolved_at is not None:
            return Placement(group, own, JoinReason.REOPENED_WITHIN_WINDOW)
        others = [n for n in self._connected(alert, symptom) if n is not own]
        fresh = [n for n in others if not n.revision]
        if own is not None and own.revision:
            return Placement(group, own, JoinReason.SAME_GROUP, tuple(fresh))
        known = [n for n in others if n.revision]
        mine = [] if own is None else [own]
        target = min(known or mine + fresh, key=_age, default=None)
        absorbed = tuple(n for n in mine + fresh if n is not target)
        if target is None:
            return Placement(group, None, JoinReason.FIRST_OF_GROUP)
        joined = JoinReason.SAME_GROUP if target is own else JoinReason.CALL_GRAPH
        return Placement(group, target, joined, absorbed)

    def _own(self, alert: Alert, group: Group) -> Lifecycle | None:
        """The incident that holds the alert or serves its group, if it may still join or reopen it."""
        holder = self.holder(alert)
        if holder is not None and holder.alerts[alert.fingerprint].firing:
            return holder
        for life in (holder, self.lives.get(self._served.get(group.key, ""))):
            if life is not None and life.takes(alert.time, self._config):
                return life
        return None

    def _connected(self, alert: Alert, symptom: Symptom) -> list[Lifecycle]:
        """Open incidents of the tenant with an alert of a connected entity and of about the same time."""
        if not symptom.entity:
            return []
        near = (*self._topology.near(symptom.entity), symptom.host)
        keys: list[Key] = [(Place.ENTITY, alert.tenant, name) for name in near]
        keys.append((Place.HOST, alert.tenant, symptom.entity))
        found = [self.lives[i] for i in sorted(self._index.find(keys))]
        config = self._config
        return [
            life
            for life in found
            if life.resolved_at is None
            and life.takes(alert.time, config)
            and life.near(alert.active_at, config.join_within)
        ]

    def open(self, alert: Alert, group: Group) -> Lifecycle:
        """Open the next incident of a group; the caller sees to it that there is room."""
        generation = self.use_generation(group)
        life = Lifecycle.open(alert.tenant, group, generation, alert.time, self._config)
        self.lives[life.id] = life
        return life

    def draft(self, alert: Alert, group: Group) -> Lifecycle:
        """What `open` would give, without any effect."""
        generation = self._generations.get(group.key, self._generation_floor) + 1
        return Lifecycle.open(alert.tenant, group, generation, alert.time, self._config)

    def use_generation(self, group: Group) -> int:
        """Use up the next number of a group key."""
        generation = self._generations.pop(group.key, self._generation_floor) + 1
        self._generations[group.key] = generation
        if len(self._generations) > GROUPS_MAX:
            forgotten = next(iter(self._generations))
            self._generation_floor = max(self._generation_floor, self._generations.pop(forgotten))
        return generation

    def joined(self, life: Lifecycle, alert: Alert, group: Group) -> None:
        """Take note that an alert is in an incident, which from now on serves its group."""
        self._holders[_alert_key(alert)] = life.id
        self._serve(group, life)
        # an alert that made room for another leaves a pointer that means nothing
        if len(self._holders) > self._sweep_at:
            self._holders = self._held()
            self._sweep_at = 2 * len(self._holders) + GROUPS_MAX
        self._index.put(life)

    def absorb(self, life: Lifecycle, other: Lifecycle) -> None:
        """Make an incident of which no record was written part of another."""
        life.absorb(other, self._config)
        self.forget(other)
        for item in other.alerts.values():
            if item.alert.fingerprint in life.alerts:
                self._holders[_alert_key(item.alert)] = life.id
            self._serve(group_of(item.alert, self._config.group_by), life)
        self._index.put(life)

    def forget(self, life: Lifecycle) -> None:
        """It can no longer be reopened, or is part of another."""
        del self.lives[life.id]
        self._index.drop(life.id)
        for item in life.alerts.values():
            key = group_of(item.alert, self._config.group_by).key
            for pointers, name in ((self._holders, _alert_key(item.alert)), (self._served, key)):
                if pointers.get(name) == life.id:
                    del pointers[name]

    def _serve(self, group: Group, life: Lifecycle) -> None:
        self._served.pop(group.key, None)
        self._served[group.key] = life.id
        if len(self._served) > GROUPS_MAX:
            del self._served[next(iter(self._served))]

    def _held(self) -> dict[str, str]:
        return {
            key: identity
            for key, identity in self._holders.items()
            if identity in self.lives and key.partition(" ")[0] in self.lives[identity].alerts
        }

    def surplus(self) -> Lifecycle | None:
        """The incident to end when one more would be too many: resolved ones first, then the one longest unchanged."""
        if len(self.lives) < INCIDENTS_MAX:
            return None
        return nsmallest(
            1, self.lives.values(), key=lambda n: (n.resolved_at is None, n.changed_at, n.id)
        )[0]

    def snapshot(self) -> RegistryState:
        """The whole state."""
        served = [(key, i) for key, i in self._served.items() if i in self.lives]
        return RegistryState(
            list(self.lives.values()),
            served,
            self._held(),
            list(self._generations.items()),
            self._generation_floor,
        )

    def restore(self, state: RegistryState) -> None:
        """Continue from a snapshot."""
        self.lives = {life.id: life for life in state.lives}
        self._served, self._holders = dict(state.served), dict(state.holders)
        self._generations = dict(state.generations)
        self._generation_floor = state.generation_floor
        self._index = Index()
        for life in state.lives:
            self._index.put(life)


def _alert_key(alert: Alert) -> str:
    """Identity of an alert over its transitions, within its tenant; a fingerprint has no blank."""
    return f"{alert.fingerprint} {alert.tenant}"


def _age(life: Lifecycle) -> tuple[int, str]:
    return life.opened_at, life.id
