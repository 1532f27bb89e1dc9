"""The format `debezium`: change events of Debezium in JSON, counted as `debezium_changes_total{db, table, op}`.

A record is the change alone or, where the converter writes schemas, `{"schema": ..., "payload": ...}`. `op` is
Debezium's own letter: c(reate), u(pdate), d(elete), r(ead, of a snapshot), t(runcate), m(essage). `schema` is a label
where the database has schemas. The time is that of the change (`source.ts_ms`), or else that of its processing. Rows
themselves are never read. A null value, which follows a delete for Kafka's sake, is passed over and counted.
"""

from collections.abc import Sequence
from functools import partial

import msgspec
import numpy as np

from schemas.config.limits import LimitsConfig
from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason, IgnoreReason
from schemas.records import Headers
from schemas.wire.columns import WHOLE, Columns
from schemas.wire.format import Format, size_fault
from schemas.wire.increments import SOURCE_PARTITION, Increments
from schemas.wire.interner import Interner
from schemas.wire.objects import UNREADABLE, find_fault, read_at_once
from schemas.wire.rows import KnownRows, Rows
from schemas.wire.ticks import stamps_ms

METRIC = "debezium_changes_total"
OPERATIONS = frozenset("cudrtm")


class _Source(msgspec.Struct, gc=False):
    db: str = ""
    schema: str | None = None
    table: str | None = None
    collection: str | None = None
    ts_ms: float | None = None


class _Change(msgspec.Struct, gc=False):
    op: str | None = None
    source: _Source | None = None
    ts_ms: float | None = None


class _Record(_Change, gc=False):
    payload: _Change | None = None


_decode_lines = msgspec.json.Decoder(_Record).decode_lines
_decode = msgspec.json.Decoder(_Record).decode


class Debezium(Increments):
    """Decoder of change events; it remembers how many there were."""

    def __init__(self, limits: LimitsConfig) -> None:
        super().__init__(limits)
        self._limits = limits
        self._to_ms = partial(stamps_ms, unit="ms")
        self._known = KnownRows(limits.series)

    def decode(
        self,
        values: Sequence[bytes | None],
        interner: Interner,
        _headers: Sequence[Headers] | None = None,
    ) -> Columns:
        """Columns of the samples in these values: of each change how many of its kind there were with it."""
        rows = Rows(self._known, interner)
        found = read_at_once(values, self._limits.message_bytes, _decode_lines)
        for at, value in enumerate(values):
            if value is None:
                rows.ignored[IgnoreReason.TOMBSTONE] += 1
                continue
            try:
                record = found[at] if found is not None else self._read(value)
                self._add(rows, at, record.payload or record)
            except DecodeError as error:
                rows.refuse(at, WHOLE, error.reason, error.detail)
        columns = rows.whole(self._to_ms)
        return self.add_up(columns, np.ones(len(columns.values), np.bool_), interner)

    def _read(self, value: bytes) -> _Record:
        if (fault := size_fault(value, self._limits)) is not None:
            raise DecodeError(*fault)
        try:
            return _decode(value)
        except UNREADABLE as error:
            raise find_fault(value, error, {}) from error

    def _add(self, rows: Rows, at: int, change: _Change) -> None:
        """Add a change; raises DecodeError."""
        source, operation = change.source, change.op
        if source is None or operation is None:
            detail = "no change event: it has not both 'op' and 'source'"
            raise DecodeError(DeadLetterReason.WRONG_TYPE, detail)
        if operation not in OPERATIONS:
            detail = f"operation {operation[:20]!r}: known are {', '.join(sorted(OPERATIONS))}"
            raise DecodeError(DeadLetterReason.WRONG_TYPE, detail)
        time = source.ts_ms or change.ts_ms
        if time is None:
            raise DecodeError(DeadLetterReason.MISSING_TIME, "neither source.ts_ms nor ts_ms")
        table = source.table or source.collection or ""
        key = (source.db, source.schema, table, operation)
        ids = rows.known(key)
        if ids is None:
            labels = {"db": source.db, "table": table, "op": operation}
            if source.schema:
                labels["schema"] = source.schema
            labels[SOURCE_PARTITION] = self.place
            form = b"debezium " + msgspec.json.encode(labels)
            ids = rows.intern(key, at, [(METRIC, form, labels)])
        rows.add(at, ids, time, (1.0,))


DEBEZIUM = Format(
    Debezium,
    shapes=(
        frozenset({"op", "source"}),
        frozenset({"schema", "payload"}),
    ),
)
