"""Grouping: what the dispatcher keeps of a group of alerts, and how it finds it again."""

from typing import TypeAlias

import msgspec

from schemas.alerts import Alert
from streams.correlate.casebook import Case
from streams.correlate.gates import GatesState
from streams.correlate.notice import Member
from streams.correlate.storm import StormsState
from streams.correlate.told import Told

GroupId: TypeAlias = tuple[int, str, tuple[tuple[str, str], ...]]
"""Index of the route, tenant, labels of the group."""


def group_id(route: int, tenant: str, labels: dict[str, str]) -> GroupId:
    """What a group is found by."""
    return route, tenant, tuple(labels.items())


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
    alerts: dict[str, Member] = msgspec.field(default_factory=dict)
    hushed: dict[str, str] = msgspec.field(default_factory=dict)
    stopped: list[tuple[str, str, str]] = msgspec.field(default_factory=list)

    @property
    def id(self) -> GroupId:
        """What it is found by."""
        return group_id(self.route, self.tenant, self.labels)

    def memory(self, receiver: str) -> str:
        """Under what is kept what a receiver knows of it.

        As in Alertmanager's log of notifications, routes with alike matchers and the same receiver share that.
        """
        return f"{receiver}/{self.tenant}/{self.name}"


class Waiting(msgspec.Struct):
    """A receiver that is to be told of a group later; times are event times, ms.

    Attributes:
        memory: under what is kept what it knows.
        storm: name of the summary that lists it.
        alert: what stands for it there.
        over_at: when it was told, or when there was nothing more to tell; None while it waits.

    """

    memory: str
    group: GroupId
    receiver: str
    storm: str
    alert: Alert
    over_at: int | None = None


class PagesState(msgspec.Struct):
    """All that `Pages.restore` needs."""

    storms: StormsState = msgspec.field(default_factory=StormsState)
    listed: list[Waiting] = []


class DispatcherState(msgspec.Struct):
    """All that `Dispatcher.restore` needs."""

    groups: list[Group] = []
    told: list[tuple[str, Told]] = []
    gates: GatesState = msgspec.field(default_factory=GatesState)
    cases: list[Case] = []
    pages: PagesState = msgspec.field(default_factory=PagesState)
