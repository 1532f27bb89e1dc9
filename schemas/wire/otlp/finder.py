"""Finder: ids of the series of one record's points, by the bytes of their attributes."""

from collections import Counter
from collections.abc import Sequence

from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason
from schemas.wire.interner import Interner
from schemas.wire.otlp.attributes import texts
from schemas.wire.otlp.context import SOURCE_PARTITION, Contexts, Metric, intern
from schemas.wire.otlp.protobuf import Span, as_varint

UNKNOWN = -1
_ATTRIBUTE = b"\x3a"
"""Tag of an attribute in the points that are looked up most, those of gauges and sums."""


class Finder:
    """Finds series; what is refused is remembered by nobody.

    Attributes:
        data: the record.
        unread: how many samples were refused unread, by tenant and reason.

    """

    def __init__(self, data: bytes, interner: Interner, contexts: Contexts, place: str) -> None:
        self.data = data
        self.unread: Counter[tuple[str, DeadLetterReason]] = Counter()
        self._interner = interner
        self._contexts = contexts
        self._place = place

    def key(self, attributes: Sequence[Span]) -> bytes:
        """The bytes by which attributes are known: those that stand behind the numbers of a point."""
        data = self.data
        return b"".join(_ATTRIBUTE + as_varint(end - at) + data[at:end] for at, end in attributes)

    def refuses(self, metric: Metric, attributes: bytes, samples: int) -> bool:
        """Whether so many samples of series that are not known are refused by their tenant alone, unread."""
        interner = self._interner
        label = interner.identity.tenant_label
        if interner.waits or (label and label.encode() in attributes):
            return False
        fault = interner.no_room(metric.context.owner.get(label, ""))
        if fault is None:
            return False
        reason, tenant = fault
        self.unread[tenant, reason] += samples
        return True

    def labels(self, metric: Metric, attributes: Sequence[Span]) -> dict[str, str]:
        """Labels of a metric's series; raises DecodeError where attributes cannot be read."""
        labels = metric.context.labels(texts(self.data, attributes))
        if metric.delta:
            labels[SOURCE_PARTITION] = self._place
        return labels

    def one(self, metric: Metric, attributes: Sequence[Span]) -> int:
        """Id of the series with these attributes; raises DecodeError where it is refused."""
        key = self.key(attributes)
        found: int | None = metric.known.get(key)
        if found is None:
            found = self.intern(metric.name, self.labels(metric, attributes))
            self.remember(metric, key, found, 1)
        return found

    def intern(self, name: str, labels: dict[str, str]) -> int:
        """Id of a series; raises DecodeError where it is refused."""
        return intern(name, labels, self._interner)

    def remember(self, metric: Metric, key: object, found: object, ids: int) -> None:
        """Remember what was found by a key: so many ids."""
        metric.known[key] = found
        self.note(ids)

    def note(self, count: int) -> None:
        """Say that so much more is remembered."""
        self._contexts.note(count)


Fault = tuple[int, DecodeError]
"""Number of the sample that is refused, and why."""
