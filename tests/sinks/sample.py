"""Incidents for the tests of the sinks: one alert a service, times near T0."""

from schemas.alerts import Alert, transition_id
from schemas.incidents import Cause, Evidence, Incident, IncidentAlert, TimelineEntry, incident_id
from schemas.labels import fingerprint, make_labels
from schemas.reasons import (
    AlertReason,
    AlertState,
    AnnounceReason,
    IncidentChange,
    IncidentState,
    JoinReason,
    Severity,
)

T0 = 1_700_000_000_000
FIRST = AnnounceReason.FIRST_NOTIFICATION
ADDED = AnnounceReason.NEW_ALERTS_ADDED
SOME = AnnounceReason.SOME_ALERTS_RESOLVED
ALL = AnnounceReason.ALL_ALERTS_RESOLVED


def make_alert(
    service: str = "orders", *, firing: bool = True, name: str = "Slow", **labels: str
) -> IncidentAlert:
    given = {"alertname": name, "service": service, **labels}
    identity = f"{fingerprint(make_labels(given)):016x}"
    state = AlertState.FIRING if firing else AlertState.RESOLVED
    time = T0 if firing else T0 + 60_000
    return IncidentAlert(
        alert=Alert(
            id=transition_id(identity, state, time),
            tenant="shop",
            rule=f"checkout/{name}",
            fingerprint=identity,
            state=state,
            reason=AlertReason.HELD_FOR,
            time=time,
            active_at=T0 - 30_000,
            labels=given,
            annotations={"summary": f"{service} is slow", "team": "payments"},
            value=0.5,
        ),
        joined=JoinReason.FIRST_OF_GROUP,
        joined_at=T0,
        first_at=T0,
        resolved_at=None if firing else time,
    )


def make_incident(
    name: str = "a",
    *,
    announce: AnnounceReason | None = FIRST,
    announcement: int = 1,
    alerts: tuple[IncidentAlert, ...] | None = None,
    severity: Severity = Severity.CRITICAL,
    time: int = T0,
    provisional: bool = False,
    historical: bool = False,
    reopened: int = 0,
    revision: int = 0,
    cause: str = "orders-db",
    tenant: str = "shop",
) -> Incident:
    """One record of the incident `name`; resolved when its alerts say "all resolved"."""
    resolved = announce is ALL
    group_key = f"{tenant}/{name}"
    if alerts is None:
        alerts = (make_alert(firing=not resolved),)
    return Incident(
        id=incident_id(tenant, group_key, 1),
        tenant=tenant,
        group_key=group_key,
        generation=1,
        revision=revision or announcement,
        provisional=provisional,
        state=IncidentState.RESOLVED if resolved else IncidentState.OPEN,
        change=IncidentChange.RESOLVED if resolved else IncidentChange.OPENED,
        announce=announce,
        announcement=announcement,
        historical=historical,
        severity=severity,
        title=f"{cause or 'something'}: Slow",
        group_labels={"env": "prod"},
        opened_at=T0,
        updated_at=time,
        resolved_at=time if resolved else None,
        reopened=reopened,
        alerts=alerts,
        causes=(
            Cause(
                entity=cause,
                share=1.0,
                evidence=(Evidence(kind="onset", share=1.0, text=f"{cause} was slow first"),),
            ),
        )
        if cause
        else (),
        timeline=(
            TimelineEntry(time=T0, change=IncidentChange.OPENED, text="Slow fires on orders"),
        ),
    )
