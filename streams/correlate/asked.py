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


class Judged(NamedTuple):
    """What the gates said of a group: what may be told, what silences keep back, and all that was stopped."""

    passed: list[Held]
    silenced: list[Held]
    decisions: list[Decision]
    stopped: Counter[Gate]

    @property
    def said(self) -> list[tuple[str, str, str]]:
        """What was stopped, without the time."""
        return [(d.alert, d.reason, d.by) for d in self.decisions]


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
        self.stopped.update(judged.stopped)
        return judged

    def _ask(self, group: Group, route: Route, at: int) -> Judged:
        """Put every alert of a group through the gates."""
        passed: list[Held] = []
        silenced: list[Held] = []
        decisions: list[Decision] = []
        inhibits = bool(self._gates.inhibitor)
        for held in group.alerts.values():
            stopped = self._gates.inhibited(held.alert, at) if inhibits else None
            if stopped is None:
                passed.append(held)
            else:
                decisions.append(stopped)
        stopped_by = Counter(d.gate for d in decisions)
        closed = self._gates.closed(route, at) if passed else None
        if closed is not None:
            stopped_by[closed.gate] += len(passed)
            return Judged([], [], [*decisions, closed], stopped_by)
        heard: list[Held] = []
        for held in passed:
            by = group.hushed.get(held.alert.fingerprint)
            stopped = hush(held.alert, at, by) if by else self._gates.silenced(held.alert, at)
            if stopped is None:
                heard.append(held)
            else:
                silenced.append(held)
                decisions.append(stopped)
                stopped_by[stopped.gate] += 1
        return Judged(heard, silenced, decisions, stopped_by)
