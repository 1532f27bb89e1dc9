"""Asked: what the gates say of a group, asked anew only where the answer may be another one.

Inhibition comes first, then the time intervals of the route, then silences, as in Alertmanager's pipeline; what one
gate has stopped, the next one is not asked about.
"""

from collections import Counter
from typing import NamedTuple

from schemas.decisions import Decision
from schemas.reasons import Gate
from streams.correlate.gates import Gates, hush
from streams.correlate.grouping import Group, GroupId
from streams.correlate.notice import Held
from streams.correlate.route import Route


class Heard(NamedTuple):
    """Alerts that a receiver may be told of: all, those that fire, and the fingerprints of these and of the others."""

    alerts: list[Held]
    burning: list[Held]
    firing: frozenset[str]
    resolved: frozenset[str]

    @classmethod
    def of(cls, alerts: list[Held]) -> "Heard":
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
    silenced: list[Held]
    decisions: list[Decision]
    said: list[tuple[str, str, str]]
    stopped: Counter[Gate]
    over: bool

    @classmethod
    def of(
        cls,
        passed: list[Held],
        silenced: list[Held],
        decisions: list[Decision],
        stopped: Counter[Gate],
        over: bool,
    ) -> "Judged":
        """What was said, with what follows from it."""
        said = [(d.alert, d.reason, d.by) for d in decisions]
        return cls(Heard.of(passed), silenced, decisions, said, stopped, over)


class Verdicts:
    """Asks the gates; `stopped` counts what they stopped since the start of the process."""

    def __init__(self, gates: Gates) -> None:
        self._gates = gates
        self._settled: dict[GroupId, tuple[int, Judged]] = {}
        self.stopped: Counter[Gate] = Counter()

    def forget(self, group: Group) -> None:
        """Another alert is in it, or one has gone."""
        self._settled.pop(group.id, None)

    def judge(self, group: Group, route: Route, at: int) -> Judged:
        """What may be told of a group; asked anew only where the answer may be another one."""
        settled = self._gates.settled(route)
        known = self._settled.get(group.id)
        if known is not None and known[0] == settled:
            judged = known[1]
        else:
            judged = self._ask(group, route, at)
            self._settled.pop(group.id, None)
            if settled is not None and not group.hushed:
                self._settled[group.id] = settled, judged
        if judged.stopped:
            self.stopped.update(judged.stopped)
        return judged

    def _ask(self, group: Group, route: Route, at: int) -> Judged:
        """Put every alert of a group through the gates."""
        every = list(group.alerts.values())
        over = not all(held.firing for held in every)
        passed, decisions = self._inhibited(every, at)
        stopped_by = Counter([d.gate for d in decisions])
        closed = self._gates.closed(route, at) if passed else None
        if closed is not None:
            stopped_by[closed.gate] += len(passed)
            return Judged.of([], [], [*decisions, closed], stopped_by, over)
        heard: list[Held] = []
        silenced: list[Held] = []
        for held in passed:
            by = group.hushed.get(held.alert.fingerprint)
            stopped = hush(held.alert, at, by) if by else self._gates.silenced(held.alert, at)
            if stopped is None:
                heard.append(held)
            else:
                silenced.append(held)
                decisions.append(stopped)
                stopped_by[stopped.gate] += 1
        return Judged.of(heard, silenced, decisions, stopped_by, over)

    def _inhibited(self, every: list[Held], at: int) -> tuple[list[Held], list[Decision]]:
        """Those that no other alert inhibits, and what stops the rest."""
        if not self._gates.inhibitor:
            return every, []
        passed: list[Held] = []
        decisions: list[Decision] = []
        for held in every:
            stopped = self._gates.inhibited(held.alert, at)
            if stopped is None:
                passed.append(held)
            else:
                decisions.append(stopped)
        return passed, decisions
