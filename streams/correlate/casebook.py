"""Casebook: which incident an alert is in and what is thought of it, for notices about groups of alerts.

It reads the records of incidents up to the time of the notice and none after, so a notice is the same however the
log was cut. Bounds: `CASES_MAX` incidents, the one unchanged for longest goes first, with its alerts.
"""

from collections.abc import Iterable, Sequence

import msgspec

from schemas.alerts import Alert
from schemas.incidents import Cause, Incident
from schemas.reasons import IncidentState

CASES_MAX = 5_000


class Case(msgspec.Struct, frozen=True):
    """What is known of an incident."""

    id: str
    tenant: str
    state: IncidentState
    title: str
    causes: tuple[Cause, ...]
    alerts: tuple[str, ...]


class Casebook:
    """The incidents by alert."""

    def __init__(self) -> None:
        self._cases: dict[str, Case] = {}
        self._of_alert: dict[tuple[str, str], str] = {}
        self._ahead: list[Incident] = []

    def read(self, records: Iterable[Incident]) -> None:
        """Take records in, in the order in which they were written; they count from their own time on."""
        self._ahead += records

    def turn(self, at: int) -> None:
        """Learn what was written up to and including a time."""
        passed = 0
        for record in self._ahead:
            if record.updated_at > at:
                break
            self._learn(record)
            passed += 1
        del self._ahead[:passed]

    def _learn(self, record: Incident) -> None:
        self._drop(record.id)
        alerts = tuple(a.alert.fingerprint for a in record.alerts)
        case = Case(record.id, record.tenant, record.state, record.title, record.causes, alerts)
        self._put(case)
        if len(self._cases) > CASES_MAX:
            self._drop(next(iter(self._cases)))

    def _put(self, case: Case) -> None:
        self._cases[case.id] = case
        for fingerprint in case.alerts:
            self._of_alert[case.tenant, fingerprint] = case.id

    def _drop(self, identity: str) -> None:
        case = self._cases.pop(identity, None)
        if case is None:
            return
        for fingerprint in case.alerts:
            if self._of_alert.get((case.tenant, fingerprint)) == identity:
                del self._of_alert[case.tenant, fingerprint]

    def find(self, alerts: Sequence[Alert]) -> list[Case]:
        """The incidents that these alerts are in, each once, in order of the alerts."""
        found = (self._of_alert.get((a.tenant, a.fingerprint)) for a in alerts)
        return [self._cases[i] for i in dict.fromkeys(found) if i is not None]

    def acknowledged(self, alerts: Sequence[Alert]) -> bool:
        """Whether each of these alerts is in an incident that somebody has acknowledged."""
        found = [self._of_alert.get((a.tenant, a.fingerprint), "") for a in alerts]
        cases = [self._cases.get(i) for i in dict.fromkeys(found)]
        return bool(cases) and all(
            c is not None and c.state is IncidentState.ACKNOWLEDGED for c in cases
        )

    def snapshot(self) -> list[Case]:
        """The whole state, the one unchanged for longest first; between two releases nothing lies ahead."""
        return list(self._cases.values())

    def restore(self, cases: list[Case]) -> None:
        """Continue from a snapshot."""
        self._cases, self._of_alert, self._ahead = {}, {}, []
        for case in cases:
            self._put(case)
