"""Spans: requests, errors and durations by service and by edge, as running totals.

A service's requests are its spans of kind server and consumer; of calls see `edges`. A span's time is that of its end;
one without is refused alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.config.limits import LimitsConfig
from schemas.labels import Labels, make_labels
from schemas.wire.columns import Columns, Refusal
from schemas.wire.interner import Interner
from schemas.wire.otlp.attributes import texts
from schemas.wire.otlp.context import SOURCE_PARTITION, Context
from schemas.wire.otlp.counting import Counting, columns_of, no_room, no_time
from schemas.wire.otlp.edges import Edge, Edges, Half, peer_of
from schemas.wire.otlp.layout import to_ms
from schemas.wire.otlp.names import SERVICE
from schemas.wire.otlp.protobuf import Span, last_of, message, span_of, uint64
from schemas.wire.tally import SECOND_MS, Told

REQUESTS, ERRORS = "span_requests_total", "span_errors_total"
DURATION = "span_duration_seconds"
EDGE_REQUESTS = "traces_service_graph_request_total"
EDGE_FAILURES = "traces_service_graph_request_failed_total"
EDGE_CLIENT = "traces_service_graph_request_client_seconds"
EDGE_SERVER = "traces_service_graph_request_server_seconds"

_TRACE, _ID, _PARENT, _KIND = 0x0A, 0x12, 0x22, 0x30
_START, _END, _ATTRIBUTE, _STATUS, _CODE = 0x39, 0x41, 0x4A, 0x7A, 0x18
_ERROR = 2
_SERVER, _CLIENT, _PRODUCER, _CONSUMER = 2, 3, 4, 5
_NS_PER_SECOND = 1e9
_ID_BYTES = (16, 8)
"""Of a trace and of a span; one of another length is no id."""


class _Found(NamedTuple):
    context: Context
    trace: bytes
    span: bytes
    parent: bytes
    kind: int
    start_ns: int
    end_ns: int
    failed: bool
    attributes: Sequence[Span]

    @property
    def seconds(self) -> float:
        """How long it took; clocks that went back make it 0."""
        return max(0, self.end_ns - self.start_ns) / _NS_PER_SECOND


class Spans(Counting):
    """Counts the spans of one source partition."""

    def __init__(self, limits: LimitsConfig) -> None:
        super().__init__(limits)
        self._edges = Edges()

    def read(self, record: int, value: bytes, interner: Interner) -> Columns:
        """Columns of what is told because of one record.

        Raises:
            DecodeError: it is no such record, or holds too many spans.

        """
        spans = self._items(value, interner, _span)
        halves = [self._half(value, span, interner) for span in spans]
        told: list[Told] = []
        refused: list[Refusal] = []
        for item, (span, half) in enumerate(zip(spans, halves, strict=True)):
            time_ms = to_ms(span.end_ns)
            if time_ms < 0:
                refused.append(no_time(record, item, "a span"))
                continue
            told += self._tally.advance(time_ms)
            room = [self._count_edge(edge) for edge in self._edges.expire(time_ms // SECOND_MS)]
            room += self._count(span, half)
            if not all(room):
                refused.append(no_room(record, item))
        return columns_of(record, told, refused, interner)

    def _half(self, data: bytes, span: _Found, interner: Interner) -> Half | None:
        """The half of a call that a span is; None where it is none."""
        client = span.kind in (_CLIENT, _PRODUCER)
        server = span.kind in (_SERVER, _CONSUMER)
        service = span.context.attributes.get(SERVICE, "")
        own = span.span if client else span.parent
        if not (client or server) or not service or (len(span.trace), len(own)) != _ID_BYTES:
            return None
        label = interner.identity.tenant_label
        tenant = span.context.attributes.get(label, "")
        peer = peer_of(texts(data, span.attributes)) if client else ""
        return Half(service, make_labels({label: tenant}), client, span.seconds, span.failed, peer)

    def _count(self, span: _Found, half: Half | None) -> Iterator[bool]:
        """Count a span; whether there was room, for each of its series."""
        if span.kind in (_SERVER, _CONSUMER):
            labels = make_labels({**span.context.owner, SOURCE_PARTITION: self._place})
            yield self._tally.count(REQUESTS, labels)
            # an error ratio wants a zero where there were none
            yield self._tally.count(ERRORS, labels, float(span.failed))
            yield self._tally.observe(DURATION, labels, span.seconds)
        if half is not None:
            key = span.trace + (span.span if half.is_client else span.parent)
            for edge in self._edges.add(key, half, to_ms(span.end_ns) // SECOND_MS):
                yield self._count_edge(edge)

    def _count_edge(self, edge: Edge) -> bool:
        labels: Labels = make_labels(
            {
                **dict(edge.tenant),
                SERVICE: edge.server,
                "client": edge.client,
                "server": edge.server,
                SOURCE_PARTITION: self._place,
            }
        )
        room = self._tally.count(EDGE_REQUESTS, labels)
        room &= self._tally.count(EDGE_FAILURES, labels, float(edge.failed))
        if edge.client_seconds is not None:
            room &= self._tally.observe(EDGE_CLIENT, labels, edge.client_seconds)
        if edge.server_seconds is not None:
            room &= self._tally.observe(EDGE_SERVER, labels, edge.server_seconds)
        return room

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Columns that `restore` takes."""
        return {**self._tally.snapshot(), **self._edges.snapshot()}

    def restore(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Continue from a snapshot; raises CheckpointError where it is none."""
        self._tally.restore(columns)
        self._edges.restore(columns)


def _span(data: bytes, at: int, end: int, context: Context) -> _Found:
    found = message(data, at, end)
    trace, span, parent = (data[slice(*span_of(found, tag))] for tag in (_TRACE, _ID, _PARENT))
    status = message(data, *span_of(found, _STATUS))
    return _Found(
        context,
        trace,
        span,
        parent,
        last_of(found, _KIND),
        uint64(data, found, _START),
        uint64(data, found, _END),
        last_of(status, _CODE) == _ERROR,
        found.get(_ATTRIBUTE, ()),
    )
