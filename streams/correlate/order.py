"""Order: alerts of many detect partitions, held until every one of them has ticked past their time.

What comes out is sorted by (time, fingerprint, state, id), so it does not depend on how the partitions' records were
interleaved, nor on how often a restarted worker sent them again. No partition is ever given up: one that is only read
late cannot be told from one that is silent, and detect partitions always tick.

At most `HELD_MAX` alerts are held: beyond that the earlier half is released without waiting. What a partition brings
from behind after that is counted as late and taken in as if it had happened now: an end that were dropped would leave
an incident open for ever. Alerts that were sent before and those whose source is not expected are refused, each with
a reason.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import NamedTuple

import msgspec

from schemas.alerts import Alert, Tick
from schemas.reasons import AlertState
from streams.correlate.reasons import DropReason
from streams.time.watermark import BEFORE_ALL

HELD_MAX = 100_000
BOUNDS_MAX = 100_000

_Key = tuple[int, int, str, AlertState, str]


class Release(NamedTuple):
    """What became certain at once.

    Attributes:
        until: no alert up to and including this time is still to come.
        alerts: in order.
        bounds: (time, record time) of the ticks since the last release, ascending, the last one at `until`.

    """

    until: int
    alerts: list[Alert]
    bounds: list[tuple[int, int]]

    def backlog(self, at: int) -> tuple[int, Iterator[Alert]]:
        """Record time at which this event time was passed, and the alerts after it that were known by then.

        Both follow from the first tick of any source at or after `at`, so they are the same however the sources were
        interleaved.
        """
        first = bisect_left(self.bounds, (at, BEFORE_ALL))
        time = self.bounds[first][0]
        record_time = max(r for t, r in self.bounds[first:] if t == time)
        return record_time, (a for a in self.alerts if at < a.time <= time)


class OrderState(msgspec.Struct):
    """All that `Order.restore` needs."""

    ticked: list[tuple[int, int]]
    held: list[tuple[int, Alert]]
    bounds: list[tuple[int, int]]
    until: int


class Order:
    """The alerts of one partition of tocsin.alerts that cannot be judged yet."""

    def __init__(self, sources: int) -> None:
        self._ticked = dict.fromkeys(range(sources), BEFORE_ALL)
        self._held: dict[str, Alert] = {}
        self._heap: list[_Key] = []
        self._bounds: list[tuple[int, int]] = []
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
        heappush(self._heap, _key(alert, told_at))
        return alert

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
        return self._release(sorted(self._heap)[HELD_MAX // 2][0])

    def _release(self, until: int) -> Release:
        alerts = []
        while self._heap and self._heap[0][0] <= until:
            alerts.append(self._held.pop(heappop(self._heap)[-1]))
        passed = bisect_left(self._bounds, (until + 1, BEFORE_ALL))
        bounds, self._bounds = self._bounds[:passed], self._bounds[passed:]
        if not bounds or bounds[-1][0] < until:
            bounds.append((until, bounds[-1][1] if bounds else until))
        self.until = until
        return Release(until, alerts, bounds)

    def snapshot(self) -> OrderState:
        """The whole state."""
        held = [(key[1], self._held[key[-1]]) for key in sorted(self._heap)]
        return OrderState(sorted(self._ticked.items()), held, self._bounds, self.until)

    def restore(self, state: OrderState) -> None:
        """Continue from a snapshot."""
        # the snapshot may be of another number of sources; those of today are expected
        self._ticked |= {n: time for n, time in state.ticked if n in self._ticked}
        self._held = {alert.id: alert for _, alert in state.held}
        self._heap = [_key(alert, told_at) for told_at, alert in state.held]
        self._bounds, self.until = list(state.bounds), state.until


def _key(alert: Alert, told_at: int) -> _Key:
    """Late alerts have one time; among them that of their source decides."""
    return alert.time, told_at, alert.fingerprint, alert.state, alert.id
