"""Alerts, ticks and a shop of twelve services to correlate."""

from collections.abc import Iterable

from schemas.alerts import Alert, AlertRecord, Tick, transition_id
from schemas.commands import Command, Verb, command_id
from schemas.config import CorrelateConfig, TopologyConfig
from schemas.incidents import Incident
from schemas.labels import content_id
from schemas.reasons import AlertReason, AlertState
from streams.correlate import Correlator

T0 = 1_700_000_000_000
S = 1_000
MINUTE = 60 * S

CALLS = {
    "frontend": ("search", "recommend", "cart", "checkout"),
    "search": ("catalogue",),
    "recommend": ("catalogue",),
    "catalogue": ("catalogue-db",),
    "cart": ("cart-cache",),
    "checkout": ("cart", "payment", "orders"),
    "payment": ("bank",),
    "orders": ("orders-db",),
}
SERVICES = sorted({*CALLS, *(c for called in CALLS.values() for c in called)})

_REASONS = {
    AlertState.PENDING: AlertReason.CONDITION_TRUE,
    AlertState.FIRING: AlertReason.HELD_FOR,
    AlertState.RESOLVED: AlertReason.CONDITION_FALSE,
}


def make_alert(
    service: str,
    at: int,
    state: AlertState = AlertState.FIRING,
    *,
    name: str = "LatencyHigh",
    onset: int | None = None,
    tenant: str = "acme",
    severity: str = "warning",
    source: int = 0,
    urgent: bool = False,
    value: float | None = None,
    expected: float | None = None,
    **labels: str,
) -> Alert:
    """A transition `at` ms after T0; without a service, the label is left out."""
    own = {"alertname": name, "severity": severity, **labels}
    if service:
        own["service"] = service
    fingerprint = content_id(tenant, *sorted(f"{k}={v}" for k, v in own.items()))
    time = T0 + at
    return Alert(
        id=transition_id(fingerprint, state, time),
        tenant=tenant,
        rule=f"shop/{name}",
        fingerprint=fingerprint,
        state=state,
        reason=_REASONS[state],
        time=time,
        active_at=time if onset is None else T0 + onset,
        labels=own,
        value=value,
        expected=expected,
        urgent=urgent,
        source=source,
    )


def resolved(alert: Alert, at: int) -> Alert:
    """The end of an alert `at` ms after T0."""
    return make_alert(
        alert.labels.get("service", ""),
        at,
        AlertState.RESOLVED,
        tenant=alert.tenant,
        onset=alert.active_at - T0,
        source=alert.source,
        name=alert.labels["alertname"],
        **{k: v for k, v in alert.labels.items() if k not in ("service", "alertname")},
    )


def make_tick(at: int, source: int = 0, *, record_time: int | None = None) -> Tick:
    """A tick `at` ms after T0, heard of at once unless said otherwise."""
    stamp = at if record_time is None else record_time
    return Tick(source=source, time=T0 + at, record_time=T0 + stamp)


def make_command(
    verb: Verb,
    at: int,
    incident: str = "",
    *,
    tenant: str = "acme",
    actor: str = "ann",
    text: str = "",
    subject: str = "",
    until: int | None = None,
) -> Command:
    """What somebody says `at` ms after T0; a hold lasts until `until` ms after T0."""
    return Command(
        id=command_id(tenant, verb, actor, T0 + at, incident, subject, text),
        tenant=tenant,
        verb=verb,
        actor=actor,
        time=T0 + at,
        incident=incident,
        text=text,
        subject=subject,
        until=0 if until is None else T0 + until,
    )


def make_correlator(
    *,
    sources: int = 1,
    page_horizon: int = 60 * MINUTE,
    **config: object,
) -> Correlator:
    """A correlator of the shop."""
    return Correlator(
        CorrelateConfig.model_validate(config),
        TopologyConfig(calls=CALLS),
        sources=sources,
        page_horizon_ms=page_horizon,
    )


def run(correlator: Correlator, records: Iterable[AlertRecord]) -> list[Incident]:
    """All that comes out."""
    return [incident for record in records for incident in correlator.apply(record)]


def run_until(
    correlator: Correlator, alerts: Iterable[Alert | Command], until: int
) -> list[Incident]:
    """All that comes out of these alerts and commands and one tick of the only source."""
    return run(correlator, [*alerts, make_tick(until)])


def latest(records: Iterable[Incident]) -> list[Incident]:
    """The last record of each incident, in order of the first ones."""
    return list({r.id: r for r in records}.values())
