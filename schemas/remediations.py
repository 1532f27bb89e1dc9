"""Records of tocsin.remediations: what a playbook meant to do, and what came of it."""

from schemas.labels import content_id
from schemas.reasons import RemediationReason, RemediationState
from schemas.records import Record


class Remediation(Record, frozen=True, kw_only=True):
    """Intent or result of one playbook on one incident; both carry the same id.

    Attributes:
        id: idempotency key, see `remediation_key`.
        action: what was (or would be) done, in one line without secrets.
        time: event time of the incident record that asked for it, ms.
        acted_at: wall clock time of the result, ms; 0 for an intent.

    """

    id: str
    incident: str
    tenant: str
    playbook: str
    state: RemediationState
    reason: RemediationReason
    action: str
    time: int
    acted_at: int = 0
    detail: str = ""


def remediation_key(incident: str, generation: int, playbook: str) -> str:
    """Idempotency key: a playbook acts at most once on an incident until it is reopened."""
    return content_id(incident, generation, playbook)
