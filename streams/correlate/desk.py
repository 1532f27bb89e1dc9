"""Desk: what people say to an incident, done to it; or the reason why not.

A command never takes effect in part. One that is refused stands in the timeline of its incident; where there is none,
it is handed to whoever drives the stage. Merged incidents keep their ids: the one that is made part of another is
closed with a pointer to it, and comes back under its own id when it is taken out again.
"""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from schemas.commands import Command, Verb
from schemas.config import CorrelateConfig
from schemas.decisions import Decision
from schemas.reasons import AnnounceReason, CommandReason, Gate, GateReason, IncidentChange
from streams.correlate.gates import Gates
from streams.correlate.lifecycle import Lifecycle
from streams.correlate.pager import Pager
from streams.correlate.registry import Registry


class Turn(NamedTuple):
    """An incident that a command has changed.

    Attributes:
        announce: why people are to be told of it at once; None when they are not.
        over: it is closed by this, so the record is written at once.

    """

    life: Lifecycle
    change: IncidentChange
    announce: AnnounceReason | None = None
    over: bool = False


Answer: TypeAlias = list[Turn] | CommandReason


class Refusal(NamedTuple):
    """A command that was not carried out, and why."""

    command: Command
    reason: CommandReason


class Desk:
    """Carries out commands on the incidents of one partition."""

    def __init__(
        self, registry: Registry, pager: Pager, gates: Gates | None, config: CorrelateConfig
    ) -> None:
        self._registry = registry
        self._pager = pager
        self._gates = gates
        self._config = config
        self.refused: Counter[CommandReason] = Counter()
        self.refusals: list[Refusal] = []
        self._deeds: dict[Verb, Callable[[Lifecycle, Command], Answer]] = {
            Verb.ACKNOWLEDGE: self._acknowledge,
            Verb.UNACKNOWLEDGE: self._unacknowledge,
            Verb.ASSIGN: self._assign,
            Verb.NOTE: self._note,
            Verb.RESOLVE: self._resolve,
            Verb.REOPEN: self._reopen,
            Verb.MERGE: self._merge,
            Verb.UNMERGE: self._unmerge,
            Verb.FINE: self._opine,
            Verb.BAD: self._opine,
        }

    def obey(self, command: Command) -> list[Turn]:
        """Carry out a command, or refuse it with a reason; the incidents that it has changed."""
        if not command.verb.of_incident:
            reason = self._obey_tenant(command)
            return [] if reason is None else self.refuse(command, reason)
        life = self._find(command.incident, command.tenant)
        if life is None:
            return self.refuse(command, CommandReason.UNKNOWN_INCIDENT)
        answer = self._deeds[command.verb](life, command)
        if isinstance(answer, CommandReason):
            self.refused[answer] += 1
            text = f"{command.verb.value} refused: {answer.value}"
            life.note(command.time, IncidentChange.REFUSED, text, command.actor)
            return [Turn(life, IncidentChange.REFUSED)]
        return answer

    def _obey_tenant(self, command: Command) -> CommandReason | None:
        if command.verb in (Verb.HOLD, Verb.RELEASE):
            return self._pager.obey(command)
        return None if self._gates is None else self._gates.obey(command)

    def refuse(self, command: Command, reason: CommandReason) -> list[Turn]:
        """Count a command that is not carried out, and keep it for whoever drives the stage."""
        self.refused[reason] += 1
        self.refusals.append(Refusal(command, reason))
        return []

    def take_refusals(self) -> list[Refusal]:
        """Refused commands that no incident shows, since the last call."""
        found = self.refusals
        if found:
            self.refusals = []
        return found

    def _find(self, identity: str, tenant: str) -> Lifecycle | None:
        """An incident of this tenant; those of others do not exist for it."""
        life = self._registry.lives.get(identity)
        return life if life is not None and life.tenant == tenant else None

    def _acknowledge(self, life: Lifecycle, command: Command) -> Answer:
        if life.resolved_at is not None:
            return CommandReason.ALREADY_RESOLVED
        life.acknowledged_at, life.owner = command.time, command.subject or command.actor
        text = f"acknowledged by {life.owner}: reminders stop"
        life.decide(
            Decision(
                time=command.time,
                gate=Gate.ACKNOWLEDGED,
                passed=False,
                reason=GateReason.ACKNOWLEDGED_BY_OWNER,
                text=text,
            )
        )
        return self._done(life, command, IncidentChange.ACKNOWLEDGED, text)

    def _unacknowledge(self, life: Lifecycle, command: Command) -> Answer:
        if life.acknowledged_at is None or life.resolved_at is not None:
            return CommandReason.NOT_ACKNOWLEDGED
        life.acknowledged_at, life.owner, life.resumed_at = None, "", command.time
        text = "no longer acknowledged: reminders go on"
        return self._done(life, command, IncidentChange.UNACKNOWLEDGED, text)

    def _assign(self, life: Lifecycle, command: Command) -> Answer:
        if not command.subject:
            return CommandReason.INCOMPLETE
        life.owner = command.subject
        return self._done(life, command, IncidentChange.ASSIGNED, f"assigned to {life.owner}")

    def _note(self, life: Lifecycle, command: Command) -> Answer:
        if not command.text:
            return CommandReason.INCOMPLETE
        return self._done(life, command, IncidentChange.NOTED, "")

    def _opine(self, life: Lifecycle, command: Command) -> Answer:
        """What it means for detectors is their matter; here it stands in the timeline."""
        return self._done(life, command, IncidentChange.NOTED, f"said to be {command.verb.value}")

    def _resolve(self, life: Lifecycle, command: Command) -> Answer:
        if life.resolved_at is not None:
            return CommandReason.ALREADY_RESOLVED
        text = _join("resolved by hand", command.text)
        reason = life.resolve(command.time, text, command.actor)
        return [Turn(life, IncidentChange.RESOLVED, reason, over=True)]

    def _reopen(self, life: Lifecycle, command: Command) -> Answer:
        if life.merged_into:
            return CommandReason.ALREADY_MERGED
        if life.resolved_at is None:
            return CommandReason.NOT_RESOLVED
        life.reopen(command.time, self._config)
        return self._done(life, command, IncidentChange.REOPENED, "reopened by hand")

    def _merge(self, life: Lifecycle, command: Command) -> Answer:
        part = self._find(command.subject, command.tenant)
        if part is None:
            return CommandReason.UNKNOWN_INCIDENT
        if part is life:
            return CommandReason.SAME_INCIDENT
        if part.merged_into or life.merged_into:
            return CommandReason.ALREADY_MERGED
        if part.resolved_at is not None or life.resolved_at is not None:
            return CommandReason.ALREADY_RESOLVED
        at = command.time
        self._registry.merge(life, part, at)
        life.resumed_at = at
        part.note(
            at, IncidentChange.MERGED, _join(f"part of {life.id}", command.text), command.actor
        )
        ended = part.announcements.end(at)
        turns = self._done(life, command, IncidentChange.MERGED, f"took in {part.id}")
        return [Turn(part, IncidentChange.MERGED, ended, over=True), *turns]

    def _unmerge(self, life: Lifecycle, command: Command) -> Answer:
        """`life` is the part that is to be an incident of its own again."""
        whole = self._registry.lives.get(life.merged_into)
        if whole is None:
            return CommandReason.NOT_MERGED
        if whole.alerts.keys() <= life.alerts.keys():
            return CommandReason.NOT_TAKEN
        if whole.resolved_at is not None:
            return CommandReason.ALREADY_RESOLVED
        at = command.time
        self._registry.unmerge(whole, life, at)
        life.announcements.begin(at, self._config)
        whole.resumed_at = at
        whole.note(at, IncidentChange.UNMERGED, f"{life.id} is taken out", command.actor)
        turns = self._done(life, command, IncidentChange.UNMERGED, f"taken out of {whole.id}")
        return [*turns, Turn(whole, IncidentChange.UNMERGED)]

    def _done(
        self, life: Lifecycle, command: Command, change: IncidentChange, text: str
    ) -> list[Turn]:
        life.note(command.time, change, _join(text, command.text), command.actor)
        return [Turn(life, change)]


def _join(what: str, comment: str) -> str:
    return f"{what}: {comment}" if what and comment else what or comment
