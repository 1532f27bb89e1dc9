"""Notice: a notification of a group written out, with what is thought of the incidents behind it."""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from schemas.alerts import Alert
from schemas.decisions import Decision
from schemas.incidents import IncidentAlert
from schemas.notices import Notice, notice_id
from schemas.reasons import (
    AlertReason,
    AlertState,
    AnnounceReason,
    IncidentChange,
    IncidentState,
    JoinReason,
    Severity,
)
from streams.correlate.casebook import Case
from streams.correlate.route import Route
from streams.correlate.told import Told

ALERTS_MAX = 1_000
"""A notice lists no more alerts than this, the firing ones first; the rest is counted."""


class Member(msgspec.Struct):
    """An alert of a group as it is known last; times are event times, ms."""

    alert: Alert
    first_at: int

    @property
    def firing(self) -> bool:
        """Whether it fires now."""
        return self.alert.state is AlertState.FIRING


def group_key(route: Route, labels: dict[str, str]) -> str:
    """Alertmanager's key of a group: the matchers down to its route, and the labels of the group."""
    shown = ", ".join(f"{n}={msgspec.json.encode(v).decode()}" for n, v in labels.items())
    return f"{route.key}:{{{shown}}}"


def write_notice(
    tenant: str,
    route: Route,
    receiver: str,
    told: Told,
    *,
    name: str,
    labels: dict[str, str],
    at: int,
    announce: AnnounceReason | None,
    alerts: Sequence[Member],
    decisions: Iterable[Decision],
    cases: Sequence[Case],
) -> Notice:
    """The record of one notification, or of what kept it from being made; counts it in `told`."""
    told.revision += 1
    firing = [h for h in alerts if h.firing]
    listed = sorted(alerts, key=lambda h: (not h.firing, h.first_at, h.alert.fingerprint))
    over = not firing and announce is not None
    withdrawn = over and all(h.alert.reason is AlertReason.WITHDRAWN for h in alerts)
    ended = IncidentChange.WITHDRAWN if withdrawn else IncidentChange.RESOLVED
    return Notice(
        id=notice_id(tenant, route.path, name, receiver),
        tenant=tenant,
        group_key=name,
        generation=told.generation,
        revision=told.revision,
        state=IncidentState.RESOLVED if over else IncidentState.OPEN,
        change=ended if over else IncidentChange.ANNOUNCED,
        announce=announce,
        announcement=told.count,
        severity=min(
            (h.alert.severity for h in firing or alerts),
            key=lambda s: s.rank,
            default=Severity.WARNING,
        ),
        title=_title(firing, alerts, labels, cases, "withdrawn" if withdrawn else "resolved"),
        group_labels=labels,
        opened_at=told.since or min((h.first_at for h in alerts), default=at),
        updated_at=at,
        resolved_at=at if over else None,
        alerts=tuple(map(_item, listed[:ALERTS_MAX])),
        omitted=max(0, len(firing) - ALERTS_MAX),
        causes=cases[0].causes if cases else (),
        decisions=tuple([d if d.time == at else replace(d, time=at) for d in decisions]),
        receiver=receiver,
        route=route.path,
        incidents=tuple(case.id for case in cases),
    )


def _item(member: Member) -> IncidentAlert:
    return IncidentAlert(
        alert=member.alert,
        joined=JoinReason.SAME_GROUP,
        joined_at=member.first_at,
        first_at=member.first_at,
        resolved_at=None if member.firing else member.alert.time,
    )


def _title(
    firing: Sequence[Member],
    alerts: Sequence[Member],
    labels: dict[str, str],
    cases: Sequence[Case],
    over: str,
) -> str:
    """How many alerts, of what, and the incident behind them where there is one."""
    shown = firing or alerts
    names = sorted({h.alert.name for h in shown})
    what = names[0] if len(names) == 1 else ", ".join(labels.values()) or f"{len(names)} rules"
    line = f"{what}: {len(shown)} {'firing' if firing else over}"
    return f"{line} ({cases[0].title})" if cases else line
