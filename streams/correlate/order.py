"""Order: alerts of many detect partitions, held until every one of them has ticked past their time.

What comes out is sorted by (time, fingerprint, state, id), so it does not depend on how the partitions' records were
interleaved, nor on how often a restarted worker sent them again. No partition is ever given up: one that is only read
late cannot be told from one that is silent, and detect partitions always tick.

Commands of people wait for their time in the same way, and come out by (time, id). One that comes after its time was
passed takes effect just behind what was released; which of them were seen is remembered for the last `SEEN_MAX`. Facts
wait likewise; beyond `FACTS_MAX` the earliest is let go.

At most `HELD_MAX` alerts are held: beyond that the earlier half is released without waiting. What a partition brings
from behind after that is counted as late and taken in as if it had happened now: an end that were dropped would leave
an incident open for ever. Alerts that were sent before and those whose source is not expected are refused, each with
a reason.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from heapq import merge
from typing import NamedTuple

import msgspec

from schemas.alerts import Alert, Fact, Tick
from schemas.commands import Command
from schemas.reasons import AlertState, CommandReason
from streams.correlate.reasons import DropReason
from streams.time.watermark import BEFORE_ALL

HELD_MAX = 100_000
BOUNDS_MAX = 100_000
COMMANDS_MAX = 10_000
FACTS_MAX = 20_000
SEEN_MAX = 20_000

_Key = tuple[int, int, str, AlertState, str]


class Release(NamedTuple):
    """What became certain at once.

    Attributes:
        until: no alert up to and including this time is still to come.
        alerts: in order.
        bounds: (time, record time) of the ticks since the last release, ascending, the last one at `until`.
        commands: in order; at equal times they come after the alerts.
        facts: in order; at equal times they come before the alerts.

    """

    until: int
    alerts: list[Alert]
    bounds: list[tuple[int, int]]
    commands: list[Command] = []
    facts: list[Fact] = []

    def in_order(self) -> Iterable[Alert | Command | Fact]:
        """All of it by time; at equal times facts come first, then alerts, each kind in its own order."""
        if not self.commands and not self.facts:
            return self.alerts
        return merge(self.facts, self.alerts, self.commands, key=lambda record: record.time)

    def backlog(self, at: int) -> tuple[int, Iterator[Alert]]:
        """Record time at which this event time was passed, and the alerts after it that were known by then.

        Both follow from the first tick of any source at or after `at`, so they are the same however the sources were
        interleaved.
        """
        time, record_time = self._passed(at)
        return record_time, (a for a in self.alerts if at < a.time <= time)

    def _passed(self, at: int) -> tuple[int, int]:
        """Time and record time of the first tick of any source at or after an event time."""
        first = bisect_left(self.bounds, (at, BEFORE_ALL))
        time = self.bounds[first][0]
        return time, max(r for t, r in self.bounds[first:] if t == time)

    def known_with(self, at: int, within_ms: int) -> int:
        """Event time up to which all became known at once with this, where that was over so much later; else this."""
        if not self.bounds:
            return at
        time, record_time = self._passed(at)
        return time if record_time - at > within_ms else at

    def over_by_then(self, at: int, within_ms: int, tenant: str, firing: AbstractSet[str]) -> bool:
        """Whether this event time was passed by more than so much, and what was known by then ends all of these alerts.

        The record times of the ticks say when it was passed.
        """
        passed_at, backlog = self.backlog(at)
        if passed_at - at <= within_ms:
            return False
        last = {a.fingerprint: a.state for a in backlog if a.tenant == tenant}
        return all(last.get(f) is AlertState.RESOLVED for f in firing)


class OrderState(msgspec.Struct):
    """All that `Order.restore` needs."""

    ticked: list[tuple[int, int]]
    held: list[tuple[int, Alert]]
    bounds: list[tuple[int, int]]
    until: int
    commands: list[Command] = []
    seen: list[str] = []
    facts: list[Fact] = []


class Order:
    """The alerts of one partition of tocsin.alerts that cannot be judged yet."""

    def __init__(self, sources: int) -> None:
        self._ticked = dict.fromkeys(range(sources), BEFORE_ALL)
        self._held: dict[str, Alert] = {}
        self._keys: list[_Key] = []
        self._bounds: list[tuple[int, int]] = []
        self._commands: dict[str, Command] = {}
        self._seen: dict[str, None] = {}
        self._facts: dict[str, Fact] = {}
        self.until = BEFORE_ALL
        self.late = 0

    def hold(self, alert: Alert) -> Alert | DropReason:
        """Keep an alert; as what it is kept, or the reason if it is refused."""
        if alert.source not in self._ticked:
            return DropReason.UNKNOWN_SOURCE
        if alert.time <= self._ticked[alert.source]:
            return DropReason.DUPLICATE
        held = self._held.get(alert.id)
        if held is not None:
            # a rule that is not local fires in several sources: the least stands for all, whoever came first
            if alert.source < held.source:
                self._held[alert.id] = msgspec.structs.replace(alert, time=held.time)
            return DropReason.DUPLICATE
        told_at = alert.time
        if told_at <= self.until:
            self.late += 1
            alert = msgspec.structs.replace(alert, time=self.until + 1)
        self._held[alert.id] = alert
        self._keys.append(_key(alert, told_at))
        return alert

    def hold_command(self, command: Command) -> CommandReason | None:
        """Keep a command until its time has come; the reason if it is refused."""
        if command.id in self._seen:
            return CommandReason.DUPLICATE
        if len(self._commands) >= COMMANDS_MAX:
            return CommandReason.TOO_MANY
        self._seen[command.id] = None
        if len(self._seen) > SEEN_MAX:
            del self._seen[next(iter(self._seen))]
        if command.time <= self.until:
            command = msgspec.structs.replace(command, time=self.until + 1)
        self._commands[command.id] = command
        return None

    def hold_fact(self, fact: Fact) -> None:
        """Keep a fact until its time has come; the same one twice is one."""
        self._facts[fact.id] = fact
        if len(self._facts) > FACTS_MAX:
            del self._facts[min(self._facts, key=lambda i: (self._facts[i].time, i))]

    def tick(self, tick: Tick) -> Release | None:
        """Take in how far a source has come; what became certain because of it."""
        if tick.time <= self._ticked.get(tick.source, tick.time):
            return None
        self._ticked[tick.source] = tick.time
        if tick.time > self.until:
            insort(self._bounds, (tick.time, tick.record_time))
            # far ahead of the others, the last two count as one: only the backlog's grain suffers
            if len(self._bounds) > BOUNDS_MAX:
                del self._bounds[-2]
        slowest = min(self._ticked.values())
        return self._release(slowest) if slowest > self.until else None

    def relieve(self) -> Release | None:
        """The earlier half of what is held, if that is more than `HELD_MAX`."""
        if len(self._held) <= HELD_MAX:
            return None
        return self._release(sorted(self._keys)[HELD_MAX // 2][0])

    def _release(self, until: int) -> Release:
        alerts = [self._held.pop(key[-1]) for key in self._due(until)]
        passed = bisect_left(self._bounds, (until + 1, BEFORE_ALL))
        bounds, self._bounds = self._bounds[:passed], self._bounds[passed:]
        if not bounds or bounds[-1][0] < until:
            bounds.append((until, bounds[-1][1] if bounds else until))
        self.until = until
        return Release(until, alerts, bounds, self._due_commands(until), self._due_facts(until))

    def _due(self, until: int) -> list[_Key]:
        """Take out what is not after a time, in order."""
        # most stands in order already, and of that sorting makes one pass
        self._keys.sort()
        passed = bisect_left(self._keys, (until + 1,))
        due, self._keys = self._keys[:passed], self._keys[passed:]
        return due

    def _due_commands(self, until: int) -> list[Command]:
        if not self._commands:
            return []
        due = [command for command in self._commands.values() if command.time <= until]
        for command in due:
            del self._commands[command.id]
        return sorted(due, key=lambda command: (command.time, command.id))

    def _due_facts(self, until: int) -> list[Fact]:
        due = [fact for fact in self._facts.values() if fact.time <= until]
        for fact in due:
            del self._facts[fact.id]
        return sorted(due, key=lambda fact: (fact.time, fact.id))

    def snapshot(self) -> OrderState:
        """The whole state."""
        held = [(key[1], self._held[key[-1]]) for key in sorted(self._keys)]
        return OrderState(
            sorted(self._ticked.items()),
            held,
            self._bounds,
            self.until,
            list(self._commands.values()),
            list(self._seen),
            list(self._facts.values()),
        )

    def restore(self, state: OrderState) -> None:
        """Continue from a snapshot."""
        # the snapshot may be of another number of sources; those of today are expected
        self._ticked |= {n: time for n, time in state.ticked if n in self._ticked}
        self._held = {alert.id: alert for _, alert in state.held}
        self._keys = [_key(alert, told_at) for told_at, alert in state.held]
        self._bounds, self.until = list(state.bounds), state.until
        self._commands = {command.id: command for command in state.commands}
        self._seen = dict.fromkeys(state.seen)
        self._facts = {fact.id: fact for fact in state.facts}


def _key(alert: Alert, told_at: int) -> _Key:
    """Late alerts have one time; among them that of their source decides."""
    return alert.time, told_at, alert.fingerprint, alert.state, alert.id
