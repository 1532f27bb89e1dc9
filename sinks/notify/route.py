"""Which receivers an incident goes to, and why.

Routes are tried in order; the first whose matchers all hold takes the incident, and the next ones too where it says
`continue`. An incident that no route takes goes to the first receiver.

It refuses to decide when or whether: the correlator says when, the outbox whether.
"""

from collections.abc import Iterable
from enum import StrEnum
from functools import reduce
from typing import NamedTuple

from schemas.config.notify import NotifyConfig
from schemas.incidents import Incident, IncidentAlert
from schemas.labels import make_labels


class RouteReason(StrEnum):
    """Why an incident goes to a receiver."""

    MATCHED = "matched"
    DEFAULT = "default"
    TOLD_BEFORE = "told_before"
    NO_RECEIVER = "no_receiver"


class Choice(NamedTuple):
    """A receiver, why it is told, and in words which route said so."""

    receiver: str
    reason: RouteReason
    detail: str


def common_pairs(sets: Iterable[dict[str, str]]) -> dict[str, str]:
    """The pairs that all of these share, in order of name; none for no sets."""
    items = [given.items() for given in sets]
    if not items:
        return {}
    return dict(sorted(reduce(lambda a, b: a & b, items[1:], set(items[0]))))


def routing_labels(incident: Incident) -> dict[str, str]:
    """What the matchers see: common labels of the alerts, group labels, severity, tenant; the later wins.

    The alerts are those that fire, or all when none does.
    """
    alerts: tuple[IncidentAlert, ...] = incident.firing or incident.alerts
    return common_pairs(a.alert.labels for a in alerts) | {
        **incident.group_labels,
        "severity": incident.severity.value,
        "tenant": incident.tenant,
    }


class Router:
    """The routes with their matchers parsed."""

    def __init__(self, config: NotifyConfig) -> None:
        self._routes = [(r.receiver, r.parsed, r.continue_) for r in config.routes]
        self._default = config.receivers[0].name if config.receivers else None

    def choose(self, incident: Incident) -> list[Choice]:
        """The receivers of an incident, each once, in the order of the routes."""
        labels = make_labels(routing_labels(incident))
        chosen: dict[str, Choice] = {}
        for number, (receiver, matchers, goes_on) in enumerate(self._routes, 1):
            if all(m.matches(labels) for m in matchers):
                text = ", ".join(map(str, matchers)) or "no matchers"
                detail = f"route {number}: {text}"
                chosen.setdefault(receiver, Choice(receiver, RouteReason.MATCHED, detail))
                if not goes_on:
                    break
        if chosen:
            return list(chosen.values())
        if self._default is None:
            return [Choice("", RouteReason.NO_RECEIVER, "there is no receiver")]
        return [Choice(self._default, RouteReason.DEFAULT, "no route matched: first receiver")]
