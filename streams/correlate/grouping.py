"""Grouping: what the dispatcher keeps of a group of alerts, and how it finds it again."""

from typing import TypeAlias

import msgspec

from streams.correlate.casebook import Case
from streams.correlate.gates import GatesState
from streams.correlate.notice import Held
from streams.correlate.told import Told

GroupId: TypeAlias = tuple[int, str, tuple[tuple[str, str], ...]]
"""Index of the route, tenant, labels of the group."""


class Group(msgspec.Struct):
    """Alerts of one tenant that are told together on one route.

    Attributes:
        name: Alertmanager's key of it.
        route: index of the route.
        next_at: event time of its next flush, ms.
        alerts: by fingerprint.
        hushed: alerts that a silence that has ended wants nothing said of, with its id.
        stopped: what its gates said last: alert, reason, by what.

    """

    name: str
    tenant: str
    route: int
    labels: dict[str, str]
    next_at: int
    alerts: dict[str, Held] = msgspec.field(default_factory=dict)
    hushed: dict[str, str] = msgspec.field(default_factory=dict)
    stopped: list[tuple[str, str, str]] = msgspec.field(default_factory=list)

    @property
    def id(self) -> GroupId:
        """What it is found by."""
        return self.route, self.tenant, tuple(self.labels.items())

    def memory(self, receiver: str) -> str:
        """Under what is kept what a receiver knows of it.

        As in Alertmanager's log of notifications, routes with alike matchers and the same receiver share that.
        """
        return f"{receiver}/{self.tenant}/{self.name}"


class DispatcherState(msgspec.Struct):
    """All that `Dispatcher.restore` needs."""

    groups: list[Group] = []
    told: list[tuple[str, Told]] = []
    gates: GatesState = msgspec.field(default_factory=GatesState)
    cases: list[Case] = []
