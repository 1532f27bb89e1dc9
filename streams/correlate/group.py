"""Group: which alerts belong together by their labels, and which entity an alert speaks of.

An entity is a node of the call graph: the value of the entity label, or that of `host` where an alert has none. The
tenant stands first in every group key, so no group ever spans two tenants.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from schemas.alerts import Alert

HOST = "host"


class Group(NamedTuple):
    """Readable identity of a group, and the labels of `group_by` that the alert has."""

    key: str
    labels: dict[str, str]


def group_of(alert: Alert, group_by: Sequence[str]) -> Group:
    """The group that an alert's labels put it in; as in Alertmanager a missing label is left out.

    Values are quoted as in JSON, so two different groups never have the same key.
    """
    return _group(alert.tenant, tuple(group_by), tuple(map(alert.labels.get, group_by)))


@lru_cache(maxsize=20_000)
def _group(tenant: str, names: tuple[str, ...], values: tuple[str | None, ...]) -> Group:
    """Most alerts are of a group that there is already."""
    labels = {n: v for n, v in sorted(zip(names, values, strict=True)) if v}
    pairs = (("tenant", tenant), *labels.items())
    text = ", ".join(f"{name}={msgspec.json.encode(value).decode()}" for name, value in pairs)
    return Group(f"{{{text}}}", labels)


def entity_of(alert: Alert, entity_label: str) -> str:
    """What the alert is about; the empty string where its labels do not say."""
    return alert.labels.get(entity_label) or alert.labels.get(HOST, "")


def host_of(alert: Alert, entity_label: str) -> str:
    """The host that the alert's entity runs on, where its labels name one other than the entity itself."""
    host = alert.labels.get(HOST, "")
    return "" if host == entity_of(alert, entity_label) else host
