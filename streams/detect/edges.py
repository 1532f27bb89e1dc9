"""Edges: who calls whom, from the series of spans' service graphs, for the correlator's call graph.

Once in `LOOK_MS` of event time the series of `traces_service_graph_request_total` that brought a sample since are
looked at; an edge is told when it is new, and again when `TELL_MS` have passed, as long as there is traffic. What is
found hangs on the samples up to that time only. Bounds: `TOLD_MAX` edges are remembered; the one told longest ago is
forgotten, and told again.
"""

import numpy as np

from schemas.edges import Edge, edge_id
from schemas.labels import METRIC, TENANT, get_label, metric_hash
from streams.time.watermark import BEFORE_ALL
from streams.windows.series import SeriesStore

REQUESTS = "traces_service_graph_request_total"
CALLER, CALLEE = "client", "server"
LOOK_MS = 60_000
TELL_MS = 6 * 3_600_000
TOLD_MAX = 10_000

_REQUESTS = metric_hash(REQUESTS)

Pair = tuple[str, str, str]
"""Tenant, caller, callee."""


class Edges:
    """What one detect partition has told of the call graph; `number` is what it calls itself."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._told: dict[Pair, int] = {}
        self._looked = BEFORE_ALL

    def look(self, store: SeriesStore, at: int) -> list[Edge]:
        """The edges to tell of at an event time up to which the store is complete."""
        if at // LOOK_MS == self._looked // LOOK_MS:
            return []
        since, self._looked = self._looked, at
        rows = np.flatnonzero(store.metrics == _REQUESTS)
        if not len(rows):
            return []
        found = (self._pair(store, row) for row in store.since(rows, since).tolist())
        due = sorted({p for p in found if p and self._told.get(p, BEFORE_ALL) <= at - TELL_MS})
        return [self._tell(pair, at) for pair in due]

    def _pair(self, store: SeriesStore, row: int) -> Pair | None:
        labels = store.labels(row)
        tenant, caller, callee = (get_label(labels, name) for name in (TENANT, CALLER, CALLEE))
        # two metrics may have one hash
        if get_label(labels, METRIC) != REQUESTS or not caller or not callee or caller == callee:
            return None
        return tenant, caller, callee

    def _tell(self, pair: Pair, at: int) -> Edge:
        self._told.pop(pair, None)
        self._told[pair] = at
        if len(self._told) > TOLD_MAX:
            del self._told[next(iter(self._told))]
        tenant, caller, callee = pair
        return Edge(
            id=edge_id(tenant, caller, callee, at),
            tenant=tenant,
            caller=caller,
            callee=callee,
            time=at,
            source=self._number,
        )

    def snapshot(self) -> list[object]:
        """The whole state, as JSON has it."""
        return [self._looked, [[*pair, at] for pair, at in self._told.items()]]

    def restore(self, state: tuple[int, list[tuple[str, str, str, int]]]) -> None:
        """Continue from a snapshot."""
        self._looked = state[0]
        self._told = {(t, caller, callee): at for t, caller, callee, at in state[1]}
