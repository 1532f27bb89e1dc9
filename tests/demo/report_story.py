"""A whole demo made by hand: the simulated shop's own telemetry and truth, and the incidents that should come of it."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import msgspec
import numpy as np

from schemas.alerts import Alert, transition_id
from schemas.incidents import (
    Cause,
    Evidence,
    Incident,
    IncidentAlert,
    TimelineEntry,
    incident_id,
)
from schemas.labels import content_id
from schemas.reasons import (
    AlertReason,
    AlertState,
    IncidentChange,
    IncidentState,
    JoinReason,
    RemediationReason,
    RemediationState,
    Severity,
)
from schemas.remediations import Remediation
from streams.demo.report import Chart, ReportData
from streams.demo.verdict import judge
from streams.produce.shop import Shop
from streams.produce.shop.faults import Fault, FaultKind
from streams.produce.shop.graph import EDGES, NAMES, TENANTS

START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
HOSTILE = "</script><script>alert(1)</script>"
RULES = {
    FaultKind.SLOW_DATABASE: ("LatencyHigh", "answers in 1.4 s, usual is 140 ms"),
    FaultKind.MEMORY_LEAK: ("MemoryLeak", "has grown 2.9 times in 15 minutes"),
    FaultKind.TRAFFIC_DROP: ("TrafficLow", "gets 12 requests a second, usual are 55"),
    FaultKind.BAD_DEPLOYMENT: ("ErrorsHigh", "fails 31 % of its requests"),
    FaultKind.SILENT_HOST: ("HostSilent", "has not been heard of for a minute"),
}
MILD = {FaultKind.MEMORY_LEAK, FaultKind.TRAFFIC_DROP}


@cache
def story(seed: int = 7) -> ReportData:
    """Five faults, found as one incident each, one of them repaired."""
    shop = Shop(seed, START_MS)
    columns = _columns(shop)
    faults = shop.truth()
    incidents = [_incident(fault) for fault in faults]
    alerts = [alert for incident in incidents for alert in _transitions(incident)]
    leak = next(i for i, f in enumerate(faults) if f.kind is FaultKind.MEMORY_LEAK)
    told = Remediation(
        id=content_id(incidents[leak].id, "restart"),
        incident=incidents[leak].id,
        tenant=incidents[leak].tenant,
        playbook="restart",
        state=RemediationState.INTENDED,
        reason=RemediationReason.MATCHED,
        action=f"POST http://shop/repair service={faults[leak].cause}",
        time=incidents[leak].opened_at + 60_000,
    )
    done = msgspec.structs.replace(
        told, state=RemediationState.SUCCEEDED, reason=RemediationReason.DONE, acted_at=1
    )
    remediations = [told, done]
    return ReportData(
        title="Tocsin demo",
        seed=seed,
        start_ms=shop.start_ms,
        end_ms=shop.end_ms,
        edges=dict(EDGES),
        verdict=judge(faults, incidents, remediations, alerts=len(alerts) // 2),
        incidents=incidents,
        alerts=alerts,
        remediations=remediations,
        charts=_charts(columns),
        facts={"samples": "1,234,567", "messages": "21,424", "wall time": "92 s"},
    )


def hostile() -> ReportData:
    """The same with text everywhere that would break out of its place if it could."""
    data = story()
    calm, hit, *others = data.incidents
    held, *rest = hit.alerts
    evil = msgspec.structs.replace(
        held.alert,
        labels={"alertname": HOSTILE, "service": HOSTILE, "severity": "critical"},
        annotations={"summary": f'{HOSTILE}" onload="alert(2)" \u202egnp.exe'},
        view="'><img src=x onerror=alert(3)>",
    )
    entry = TimelineEntry(time=hit.opened_at, change=IncidentChange.OPENED, text=HOSTILE)
    marked = msgspec.structs.replace(
        hit,
        id=f"{HOSTILE}%41 é#",
        title=HOSTILE + "x" * 1_000_000,
        alerts=(msgspec.structs.replace(held, alert=evil), *rest),
        causes=(
            Cause(
                entity=HOSTILE,
                share=1.0,
                evidence=(Evidence(kind=HOSTILE, share=1.0, text=HOSTILE),),
            ),
        ),
        timeline=(entry, *hit.timeline),
    )
    incidents = [calm, marked, *others]
    chart = replace(data.charts[0], title=HOSTILE, unit=HOSTILE, service=HOSTILE)
    return replace(
        data,
        title=HOSTILE,
        edges={**data.edges, HOSTILE: ("frontend",)},
        verdict=judge([f.fault for f in data.verdict.findings], incidents, (), alerts=1),
        incidents=incidents,
        alerts=[*data.alerts, msgspec.structs.replace(evil, tenant=HOSTILE, id="evil")],
        charts=[replace(chart, tenant=hit.tenant), *data.charts],
        facts={HOSTILE: HOSTILE},
    )


def _columns(shop: Shop) -> Mapping[str, np.ndarray]:
    """What the shop did: times, and latency, traffic, errors and memory by time, tenant and service."""
    times, ticks = [], []
    while not shop.done:
        ticks.append(shop.advance())
        times.append(shop.now_ms)
    requests = np.array([t.requests.sum(axis=2) for t in ticks], dtype=np.float64)
    total = requests.sum(axis=-1)
    heard = np.where(total > 0, total, np.nan)
    return {
        "times": np.array(times),
        "latency": np.array([t.seconds.sum(axis=2) for t in ticks]) / heard,
        "traffic": total / (shop.step_ms / 1000),
        "errors": requests[..., 2] / heard,
        "memory": np.array([t.memory_bytes.max(axis=2) for t in ticks]),
    }


def _charts(columns: Mapping[str, np.ndarray]) -> list[Chart]:
    kinds = {
        "latency": ("mean latency", "s"),
        "traffic": ("requests", "req/s"),
        "errors": ("failed requests", "ratio"),
        "memory": ("memory, largest instance", "bytes"),
    }
    charts = []
    for tenant, name in enumerate(TENANTS):
        for row, service in enumerate(NAMES):
            for kind, (title, unit) in kinds.items():
                values = columns[kind][:, tenant, row]
                banded = kind in {"latency", "traffic"}
                usual = np.full(len(values), np.median(values[20:80]))
                charts.append(
                    Chart(
                        title=title,
                        unit=unit,
                        tenant=name,
                        service=service,
                        times=columns["times"].tolist(),
                        values=[None if np.isnan(v) else float(v) for v in values],
                        expected=usual.tolist() if banded else None,
                        low=(usual * 0.6).tolist() if banded else None,
                        high=(usual * 1.4).tolist() if banded else None,
                    )
                )
    return charts


def _incident(fault: Fault) -> Incident:
    name, says = RULES[fault.kind]
    own = fault.kind in {FaultKind.SILENT_HOST, FaultKind.MEMORY_LEAK}
    entities = list(dict.fromkeys([fault.cause, *(() if own else fault.affected)]))
    held = [_held(fault, name, f"{e} {says}", e, row) for row, e in enumerate(entities)]
    severity = Severity.WARNING if fault.kind in MILD else Severity.CRITICAL
    opened, ended = held[0].first_at, fault.end_ms + 150_000
    key = f"{fault.tenant}/{fault.cause}"
    return Incident(
        id=incident_id(fault.tenant, key, 1),
        tenant=fault.tenant,
        group_key=key,
        generation=1,
        revision=4,
        state=IncidentState.RESOLVED,
        change=IncidentChange.RESOLVED,
        announcement=2,
        severity=severity,
        title=f"{fault.cause}: {name}"
        + (f" (+{len(held) - 1} alerts on {len(held) - 1} services)" if len(held) > 1 else ""),
        group_labels={"service": fault.cause},
        opened_at=opened,
        updated_at=ended,
        resolved_at=ended,
        alerts=tuple(held),
        causes=_causes(entities),
        timeline=_timeline(opened, ended, fault, len(held)),
    )


def _causes(entities: list[str]) -> tuple[Cause, ...]:
    shares = [0.72, 0.18, 0.1] if len(entities) > 2 else [0.8, 0.2] if len(entities) > 1 else [1.0]
    texts = {
        "graph": "none of its own dependencies is abnormal",
        "onset": "was abnormal 45 s before its callers",
        "deviation": "deviates 9.8 times from what was expected, the most of all",
    }
    return tuple(
        Cause(
            entity=entity,
            share=share,
            evidence=tuple(
                Evidence(kind=kind, share=part, text=f"{entity} {text}")
                for part, (kind, text) in zip((0.5, 0.3, 0.2), texts.items(), strict=True)
            )
            if share > 0.5
            else (),
        )
        for entity, share in zip(entities, shares, strict=False)
    )


def _timeline(opened: int, ended: int, fault: Fault, alerts: int) -> tuple[TimelineEntry, ...]:
    entries = [
        (opened, IncidentChange.OPENED, f"{RULES[fault.kind][0]} of {fault.cause} fires"),
        (opened + 60_000, IncidentChange.ANNOUNCED, "first notification"),
        (ended, IncidentChange.RESOLVED, "nothing has fired for 2 min"),
        (ended, IncidentChange.ANNOUNCED, "all alerts resolved"),
    ]
    if alerts > 1:
        grown = (opened + 30_000, IncidentChange.ALERTS_ADDED, f"{alerts - 1} alerts join by calls")
        entries.insert(1, grown)
    return tuple(TimelineEntry(time=t, change=change, text=text) for t, change, text in entries)


def _held(fault: Fault, name: str, says: str, entity: str, row: int) -> IncidentAlert:
    active = fault.start_ms + 60_000 + 15_000 * (row % 5)
    severity = "warning" if fault.kind in MILD else "critical"
    labels = {"alertname": name, "service": entity, "severity": severity}
    fingerprint = content_id(fault.tenant, name, entity)
    resolved = fault.end_ms + 30_000 - 5_000 * (row % 4)
    alert = Alert(
        id=transition_id(fingerprint, AlertState.RESOLVED, resolved),
        tenant=fault.tenant,
        rule=f"shop/{name}",
        fingerprint=fingerprint,
        state=AlertState.RESOLVED,
        reason=AlertReason.CONDITION_FALSE,
        time=resolved,
        active_at=active,
        labels=labels,
        annotations={"summary": says},
    )
    return IncidentAlert(
        alert=alert,
        joined=JoinReason.CALL_GRAPH if row else JoinReason.FIRST_OF_GROUP,
        joined_at=active + 30_000,
        first_at=active + 30_000,
        resolved_at=resolved,
    )


def _transitions(incident: Incident) -> list[Alert]:
    found = []
    for held in incident.alerts:
        fired = msgspec.structs.replace(
            held.alert,
            id=transition_id(held.alert.fingerprint, AlertState.FIRING, held.first_at),
            state=AlertState.FIRING,
            reason=AlertReason.HELD_FOR,
            time=held.first_at,
        )
        found += [fired, held.alert]
    return found
