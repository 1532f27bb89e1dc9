"""Storm: pages of a team above its budget, or while somebody holds them, are held and listed instead of told.

A storm begins with the page that is one too many within the window. From then on every page of the team is held. When
no more than half of the budget was asked for within the window, what is held and still fires is told, the most urgent
first, as many as the budget has, and as many again after each further window, until nothing is held. A hold by
command ends at its time or by command, and lets all go at once; what is over the budget then begins a storm.

Bounds: budgets of `TEAMS_MAX` teams; the one that asked for nothing for longest goes first. With `HOLDS_MAX` holds and
storms at a time a further hold is refused. It refuses to know what a page is about: it counts them.
"""

from typing import Protocol

import msgspec

from schemas.commands import Command, Verb
from schemas.config.lifecycle import StormConfig
from schemas.config.section import format_duration
from schemas.decisions import Decision
from schemas.reasons import CommandReason, Gate, GateReason
from schemas.records import rfc3339

TEAMS_MAX = 10_000
HOLDS_MAX = 1_000


class Storm(msgspec.Struct, kw_only=True):
    """Pages that are held; times are event times, ms.

    Attributes:
        team: whose pages; None for all teams of the tenant.
        gate: `storm`, or `hold` for one by command.
        until: when to look again whether it is over; of a hold its end.
        actor: who holds them.
        summary: what lists them, empty until the first is held.
        held: the incidents, in order of arrival; empty where notices are held.

    """

    tenant: str
    team: str | None
    gate: Gate
    since: int
    until: int
    actor: str = ""
    summary: str = ""
    held: list[str] = []


class LetGo(Protocol):
    """Tells what a storm holds, as much of it as the budget has, or the whole; why is said with it."""

    def __call__(self, storm: Storm, at: int, why: str, *, whole: bool = False) -> None:
        """Do so at a time."""
        ...


class StormsState(msgspec.Struct):
    """All that `Storms.restore` needs."""

    storms: list[Storm] = []
    asked: list[tuple[str, list[int]]] = []


class Storms:
    """Budgets of the teams of one partition, and what is held."""

    def __init__(self, config: StormConfig, let_go: LetGo) -> None:
        self._config = config
        self._let_go = let_go
        self._storms: dict[str, Storm] = {}
        self._asked: dict[str, list[int]] = {}
        self.next_due: int | None = None
        """When the first of the storms is to be looked at; None without any."""

    def __len__(self) -> int:
        return len(self._storms)

    def holding(self, tenant: str, team: str) -> Storm | None:
        """What holds the pages of a team now; what people say goes before the budget."""
        if not self._storms:
            return None
        names = (
            _key(tenant, None, Gate.HOLD),
            _key(tenant, team, Gate.HOLD),
            _key(tenant, team, Gate.STORM),
        )
        return next((self._storms[name] for name in names if name in self._storms), None)

    def judge(self, tenant: str, team: str, at: int) -> Decision | None:
        """Whether one more page may go; None where nobody set a limit."""
        pages = self._config.pages
        count = self._ask(tenant, team, at) if pages else 0
        storm = self.holding(tenant, team)
        if storm is None and pages and count > pages:
            storm = Storm(tenant=tenant, team=team, gate=Gate.STORM, since=at, until=0)
            storm.until = max(self._calm_at(tenant, team), at)
            self._storms[_key(tenant, team, Gate.STORM)] = storm
            self._wind()
        whose = f"team {team}" if team else "all without a team"
        if storm is not None and storm.gate is Gate.HOLD:
            text = f"{storm.actor} holds pages until {rfc3339(storm.until)}"
            return _decision(at, Gate.HOLD, GateReason.HELD_BY_COMMAND, text)
        if not pages:
            return None
        per = format_duration(self._config.per)
        text = f"page {count} of {whose} within {per}, the budget is {pages}"
        if storm is None:
            return _decision(at, Gate.STORM, GateReason.BUDGET_LEFT, text, passed=True)
        if count <= pages:
            text = f"pages of {whose} are held since {rfc3339(storm.since)}"
        return _decision(at, Gate.STORM, GateReason.OVER_BUDGET, text)

    def obey(self, command: Command) -> CommandReason | None:
        """Hold pages, of two holds the later one says until when, or let them go; why not, None when it was done."""
        tenant, team, at = command.tenant, command.subject or None, command.time
        if command.verb is Verb.RELEASE:
            found = [
                s for s in self._storms.values() if s.tenant == tenant and team in (None, s.team)
            ]
            for storm in found:
                self._let_go(storm, at, f"{command.actor} releases the pages", whole=True)
            return None if found else CommandReason.NOTHING_HELD
        if command.until <= at:
            return CommandReason.OVER_ALREADY
        name = _key(tenant, team, Gate.HOLD)
        if name not in self._storms:
            if len(self._storms) >= HOLDS_MAX:
                return CommandReason.TOO_MANY
            self._storms[name] = Storm(
                tenant=tenant, team=team, gate=Gate.HOLD, since=at, until=command.until
            )
        self._storms[name].until, self._storms[name].actor = command.until, command.actor
        self._wind()
        return None

    def fall_due(self, at: int) -> None:
        """Look at what is due, in order of beginning; what is over lets its pages go."""
        due = [storm for storm in self._storms.values() if storm.until <= at]
        for storm in sorted(due, key=lambda s: (s.until, s.since, s.tenant, s.team or "", s.gate)):
            if self._calm(storm, at):
                self._let_go(storm, at, f"{storm.gate.value} is over")

    def _calm(self, storm: Storm, at: int) -> bool:
        """Whether its pages may go now; if not, it is looked at again later."""
        if storm.gate is Gate.STORM and storm.team is not None:
            calm_at = self._calm_at(storm.tenant, storm.team)
            if calm_at > at:
                storm.until = calm_at
                self._wind()
                return False
        return True

    def room(self, storm: Storm, waiting: int, *, whole: bool) -> int:
        """How many of the pages that wait may go at once; all, where there is a budget no more."""
        limited = storm.gate is Gate.STORM and not whole
        return self._config.pages or waiting if limited else waiting

    def drip(self, storm: Storm, at: int) -> None:
        """It goes on for another window, since more is held than the budget allows to tell."""
        storm.until = at + self._config.per
        self._wind()

    def end(self, storm: Storm) -> None:
        """It is over."""
        self._storms.pop(_key(storm.tenant, storm.team, storm.gate), None)
        self._wind()

    def _ask(self, tenant: str, team: str, at: int) -> int:
        """Count a page; how many there were within the window, one more than the budget at most."""
        name = _key(tenant, team, Gate.STORM)
        asked = [*self._asked.pop(name, ()), at][-1 - self._config.pages :]
        self._asked[name] = asked
        if len(self._asked) > TEAMS_MAX:
            del self._asked[next(iter(self._asked))]
        return sum(at - time < self._config.per for time in asked)

    def _calm_at(self, tenant: str, team: str) -> int:
        asked = self._asked.get(_key(tenant, team, Gate.STORM), [])
        spared = self._config.pages // 2
        return asked[-1 - spared] + self._config.per if len(asked) > spared else 0

    def _wind(self) -> None:
        self.next_due = min((storm.until for storm in self._storms.values()), default=None)

    def snapshot(self) -> StormsState:
        """The whole state."""
        return StormsState(list(self._storms.values()), list(self._asked.items()))

    def restore(self, state: StormsState) -> None:
        """Continue from a snapshot."""
        self._storms = {_key(s.tenant, s.team, s.gate): s for s in state.storms}
        self._asked = dict(state.asked)
        self._wind()


def released(at: int, why: str) -> Decision:
    """What lets a held page go."""
    return Decision(time=at, gate=Gate.HOLD, passed=True, reason=GateReason.RELEASED, text=why)


def _key(tenant: str, team: str | None, gate: Gate) -> str:
    return msgspec.json.encode((tenant, team, gate.value)).decode()


def _decision(
    at: int, gate: Gate, reason: GateReason, text: str, *, passed: bool = False
) -> Decision:
    by = "correlate.storm.pages" if gate is Gate.STORM else ""
    return Decision(time=at, gate=gate, passed=passed, reason=reason, text=text, by=by)
