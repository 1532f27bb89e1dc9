"""Identity: how a named series becomes a label set with a tenant and a detect partition.

It refuses to read what a producer wrote: names are settled before, by `schemas.labelling`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from schemas.labelling import Labelling
from schemas.labels import METRIC, TENANT, encode_labels, home, make_labels

DROPPED = "__dropped__"
"""Label of the one label set that stands for all of a tenant's series that a relabelling rule drops."""
NOWHERE = -1
"""Detect partition of what is dropped."""


@dataclass(frozen=True, slots=True)
class Identity:
    """How tenant and locality of a series are found.

    Attributes:
        tenant_label: label whose value is the tenant; empty where no label says it.
        default_tenant: tenant of a series without that label.
        locality: labels, besides the tenant, whose series meet in one partition.
        partitions: number of detect partitions.

    """

    tenant_label: str = "tenant"
    default_tenant: str = "default"
    locality: tuple[str, ...] = ("service",)
    partitions: int = 1


class Named(NamedTuple):
    """A series under its own names; of one that is dropped, those that its producer gave it."""

    metric: str
    labels: Mapping[str, str]
    dropped: bool = False


def place(identity: Identity, labelling: Labelling, tenant: str, named: Named) -> tuple[bytes, int]:
    """Canonical bytes of a series without what is personal, and its detect partition."""
    if named.dropped:
        return encode_labels(make_labels({DROPPED: "rule", TENANT: tenant})), NOWHERE
    labels = labelling.scrub(named.labels, (identity.tenant_label,))
    whole = make_labels({**labels, METRIC: named.metric, TENANT: tenant})
    return encode_labels(whole), home(tenant, labels, identity.locality, identity.partitions)
