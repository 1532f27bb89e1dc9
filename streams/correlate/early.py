"""Early: urgent alerts, announced when they arrive instead of when their turn in the order of time comes.

The provisional record has the id, the revision and the number of announcement that the final one will have, so a
receiver is told once. Which alerts lie between the two is not known yet: if the alert turns out to belong to
another incident, and the one that was announced never came to be, a second provisional record ends it. Final
records never depend on this.
"""

import msgspec

from schemas.alerts import Alert
from schemas.incidents import Incident, TimelineEntry
from schemas.reasons import AlertState, AnnounceReason, IncidentChange, IncidentState
from streams.correlate.ledger import Ledger


class Told(msgspec.Struct, frozen=True):
    """A provisional record that no final one has followed yet, and the alert that it was written for."""

    incident: Incident
    alert: Alert


class Early:
    """Provisional records on their way to become final; no more than there are alerts held and incidents open."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._told: dict[str, Told] = {}

    def tell(self, alert: Alert) -> list[Incident]:
        """The provisional record of an urgent alert, if people do not know of its incident yet."""
        incident = self._ledger.speculate(alert)
        if incident is None or incident.id in self._told:
            return []
        self._told[incident.id] = Told(incident, alert)
        return [incident]

    def settle(self, records: list[Incident], until: int) -> list[Incident]:
        """Compare with the final records up to a time; the ends of incidents that never came to be."""
        for record in records:
            self._told.pop(record.id, None)
        unmade = [
            told
            for told in self._told.values()
            if told.alert.time <= until and not self._ledger.holds(told.incident.id)
        ]
        for told in unmade:
            del self._told[told.incident.id]
        return [_withdrawn(told, self._ledger.whereabouts(told.alert)) for told in unmade]

    def snapshot(self) -> list[Told]:
        """The whole state."""
        return list(self._told.values())

    def restore(self, state: list[Told]) -> None:
        """Continue from a snapshot."""
        self._told = {told.incident.id: told for told in state}


def _withdrawn(told: Told, now_in: str | None) -> Incident:
    incident, at = told.incident, told.alert.time
    replace = msgspec.structs.replace
    where = f"is part of incident {now_in}" if now_in else "is no longer held"
    entry = TimelineEntry(
        time=at, change=IncidentChange.RESOLVED, text=f"announced ahead of order; its alert {where}"
    )
    return replace(
        incident,
        revision=incident.revision + 1,
        state=IncidentState.RESOLVED,
        change=IncidentChange.RESOLVED,
        announce=AnnounceReason.ALL_ALERTS_RESOLVED,
        announcement=incident.announcement + 1,
        updated_at=at,
        resolved_at=at,
        alerts=tuple(
            replace(a, alert=replace(a.alert, state=AlertState.RESOLVED), resolved_at=at)
            for a in incident.alerts
        ),
        timeline=(*incident.timeline, entry),
    )
