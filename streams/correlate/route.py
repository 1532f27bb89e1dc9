"""Route: the tree of who is told what, with everything inherited filled in.

An alert goes down from the root to the first child whose matchers it fulfils, and on to the siblings after it where
that says `continue`; where no child takes it, the node itself does. Source: `Match` in Alertmanager's `dispatch`.
It refuses to decide when.
"""

from collections.abc import Iterator, Mapping
from typing import TypeVar

import msgspec

from schemas.config.route import ALL_LABELS, RootRoute, RouteNode
from schemas.labels import Matcher
from schemas.matchers import fulfils, show_matchers

GROUP_WAIT_MS, GROUP_INTERVAL_MS, REPEAT_INTERVAL_MS = 30_000, 300_000, 14_400_000
CACHE_MAX = 10_000

T = TypeVar("T")

TENANT_LABEL = "tenant"
"""What a matcher may call the tenant; an alert's own label of this name goes before it."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One node.

    Attributes:
        index: its place in the tree, depth first, from 0 for the root.
        key: matchers of all nodes from the root to it, as in Alertmanager's group keys.
        path: where it stands in the configuration, such as `route.routes.1`.
        group_by: names of labels in order, None for all of them.
        group_wait, group_interval, repeat_interval: ms.

    """

    index: int
    key: str
    path: str
    receivers: tuple[str, ...]
    group_by: tuple[str, ...] | None
    group_wait: int
    group_interval: int
    repeat_interval: int
    mute: tuple[str, ...]
    active: tuple[str, ...]
    matchers: tuple[Matcher, ...]
    goes_on: bool
    children: tuple["Route", ...]

    def group_labels(self, labels: Mapping[str, str]) -> dict[str, str]:
        """The labels that put an alert into its group, in order of name; those that it lacks are left out."""
        if self.group_by is None:
            return dict(sorted((n, v) for n, v in labels.items() if v))
        return {name: labels[name] for name in self.group_by if labels.get(name)}


class RouteTree:
    """All nodes; remembers where alike alerts went, at most `CACHE_MAX` of them."""

    def __init__(self, config: RootRoute) -> None:
        self.root = _node(config, None, "route", [0])
        self.nodes = list(_walk(self.root))
        self._asked = sorted({m.name for node in self.nodes for m in node.matchers})
        self._asks_tenant = TENANT_LABEL in self._asked
        self._found: dict[tuple[str | None, ...], tuple[Route, ...]] = {}

    def match(self, tenant: str, labels: Mapping[str, str]) -> tuple[Route, ...]:
        """The nodes that take an alert, in order of the tree; at least one."""
        asked = (tenant if self._asks_tenant else None, *map(labels.get, self._asked))
        found = self._found.get(asked)
        if found is None:
            found = tuple(_match(self.root, {TENANT_LABEL: tenant, **labels}))
            if len(self._found) >= CACHE_MAX:
                self._found.clear()
            self._found[asked] = found
        return found


def _match(node: Route, labels: Mapping[str, str]) -> list[Route]:
    if not fulfils(labels, node.matchers):
        return []
    found: list[Route] = []
    for child in node.children:
        below = _match(child, labels)
        found += below
        if below and not child.goes_on:
            break
    return found or [node]


def _walk(node: Route) -> Iterator[Route]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _node(config: RouteNode, parent: Route | None, path: str, counter: list[int]) -> Route:
    """A node and what is below it; `counter` holds the number of nodes made before."""
    index = counter[0]
    counter[0] += 1
    matchers = config.parsed
    key = show_matchers(matchers) if parent is None else f"{parent.key}/{show_matchers(matchers)}"
    node = Route(
        index=index,
        key=key,
        path=path,
        receivers=_given(config.receiver, parent.receivers if parent else ()),
        group_by=_group_by(config, parent),
        group_wait=_given(config.group_wait, parent.group_wait if parent else GROUP_WAIT_MS),
        group_interval=_given(
            config.group_interval, parent.group_interval if parent else GROUP_INTERVAL_MS
        ),
        repeat_interval=_given(
            config.repeat_interval, parent.repeat_interval if parent else REPEAT_INTERVAL_MS
        ),
        mute=config.mute_time_intervals,
        active=config.active_time_intervals,
        matchers=matchers,
        goes_on=config.continue_,
        children=(),
    )
    children = tuple(
        _node(child, node, f"{path}.routes.{at}", counter) for at, child in enumerate(config.routes)
    )
    return msgspec.structs.replace(node, children=children)


def _given(own: T | None, inherited: T) -> T:
    return inherited if own is None else own


def _group_by(config: RouteNode, parent: Route | None) -> tuple[str, ...] | None:
    if config.group_by is None:
        return () if parent is None else parent.group_by
    return None if ALL_LABELS in config.group_by else tuple(sorted(config.group_by))
