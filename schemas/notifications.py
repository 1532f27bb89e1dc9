"""Records of tocsin.notifications: what was to be said to whom, and how each attempt ended."""

from schemas.labels import content_id
from schemas.reasons import AnnounceReason, DeliveryReason
from schemas.records import Record


class Notification(Record, frozen=True, kw_only=True):
    """Outcome of one attempt, or of the decision not to make one.

    Attributes:
        id: idempotency key of the announcement towards this receiver, see `announcement_key`.
        attempt: from 1; 0 when none was made.
        final: nothing more will be tried.
        time: event time of the incident record that asked for it, ms.
        delivered_at: wall clock time of the attempt, ms; 0 when none was made.

    """

    id: str
    incident: str
    tenant: str
    receiver: str
    announce: AnnounceReason
    reason: DeliveryReason
    final: bool
    attempt: int
    time: int
    delivered_at: int = 0
    detail: str = ""


def announcement_key(incident: str, announcement: int, receiver: str) -> str:
    """Idempotency key: one for each announcement of an incident to a receiver, however often it is tried."""
    return content_id(incident, announcement, receiver)
