"""Pager: whether an incident may be told of now, and what becomes of those that may not.

A held incident is written as `held`, with the decision, and listed in the summary of its storm: an incident of its own,
announced at once, whose alerts are the held incidents. When the pages go again the summary is resolved, and what still
fires is told. What ends while it is held is written as resolved; nothing is ever dropped.
"""

from collections.abc import Callable

from schemas.alerts import Alert
from schemas.commands import Command
from schemas.config import CorrelateConfig
from schemas.labels import ALERTNAME, content_id
from schemas.reasons import AnnounceReason, CommandReason, Gate, IncidentChange, JoinReason
from streams.correlate.group import Group, group_of
from streams.correlate.lifecycle import Lifecycle
from streams.correlate.listed import RULE, listed, over
from streams.correlate.priority import Priorities
from streams.correlate.registry import Registry
from streams.correlate.storm import Storm, Storms, released
from streams.correlate.symptom import symptom_of

Write = Callable[[Lifecycle, int, IncidentChange, AnnounceReason | None], None]
Wind = Callable[[Lifecycle], None]


class Pager:
    """Holds pages back and lets them go; `write` writes a record, `wind` sets the timer of an incident."""

    def __init__(
        self,
        config: CorrelateConfig,
        registry: Registry,
        priorities: Priorities,
        *,
        write: Write,
        wind: Wind,
        active: bool = True,
    ) -> None:
        self._active = active
        self._config = config
        self._registry = registry
        self._priorities = priorities
        self._write = write
        self._wind = wind
        self.storms = Storms(config.storm, self._let_go)

    @property
    def next_due(self) -> int | None:
        """When a storm is to be looked at."""
        return self.storms.next_due

    def holds(self, alert: Alert) -> bool:
        """Whether the page of an alert would be held now, as far as that is known."""
        return self.storms.holding(alert.tenant, self._team(alert)) is not None

    def admits(self, life: Lifecycle, at: int) -> bool:
        """Whether an incident may be told of now; if not, it is held, and that is written."""
        if life.summary_of is not None or not self._active:
            return True
        first = min(life.alerts.values(), key=lambda a: (a.first_at, a.alert.fingerprint))
        team = self._team(first.alert)
        decision = self.storms.judge(life.tenant, team, at)
        if decision is not None:
            life.decide(decision)
        if decision is None or decision.passed:
            return True
        storm = self.storms.holding(life.tenant, team)
        assert storm is not None, "what does not pass is held by something"
        life.held = True
        life.note(at, IncidentChange.HELD, decision.text)
        self._list(storm, life, first.alert, at)
        self._write(life, at, IncidentChange.HELD, None)
        return False

    def _team(self, alert: Alert) -> str:
        return alert.labels.get(self._config.storm.team_label, "")

    def _list(self, storm: Storm, life: Lifecycle, first: Alert, at: int) -> None:
        """Put a held incident into the summary of its storm, which begins with the first one."""
        storm.held.append(life.id)
        label = self._config.storm.team_label
        labels = {"incident": life.id, "severity": life.severity.value}
        labels |= {label: storm.team} if storm.team else {}
        fingerprint = content_id(life.tenant, RULE, life.id, at)
        alert = listed(life.tenant, fingerprint, labels, first.name, len(life.firing), at)
        summary = self._registry.lives.get(storm.summary)
        group = group_of(alert, (ALERTNAME, label))
        begins = summary is None
        if summary is None:
            key = f"{group.key[:-1]}, since={at}, by={storm.gate.value}}}"
            summary = self._registry.open(alert, Group(key, group.labels))
            summary.summary_of = storm.team or ""
            storm.summary = summary.id
        symptom = symptom_of(alert, "")
        joined = JoinReason.FIRST_OF_GROUP if begins else JoinReason.SAME_GROUP
        change = summary.fire(alert, symptom, joined, self._config)
        if begins:
            reason = summary.announce(at)
            self._write(summary, at, IncidentChange.OPENED, reason)
        else:
            self._write(summary, at, change or IncidentChange.ALERTS_ADDED, None)
        self._wind(summary)

    def fall_due(self, at: int) -> None:
        """Look at the storms that are due: tell what they held, and end those that hold nothing more."""
        self.storms.fall_due(at)

    def obey(self, command: Command) -> CommandReason | None:
        """Hold pages, or let them go; why not, None when it was done."""
        # where it is inactive, whoever says who is told answers
        return self.storms.obey(command) if self._active else None

    def _let_go(self, storm: Storm, at: int, why: str, *, whole: bool = False) -> None:
        lives = [self._registry.lives[i] for i in storm.held if i in self._registry.lives]
        waiting = [life for life in lives if life.held and life.firing]
        waiting.sort(key=lambda n: (self._priority(n), n.opened_at, n.id))
        room = self.storms.room(storm, len(waiting), whole=whole)
        told, left = waiting[:room], waiting[room:]
        storm.held = [life.id for life in left]
        if left:
            self.storms.drip(storm, at)
        else:
            self.storms.end(storm)
        for life in told:
            life.held = False
            if storm.gate is Gate.STORM or whole or self.admits(life, at):
                self._tell(life, at, why)
            self._wind(life)
        summary = self._registry.lives.get(storm.summary)
        if summary is not None and not left and summary.resolved_at is None:
            self._close(summary, storm, at, f"{why}: {len(told)} incidents are told of now")

    def _priority(self, life: Lifecycle) -> str:
        return self._priorities.of_alerts(a.alert for a in life.alerts.values())

    def _tell(self, life: Lifecycle, at: int, why: str) -> None:
        first = not life.announcements.count
        life.decide(released(at, why))
        change = IncidentChange.OPENED if first else IncidentChange.ANNOUNCED
        self._write(life, at, change, life.announce(at))

    def _close(self, summary: Lifecycle, storm: Storm, at: int, text: str) -> None:
        for item in list(summary.alerts.values()):
            summary.end(over(item.alert, at))
        reason = summary.resolve(at, text)
        self._write(summary, at, IncidentChange.RESOLVED, reason)
        storm.summary = ""
        self._wind(summary)
