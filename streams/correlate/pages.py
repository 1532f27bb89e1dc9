"""Pages: the budget of notices, where a route tree says who is told; what is held waits in its group.

A notice that may not go changes nothing of what its receiver knows, so its group has it to tell at each later flush:
nothing is lost, and nothing told twice. It is written, with the decision, and listed in the summary of its storm,
which every receiver that waits is told of once. When the pages go again, receivers are told in order of severity, as
many at once as the budget has. That all has ended is told at any time.

Bounds: `WAITING_MAX` notices are listed; one more is held all the same, and told at its flush after the storm.
"""

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from schemas.alerts import Alert
from schemas.commands import Command
from schemas.config.lifecycle import StormConfig
from schemas.decisions import Decision
from schemas.labels import ALERTNAME, content_id
from schemas.reasons import AnnounceReason, CommandReason, Gate
from streams.correlate.grouping import Group, PagesState, Waiting
from streams.correlate.listed import HELD_PAGE, RULE, listed, over
from streams.correlate.notice import Member
from streams.correlate.storm import Storm, Storms, released

WAITING_MAX = 100_000


class Summary(NamedTuple):
    """A summary to write for one receiver; `announce` where it is told of it."""

    tenant: str
    receiver: str
    name: str
    labels: dict[str, str]
    alerts: list[Member]
    announce: AnnounceReason | None


Tell = Callable[[Waiting, int, Decision | None], None]
"""Tell a receiver now, with the decision that lets it; without one the budget is asked."""
Write = Callable[[Summary, int], None]
_Lists = dict[tuple[str, str, str], dict[str, Waiting]]


class Pages:
    """The budgets of the teams of one partition; `tell` tells a receiver, `write` writes a summary."""

    def __init__(self, config: StormConfig, *, tell: Tell, write: Write) -> None:
        self._config = config
        self._tell = tell
        self._write = write
        self._storms = Storms(config, self._let_go)
        self._waiting: dict[str, Waiting] = {}
        self._lists: _Lists = {}

    @property
    def next_due(self) -> int | None:
        """When a storm is to be looked at."""
        return self._storms.next_due

    def waits(self, memory: str) -> bool:
        """Whether a receiver is to be told of a group later."""
        return memory in self._waiting

    def forget(self, memory: str, at: int) -> None:
        """There is nothing more to tell this receiver of this group."""
        waiting = self._waiting.pop(memory, None)
        if waiting is not None:
            waiting.over_at = at

    def judge(self, group: Group, firing: Collection[Member], at: int) -> Decision | None:
        """Whether one more notice may go; None where nobody set a limit."""
        if not self._config.pages and not len(self._storms):
            return None
        return self._storms.judge(group.tenant, self._team(firing), at)

    def hold(self, group: Group, receiver: str, firing: Collection[Member], at: int) -> None:
        """List a notice that may not go."""
        storm = self._storms.holding(group.tenant, self._team(firing))
        assert storm is not None, "what does not pass is held by something"
        if sum(map(len, self._lists.values())) >= WAITING_MAX:
            return
        storm.summary = storm.summary or f"{storm.gate.value}:{storm.team or ''}@{storm.since}"
        memory = group.memory(receiver)
        alert = self._listed(storm, group, receiver, firing, at)
        waiting = Waiting(memory, group.id, receiver, storm.summary, alert)
        key = storm.tenant, storm.summary, receiver
        begins = key not in self._lists
        listed = self._lists.setdefault(key, {})
        grows = memory not in listed
        self._waiting[memory] = listed[memory] = waiting
        if grows and len(listed) & (len(listed) - 1) == 0:
            # written anew whenever it has doubled, so that a list of n costs n and not its square
            announce = AnnounceReason.FIRST_NOTIFICATION if begins else None
            self._summarise(storm, receiver, listed.values(), at, announce)

    def fall_due(self, at: int) -> None:
        """Look at the storms that are due: tell what they held, and end those that hold nothing more."""
        self._storms.fall_due(at)

    def obey(self, command: Command) -> CommandReason | None:
        """Hold pages, or let them go; why not, None when it was done."""
        return self._storms.obey(command)

    def _let_go(self, storm: Storm, at: int, why: str, *, whole: bool = False) -> None:
        keys = [key for key in self._lists if key[:2] == (storm.tenant, storm.summary)]
        waiting = [w for key in keys for w in self._lists[key].values() if w.over_at is None]
        waiting.sort(key=lambda w: (w.alert.severity.rank, w.alert.time, w.memory))
        free = released(at, why) if whole or storm.gate is Gate.STORM else None
        room = self._storms.room(storm, len(waiting), whole=whole)
        told, left = waiting[:room], waiting[room:]
        if left:
            self._storms.drip(storm, at)
        else:
            self._storms.end(storm)
        for each in told:
            self.forget(each.memory, at)
        for each in told:
            self._tell(each, at, free)
        for key in keys:
            listed = self._lists[key].values()
            announce = None if left else AnnounceReason.ALL_ALERTS_RESOLVED
            self._summarise(storm, key[2], listed, at, announce)
            if not left:
                del self._lists[key]

    def _summarise(
        self,
        storm: Storm,
        receiver: str,
        listed: Iterable[Waiting],
        at: int,
        announce: AnnounceReason | None,
    ) -> None:
        alerts = [
            Member(w.alert if w.over_at is None else over(w.alert, w.over_at), w.alert.time)
            for w in listed
        ]
        labels = {ALERTNAME: HELD_PAGE, **self._label(storm)}
        summary = Summary(storm.tenant, receiver, storm.summary, labels, alerts, announce)
        self._write(summary, at)

    def _team(self, firing: Collection[Member]) -> str:
        first = min(firing, key=lambda h: (h.first_at, h.alert.fingerprint))
        return first.alert.labels.get(self._config.team_label, "")

    def _label(self, storm: Storm) -> dict[str, str]:
        return {self._config.team_label: storm.team} if storm.team else {}

    def _listed(
        self, storm: Storm, group: Group, receiver: str, firing: Collection[Member], at: int
    ) -> Alert:
        """A held notice as an alert of the summary."""
        worst = min((h.alert.severity for h in firing), key=lambda s: s.rank)
        labels = {"group": group.name, "severity": worst.value, **self._label(storm)}
        fingerprint = content_id(group.tenant, RULE, receiver, group.name, at)
        names = ", ".join(sorted({h.alert.name for h in firing}))
        return listed(group.tenant, fingerprint, labels, names, len(firing), at)

    def snapshot(self) -> PagesState:
        """The whole state."""
        listed = [w for each in self._lists.values() for w in each.values()]
        return PagesState(self._storms.snapshot(), listed)

    def restore(self, state: PagesState) -> None:
        """Continue from a snapshot."""
        self._storms.restore(state.storms)
        self._lists, self._waiting = {}, {}
        for each in state.listed:
            key = each.alert.tenant, each.storm, each.receiver
            self._lists.setdefault(key, {})[each.memory] = each
            if each.over_at is None:
                self._waiting[each.memory] = each
