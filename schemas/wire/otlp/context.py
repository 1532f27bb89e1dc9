"""Context: a resource and a scope as labels, and the series that have been found under them.

Resource and scope are written in each record, byte for byte the same, so they are read once. Under a context each
metric has the ids of its series by the raw bytes of their attributes.

Bounded: at a cap everything is forgotten. Nothing is remembered of what was refused. Refuses to outlive the interner's
ids.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from schemas.wire.interner import Interner
from schemas.wire.otlp.attributes import texts
from schemas.wire.otlp.names import SCOPE, SERVICE, identity_of, info_of, labels_of, promoted_of
from schemas.wire.otlp.protobuf import Span, fields, text

SOURCE_PARTITION = "source_partition"
"""Label of what is added up here: each source partition has a sum of its own."""
_encode = msgspec.json.Encoder().encode
_ATTRIBUTES = 0x0A
_SCOPE_NAME, _SCOPE_VERSION, _SCOPE_ATTRIBUTES = 0x0A, 0x12, 0x1A


@dataclass(slots=True)
class Metric:
    """A metric under a context.

    Attributes:
        context: what it is under.
        name: Prometheus's.
        delta: whether its points are to be added up.
        known: ids of its series by the bytes of their attributes, for points of several samples with what tells those.

    """

    context: "Context"
    name: str
    delta: bool
    known: dict[Any, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Context:
    """A resource and a scope.

    Attributes:
        attributes: of the resource, and those of the scope behind `otel.scope.`.
        owner: whose it is: its service, and its tenant where an attribute names it.
        promoted: labels of every series, before those of its own attributes.
        identity: labels of every series, after them.
        info: labels of the resource's `target_info`, None when it has none.
        metrics: those that were found under it, by whatever tells them apart.
        info_id: id of its `target_info`, -1 until there is one.

    """

    attributes: Mapping[str, str]
    owner: Mapping[str, str]
    promoted: Mapping[str, str]
    identity: Mapping[str, str]
    info: Mapping[str, str] | None
    metrics: dict[Hashable, Metric] = field(default_factory=dict)
    info_id: int = -1

    def labels(self, attributes: Mapping[str, str]) -> dict[str, str]:
        """Labels of a series with these attributes."""
        return {**self.promoted, **labels_of(attributes), **self.identity}


class Contexts:
    """The contexts of one decoder."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._known: dict[tuple[bytes, bytes], Context] = {}
        self._resets = -1

    def follow(self, interner: Interner) -> bool:
        """Forget everything where the ids are no longer this interner's; whether it was so."""
        if self._resets == interner.resets:
            return False
        self._resets = interner.resets
        self._forget()
        return True

    def find(self, resource: bytes, scope: bytes, interner: Interner) -> Context:
        """The context of these messages; raises DecodeError where one cannot be read."""
        found = self._known.get((resource, scope))
        if found is None:
            own = texts(resource, _spans(resource, _ATTRIBUTES))
            both = own | _scope(scope)
            tenant_label = interner.identity.tenant_label
            found = Context(
                both,
                promoted_of(own, (SERVICE,), tenant_label),
                promoted_of(both, interner.mapped, tenant_label),
                identity_of(own),
                info_of(own, tenant_label),
            )
            self.note(1)
            self._known[resource, scope] = found
        return found

    def note(self, count: int) -> None:
        """Say that so much more is remembered."""
        self._count += count
        if self._count > self._most:
            self._forget()

    def _forget(self) -> None:
        self._known.clear()
        self._count = 0


def _spans(data: bytes, wanted: int) -> list[Span]:
    return [(at, end) for tag, at, end in fields(data, 0, len(data)) if tag == wanted]


def _scope(data: bytes) -> dict[str, str]:
    """Attributes of a scope, its name and version among them."""
    found = texts(data, _spans(data, _SCOPE_ATTRIBUTES))
    for tag, at, end in fields(data, 0, len(data)):
        if tag in (_SCOPE_NAME, _SCOPE_VERSION):
            found["name" if tag == _SCOPE_NAME else "version"] = text(data, at, end)
    return {SCOPE + name: value for name, value in found.items() if value}


def intern(metric: str, labels: Mapping[str, str], interner: Interner) -> int:
    """Id of a series; raises DecodeError where it is refused."""
    raw = _encode(labels)
    known = interner.get(metric, raw)
    return interner.intern(metric, raw, labels) if known < 0 else known
