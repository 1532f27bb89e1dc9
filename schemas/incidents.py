"""Records of tocsin.incidents: the whole incident, each time that it changes; the contract with the outside.

The topic is keyed by incident id and compacted, so the last record of a key is the incident.
"""

import msgspec

from schemas.alerts import Alert
from schemas.decisions import Decision
from schemas.labels import content_id
from schemas.reasons import (
    AlertState,
    Amendment,
    AnnounceReason,
    IncidentChange,
    IncidentState,
    JoinReason,
    Priority,
    Severity,
)
from schemas.records import Record


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One reason why a cause is thought to be the cause; `share` of all reasons is its part of the score."""

    kind: str
    share: float
    text: str


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """A likely cause; the shares of all causes of an incident sum to 1."""

    entity: str
    share: float
    evidence: tuple[Evidence, ...] = ()


class IncidentAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert of an incident in its latest state, why it is in it, and what more there is to say of that."""

    alert: Alert
    joined: JoinReason
    joined_at: int
    first_at: int
    resolved_at: int | None = None
    because: str = ""

    @property
    def firing(self) -> bool:
        """Whether it fires now."""
        return self.alert.state is AlertState.FIRING


class TimelineEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, when (event time, ms), by whom."""

    time: int
    change: IncidentChange
    text: str
    actor: str = "tocsin"


class Incident(Record, frozen=True, kw_only=True):
    """What people work on.

    Attributes:
        id: hash of tenant, group key and generation.
        group_key: readable identity of the group: tenant and group labels.
        generation: counts the incidents of one group key, from 1.
        revision: counts the records of this incident, from 1; a provisional one has the number that
            the final one will have.
        provisional: written for an urgent alert ahead of the order of time; the final record follows.
        change: why this record was written.
        announce: why people are to be told now; None when they are not.
        announcement: counts the announcements of this incident, from 1; part of their idempotency key.
        historical: it was over before it could be told.
        opened_at, updated_at, resolved_at: event times, ms.
        causes: the likeliest first.
        priority: by the table `correlate.priorities`.
        owner: who has acknowledged it or to whom it was assigned; empty where nobody.
        flapping: its alerts come and go too often to be told of each time.
        held: it is not announced because pages are held.
        merged_into: id of the incident that it was made part of by hand; empty where none.
        omitted: firing alerts that it had no room for.
        decisions: what the gates did, the last ones.
        amendment: what late samples did to it; withdrawn: nothing of it was true. None where there were none that did.

    """

    id: str
    tenant: str
    group_key: str
    generation: int
    revision: int
    provisional: bool = False
    state: IncidentState
    change: IncidentChange
    announce: AnnounceReason | None = None
    announcement: int = 0
    historical: bool = False
    severity: Severity
    title: str
    group_labels: dict[str, str]
    opened_at: int
    updated_at: int
    resolved_at: int | None = None
    reopened: int = 0
    alerts: tuple[IncidentAlert, ...] = ()
    causes: tuple[Cause, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    priority: Priority = Priority.P3
    owner: str = ""
    flapping: bool = False
    held: bool = False
    merged_into: str = ""
    omitted: int = 0
    decisions: tuple[Decision, ...] = ()
    amendment: Amendment | None = None

    @property
    def firing(self) -> tuple[IncidentAlert, ...]:
        """The alerts that fire now."""
        return tuple(a for a in self.alerts if a.firing)


def incident_id(tenant: str, group_key: str, generation: int) -> str:
    """Identity of an incident."""
    return content_id(tenant, group_key, generation)
