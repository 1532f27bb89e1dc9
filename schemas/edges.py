"""Edge: somebody calls somebody, learnt from telemetry; a record on tocsin.alerts.

It is told again from time to time while there is traffic, so who does not hear it any more may forget it.
"""

from schemas.labels import content_id
from schemas.records import Record


class Edge(Record, frozen=True, kw_only=True, tag="edge", tag_field="kind"):
    """One call between two entities of one tenant.

    Attributes:
        id: identity, see `edge_id`.
        time: event time at which there was traffic, ms.
        source: `samples partition` that it comes from.

    """

    id: str
    tenant: str
    caller: str
    callee: str
    time: int
    source: int = 0


def edge_id(tenant: str, caller: str, callee: str, time: int) -> str:
    """Identity of one telling of an edge: the same after any restart."""
    return content_id(tenant, caller, callee, time)
