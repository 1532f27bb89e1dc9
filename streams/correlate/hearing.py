"""Hearing: what the gates say of a group, asked anew only where the answer may be another one.

Inhibition comes first, then the time intervals of the route, then silences, as in Alertmanager's pipeline; what one
gate has stopped, the next one is not asked about.
"""

from collections import Counter
from typing import NamedTuple

from schemas.decisions import Decision
from schemas.reasons import Gate
from streams.correlate.gates import Gates, hush
from streams.correlate.grouping import Group, GroupId
from streams.correlate.notice import Member
from streams.correlate.route import Route


class Heard(NamedTuple):
    """Alerts that a receiver may be told of: all, those that fire, and the fingerprints of these and of the others."""

    alerts: list[Member]
    burning: list[Member]
    firing: frozenset[str]
    resolved: frozenset[str]

    @classmethod
    def of(cls, alerts: list[Member]) -> "Heard":
        """Sort out what fires."""
        burning = [h for h in alerts if h.firing]
        firing = frozenset([h.alert.fingerprint for h in burning])
        over = len(burning) < len(alerts)
        resolved = [h.alert.fingerprint for h in alerts if not h.firing] if over else ()
        return cls(alerts, burning, firing, frozenset(resolved))


class Judged(NamedTuple):
    """What the gates said of a group.

    Attributes:
        passed: what may be told.
        silenced: what silences keep back.
        decisions: all that was stopped; `said` is the same without the time.
        over: whether an alert of the group has resolved.

    """

    passed: Heard
    silenced: list[Member]
    decisions: list[Decision]
    said: list[tuple[str, str, str]]
    stopped: Counter[Gate]
    over: bool

    @classmethod
    def of(
        cls,
        passed: list[Member],
        silenced: list[Member],
        decisions: list[Decision],
        stopped: Counter[Gate],
        over: bool,
    ) -> "Judged":
        """What was said, with what follows from it."""
        said = [(d.alert, d.reason, d.by) for d in decisions]
        return cls(Heard.of(passed), silenced, decisions, said, stopped, over)


class Hearing:
    """Asks the gates; `stopped` counts what they stopped since the start of the process."""

    def __init__(self, gates: Gates) -> None:
        self._gates = gates
        self._settled: dict[GroupId, tuple[int, Judged]] = {}
        self.stopped: Counter[Gate] = Counter()

    def forget(self, group: GroupId) -> None:
        """Another alert is in it, or one has gone."""
        self._settled.pop(group, None)

    def judge(self, group: Group, route: Route, at: int) -> Judged:
        """What may be told of a group; asked anew only where the answer may be another one."""
        settled, identity = self._gates.settled(route), group.id
        known = self._settled.get(identity)
        if known is not None and known[0] == settled:
            judged = known[1]
        else:
            judged = self._ask(group, route, at)
            self._settled.pop(identity, None)
            if settled is not None and not group.hushed:
                self._settled[identity] = settled, judged
        if judged.stopped:
            self.stopped.update(judged.stopped)
        return judged

    def _ask(self, group: Group, route: Route, at: int) -> Judged:
        """Put every alert of a group through the gates."""
        every = list(group.alerts.values())
        over = not all(member.firing for member in every)
        passed, decisions = self._inhibited(every, at)
        stopped_by = Counter([d.gate for d in decisions])
        closed = self._gates.closed(route, at) if passed else None
        if closed is not None:
            stopped_by[closed.gate] += len(passed)
            return Judged.of([], [], [*decisions, closed], stopped_by, over)
        if not group.hushed and not self._gates.silences:
            return Judged.of(passed, [], decisions, stopped_by, over)
        heard: list[Member] = []
        silenced: list[Member] = []
        for member in passed:
            by = group.hushed.get(member.alert.fingerprint)
            stopped = hush(member.alert, at, by) if by else self._gates.silenced(member.alert, at)
            if stopped is None:
                heard.append(member)
            else:
                silenced.append(member)
                decisions.append(stopped)
                stopped_by[stopped.gate] += 1
        return Judged.of(heard, silenced, decisions, stopped_by, over)

    def _inhibited(self, every: list[Member], at: int) -> tuple[list[Member], list[Decision]]:
        """Those that no other alert inhibits, and what stops the rest."""
        if not self._gates.inhibitor:
            return every, []
        passed: list[Member] = []
        decisions: list[Decision] = []
        for member in every:
            stopped = self._gates.inhibited(member.alert, at)
            if stopped is None:
                passed.append(member)
            else:
                decisions.append(stopped)
        return passed, decisions
