"""Graphs: each tenant's call graph: what the configuration declares, and what was learnt of that tenant's traffic.

An edge that was not told for a day is not in the graph any more. What `of` answers hangs on the edges and the time
only, so a question ahead of order changes nothing. Bounds: `EDGES_MAX` edges, `TENANT_EDGES_MAX` of a tenant; the one
told of longest ago goes first.
"""

from typing import NamedTuple

import msgspec

from schemas.config import TopologyConfig
from schemas.edges import Edge
from streams.correlate.topology import Topology
from streams.time.watermark import BEFORE_ALL

KEPT_MS = 86_400_000
EDGES_MAX = 100_000
TENANT_EDGES_MAX = 10_000
FOREVER = 1 << 62


class _Built(NamedTuple):
    """A graph, and for which times it holds."""

    graph: Topology
    since: int
    until: int


class LearntEdge(msgspec.Struct, frozen=True):
    """An edge, and the newest time at which it was told of."""

    tenant: str
    caller: str
    callee: str
    time: int


class Graphs:
    """The call graphs of the tenants of one partition."""

    def __init__(self, config: TopologyConfig) -> None:
        self.declared = Topology(config.calls)
        self._config = config
        self._seen: dict[str, dict[tuple[str, str], int]] = {}
        self._built: dict[str, _Built] = {}
        self._count = 0

    def learn(self, edge: Edge) -> None:
        """Take note of traffic, unless the configuration says not to."""
        if not self._config.learn:
            return
        seen = self._seen.setdefault(edge.tenant, {})
        pair = (edge.caller, edge.callee)
        time = max(edge.time, seen.pop(pair, BEFORE_ALL))
        seen[pair] = time
        self._built.pop(edge.tenant, None)
        self._count = sum(map(len, self._seen.values()))
        for old in [p for p, last in seen.items() if last < time - KEPT_MS]:
            self._forget(edge.tenant, old)
        if len(seen) > TENANT_EDGES_MAX:
            self._forget(edge.tenant, min(seen, key=lambda p: (seen[p], p)))
        if self._count > EDGES_MAX:
            tenant = max(self._seen, key=lambda t: (len(self._seen[t]), t))
            most = self._seen[tenant]
            self._forget(tenant, min(most, key=lambda p: (most[p], p)))

    def _forget(self, tenant: str, pair: tuple[str, str]) -> None:
        del self._seen[tenant][pair]
        self._built.pop(tenant, None)
        self._count -= 1
        if not self._seen[tenant]:
            del self._seen[tenant]

    def of(self, tenant: str, at: int) -> Topology:
        """The call graph of a tenant at an event time, ms."""
        if tenant not in self._seen:
            return self.declared
        built = self._built.get(tenant)
        if built is None or not built.since <= at <= built.until:
            self._built[tenant] = built = self._build(tenant, at)
        return built.graph

    def _build(self, tenant: str, at: int) -> _Built:
        seen = self._seen[tenant]
        alive = {pair: time for pair, time in seen.items() if time + KEPT_MS >= at}
        gone = [time + KEPT_MS for pair, time in seen.items() if pair not in alive]
        calls = {caller: list(called) for caller, called in self._config.calls.items()}
        for caller, callee in sorted(alive):
            calls.setdefault(caller, []).append(callee)
        return _Built(
            Topology(calls),
            max(gone, default=BEFORE_ALL) + 1,
            min(alive.values(), default=FOREVER) + KEPT_MS,
        )

    def snapshot(self) -> list[LearntEdge]:
        """The whole state, in an order that only hangs on the edges."""
        return [
            LearntEdge(tenant, *pair, time)
            for tenant, seen in sorted(self._seen.items())
            for pair, time in sorted(seen.items())
        ]

    def restore(self, state: list[LearntEdge]) -> None:
        """Continue from a snapshot."""
        self._seen, self._built, self._count = {}, {}, len(state)
        for edge in state:
            self._seen.setdefault(edge.tenant, {})[edge.caller, edge.callee] = edge.time
