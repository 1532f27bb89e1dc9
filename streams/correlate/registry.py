"""Registry: the incidents that are open or may be reopened, and which of them an alert belongs to.

An alert goes, in this order, to the incident that holds it or serves its group and still takes it; else to one with
an alert of about the same time that is connected with it, by the call graph, by a label of `join_labels`, or because
the two began together time after time; else to a new one. Where it connects incidents of which
no record was written yet, they become one: nobody has seen that they were several. With `split_on_severity` an alert
that is worse than all of an incident that people have seen opens a new one.

Bounds: `INCIDENTS_MAX` incidents, and as many group keys as `GROUPS_MAX`; the one unchanged for longest goes first.
A group key that is forgotten never gets a generation again that it had before.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import msgspec

from schemas.alerts import Alert
from schemas.config import CorrelateConfig
from schemas.reasons import IncidentChange, JoinReason
from streams.correlate.cooccurrence import Cooccurrence, Together
from streams.correlate.graphs import Graphs
from streams.correlate.group import Group, group_of
from streams.correlate.index import Index, Key, Place
from streams.correlate.lifecycle import Lifecycle
from streams.correlate.merging import absorb, take_back
from streams.correlate.oldest import Oldest
from streams.correlate.symptom import Symptom

_GROWS = (
    IncidentChange.OPENED,
    IncidentChange.ALERTS_ADDED,
    IncidentChange.SEVERITY_RAISED,
)
INCIDENTS_MAX = 20_000
GROUPS_MAX = 100_000


Link: TypeAlias = tuple[JoinReason, str]
"""Why two alerts are connected, and what more there is to say of it."""


class Placement(NamedTuple):
    """Where an alert goes: an incident, or None for a new one; why; and the incidents that become part of it.

    `because` says more of why, empty where there is no more to say.
    """

    group: Group
    life: Lifecycle | None
    joined: JoinReason
    absorbed: tuple[Lifecycle, ...] = ()
    because: str = ""


class RegistryState(msgspec.Struct):
    """All that `Registry.restore` needs."""

    lives: list[Lifecycle]
    served: list[tuple[str, str]]
    holders: dict[str, str]
    generations: list[tuple[str, int]]
    generation_floor: int


class Registry:
    """Incidents by identity, group key, alert and entity."""

    def __init__(self, config: CorrelateConfig, graphs: Graphs) -> None:
        self._config = config
        self._graphs = graphs
        self.together = Cooccurrence(config.join_within)
        self.lives: dict[str, Lifecycle] = {}
        self._index = Index()
        self._oldest = Oldest()
        self._served: dict[str, str] = {}
        self._holders: dict[str, str] = {}
        self._generations: dict[str, int] = {}
        self._generation_floor = 0
        self._sweep_at = GROUPS_MAX

    def holder(self, alert: Alert) -> Lifecycle | None:
        """The incident that holds an alert, whatever its state."""
        life = self.lives.get(self._holders.get(_alert_key(alert), ""))
        return life if life is not None and alert.fingerprint in life.alerts else None

    def place(self, alert: Alert, symptom: Symptom, holder: Lifecycle | None) -> Placement:
        """Where an alert that fires, and that the holder holds, belongs; changes nothing."""
        group = group_of(alert, self._config.group_by)
        own = self._own(alert, group, holder)
        if own is not None and own.resolved_at is not None:
            return Placement(group, own, JoinReason.REOPENED_WITHIN_WINDOW)
        if own is not None and self._splits(own, alert):
            return Placement(group, None, JoinReason.SEVERITY_SPLIT)
        links = self._connected(alert, symptom, "" if own is None else own.id)
        if not links:
            alone = JoinReason.FIRST_OF_GROUP if own is None else JoinReason.SAME_GROUP
            return Placement(group, own, alone)
        others = [self.lives[i] for i in sorted(links)]
        fresh = [n for n in others if not n.revision]
        if own is not None and own.revision:
            return Placement(group, own, JoinReason.SAME_GROUP, tuple(fresh))
        known = [n for n in others if n.revision and not self._splits(n, alert)]
        mine = [] if own is None else [own]
        target = min(known or mine + fresh, key=_age, default=None)
        absorbed = tuple(n for n in mine + fresh if n is not target)
        if target is None:
            # what it is connected with is too harmless for it, and people have seen that
            return Placement(group, None, JoinReason.FIRST_OF_GROUP)
        if target is own:
            return Placement(group, target, JoinReason.SAME_GROUP, absorbed)
        joined, because = links[target.id]
        return Placement(group, target, joined, absorbed, because)

    def _splits(self, life: Lifecycle, alert: Alert) -> bool:
        """Whether an alert is too bad for an incident that people have seen already."""
        if not self._config.split_on_severity or not life.revision:
            return False
        worse = alert.severity.rank < life.severity.rank
        return worse and alert.fingerprint not in life.alerts

    def _own(self, alert: Alert, group: Group, holder: Lifecycle | None) -> Lifecycle | None:
        """The incident that holds the alert or serves its group, if it may still join or reopen it."""
        if holder is not None and holder.alerts[alert.fingerprint].firing:
            return holder
        for life in (holder, self.lives.get(self._served.get(group.key, ""))):
            if life is not None and life.takes(alert.time, self._config):
                return life
        return None

    def _connected(self, alert: Alert, symptom: Symptom, own: str) -> dict[str, Link]:
        """Other open incidents of the tenant with an alert of about the same time that is connected with this one."""
        found: dict[str, Link] = {}
        for link, lives in self._links(alert, symptom):
            for identity in sorted(lives):
                if identity in found or identity == own:
                    continue
                life = self.lives[identity]
                if (
                    life.resolved_at is None
                    and life.near(alert.active_at, self._config.join_within)
                    and life.takes(alert.time, self._config)
                ):
                    found[identity] = link
        return found

    def _links(self, alert: Alert, symptom: Symptom) -> Iterator[tuple[Link, set[str]]]:
        """Incidents by what connects them, the strongest link first."""
        tenant, entity = alert.tenant, symptom.entity
        graph = self._graphs.of(tenant, alert.time)
        if entity:
            declared: list[Key] = [(Place.HOST, tenant, entity)]
            if symptom.host:
                declared.append((Place.ENTITY, tenant, symptom.host))
            near = self._graphs.declared.near(entity)
            declared += [(Place.ENTITY, tenant, name) for name in near]
            yield (JoinReason.CALL_GRAPH, ""), self._index.find(declared)
            if graph is not self._graphs.declared:
                learnt: list[Key] = [(Place.ENTITY, tenant, n) for n in graph.near(entity)]
                yield (JoinReason.LEARNT_GRAPH, ""), self._index.find(learnt)
        for text in symptom.shared:
            yield (JoinReason.SHARED_LABEL, text), self._index.find([(Place.SHARED, tenant, text)])
        for fingerprint, together in self._belonging(alert):
            identity = self._holders.get(f"{fingerprint} {tenant}", "")
            if identity in self.lives:
                yield (JoinReason.SEEN_TOGETHER, str(together)), {identity}

    def _belonging(self, alert: Alert) -> list[tuple[str, Together]]:
        if not self._config.learn_together:
            return []
        return self.together.belongs(alert.tenant, alert.fingerprint, alert.time)

    def open(self, alert: Alert, group: Group) -> Lifecycle:
        """Open the next incident of a group; the caller sees to it that there is room."""
        generation = self.use_generation(group)
        life = Lifecycle.open(alert.tenant, group, generation, alert.time, self._config)
        self.lives[life.id] = life
        self.changed(life)
        return life

    def changed(self, life: Lifecycle) -> None:
        """Take note that something of an incident is different."""
        self._oldest.changed(life, self.lives)

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

    def joined(self, life: Lifecycle, alert: Alert, group: Group, change: IncidentChange) -> None:
        """Take note that an alert is in an incident, which from now on serves its group."""
        self._holders[_alert_key(alert)] = life.id
        self._serve(group, life)
        # an alert that made room for another leaves a pointer that means nothing
        if len(self._holders) > self._sweep_at:
            self._holders = self._held()
            self._sweep_at = 2 * len(self._holders) + GROUPS_MAX
        if change in _GROWS and len(life.alerts) < self._config.max_alerts:
            self._index.add(life, life.symptoms[alert.fingerprint])
        else:
            # old alerts may have gone with what they told
            self._index.put(life)

    def absorb(self, life: Lifecycle, other: Lifecycle) -> None:
        """Make an incident of which no record was written part of another."""
        absorb(life, other, self._config)
        self.forget(other)
        self._hand_over(other, life)

    def merge(self, life: Lifecycle, part: Lifecycle, at: int) -> None:
        """Make an incident part of another by hand; it can be taken out again until the other is forgotten."""
        absorb(life, part, self._config, JoinReason.MERGED_BY_HAND)
        life.parts.append(part.id)
        part.merged_into, part.resolved_at, part.held = life.id, at, False
        self._index.drop(part.id)
        self._hand_over(part, life)

    def unmerge(self, life: Lifecycle, part: Lifecycle, at: int) -> None:
        """Take an incident out of another, with the alerts that it brought, as they stand now."""
        life.parts.remove(part.id)
        take_back(part, life, at)
        self._index.put(life)
        self._hand_over(part, part)

    def _hand_over(self, source: Lifecycle, life: Lifecycle) -> None:
        """From now on the alerts and groups of one incident are the business of another."""
        for item in source.alerts.values():
            if item.alert.fingerprint in life.alerts:
                self._holders[_alert_key(item.alert)] = life.id
            self._serve(group_of(item.alert, self._config.group_by), life)
        self._index.put(life)

    def forget(self, life: Lifecycle) -> None:
        """It can no longer be reopened, or is part of another."""
        for part in life.parts:
            self.forget(self.lives[part])
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
        return None if len(self.lives) < INCIDENTS_MAX else self._oldest.first(self.lives)

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
        self._index, self._oldest = Index(), Oldest()
        for life in state.lives:
            if not life.merged_into:
                self._index.put(life)


def _alert_key(alert: Alert) -> str:
    """Identity of an alert over its transitions, within its tenant; a fingerprint has no blank."""
    return f"{alert.fingerprint} {alert.tenant}"


def _age(life: Lifecycle) -> tuple[int, str]:
    return life.opened_at, life.id
