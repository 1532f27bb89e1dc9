"""The format `telegraf`: JSON of Telegraf's serializer, one measurement a record or `{"metrics": [...]}`.

Each field that is a number or a boolean is a sample of the series `measurement_field` with the tags as labels, named
as Telegraf's serializer for Prometheus names them. Texts are no samples: they are passed over and counted, and a
measurement that has nothing else is refused. Times are whole seconds unless `json_timestamp_units` says otherwise, as
`options.time_unit` can.
"""

from collections.abc import Collection, Sequence
from functools import partial

import msgspec

from schemas.config.limits import LimitsConfig
from schemas.config.options import OptionsConfig
from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason, IgnoreReason
from schemas.records import Headers
from schemas.wire.columns import WHOLE, Columns
from schemas.wire.format import Format, count_fault, size_fault
from schemas.wire.interner import Interner
from schemas.wire.names import field_metric, label_set
from schemas.wire.objects import UNREADABLE, find_fault, read_at_once
from schemas.wire.rows import Ids, KnownRows, Rows, check_fields
from schemas.wire.ticks import stamps_ms


class Measurement(msgspec.Struct, gc=False):
    """A measurement as Telegraf writes it."""

    name: str
    fields: dict[str, float | bool | str | None]
    timestamp: float | str
    tags: msgspec.Raw = msgspec.Raw(b"{}")


class _Batch(msgspec.Struct, gc=False):
    metrics: list[msgspec.Raw]


_decode_lines = msgspec.json.Decoder(Measurement).decode_lines
_decode = msgspec.json.Decoder(Measurement).decode
_decode_batch = msgspec.json.Decoder(_Batch).decode
_decode_tags = msgspec.json.Decoder(dict[str, str]).decode
_MISSING = {
    "name": DeadLetterReason.MISSING_METRIC,
    "fields": DeadLetterReason.MISSING_VALUE,
    "timestamp": DeadLetterReason.MISSING_TIME,
}
_TEXTS = {str, type(None)}


class Telegraf:
    """Decoder of Telegraf's JSON."""

    def __init__(self, limits: LimitsConfig, options: OptionsConfig | None = None) -> None:
        self._limits = limits
        self._to_ms = partial(stamps_ms, unit=(options or OptionsConfig()).time_unit)
        self._known = KnownRows(limits.series)

    def decode(
        self,
        values: Sequence[bytes | None],
        interner: Interner,
        _headers: Sequence[Headers] | None = None,
    ) -> Columns:
        """Columns of the samples in these values."""
        rows = Rows(self._known, interner)
        found = read_at_once(values, self._limits.message_bytes, _decode_lines)
        if found is not None:
            for at, measurement in enumerate(found):
                self._add(rows, at, measurement)
            return rows.columns(self._to_ms)
        for at, value in enumerate(values):
            if (fault := size_fault(value, self._limits)) is not None:
                rows.refuse(at, WHOLE, *fault)
                continue
            assert value is not None
            try:
                self._add(rows, at, _decode(value))
            except UNREADABLE as error:
                self._batch(rows, at, value, error)
        return rows.columns(self._to_ms)

    def _batch(self, rows: Rows, at: int, value: bytes, error: Exception) -> None:
        """Read a record that is no measurement: a batch of them, or none at all."""
        try:
            metrics = _decode_batch(value).metrics
        except UNREADABLE as other:
            # whichever of the two forms it was meant to be is the one to speak of
            meant = error if "field `metrics`" in str(other) else other
            fault = find_fault(value, meant, _MISSING)
            rows.refuse(at, WHOLE, fault.reason, fault.detail)
            return
        item = 0
        for raw in metrics:
            try:
                measurement = _decode(raw)
            except UNREADABLE as other:
                fault = find_fault(bytes(raw), other, _MISSING)
                rows.refuse(at, item, fault.reason, fault.detail)
                item += 1
                continue
            if (too_many := count_fault(item + len(measurement.fields), self._limits)) is not None:
                rows.refuse(at, item, *too_many)
                return
            item += self._add(rows, at, measurement, item)

    def _add(self, rows: Rows, at: int, measurement: Measurement, item: int = 0) -> int:
        """Add the samples of a measurement; how many items of its record it takes."""
        fields = measurement.fields
        if not _TEXTS.isdisjoint(map(type, fields.values())):
            every = len(fields)
            fields = {n: v for n, v in fields.items() if not isinstance(v, str | None)}
            rows.ignored[IgnoreReason.TEXT_FIELD] += every - len(fields)
        tags = bytes(measurement.tags)
        ids = rows.by_field((measurement.name, tags), fields)
        if not ids:
            ids = self._new(rows, at, measurement.name, fields, tags, item)
            if not ids:
                return 1
        rows.add(at, ids, measurement.timestamp, fields.values(), item)  # type: ignore[arg-type]  # no texts any more
        return len(ids)

    def _new(
        self, rows: Rows, at: int, name: str, fields: Collection[str], raw: bytes, item: int
    ) -> Ids:
        """Ids of the series of a measurement with new fields; none where the whole of it is refused."""
        try:
            labels = label_set(_decode_tags(raw))
            check_fields(fields, item, self._limits)
        except DecodeError as error:
            rows.refuse(at, item or WHOLE, error.reason, error.detail)
            return ()
        except UNREADABLE as error:
            fault = find_fault(raw, error, _MISSING)
            rows.refuse(at, item or WHOLE, fault.reason, f"tags: {fault.detail}")
            return ()
        form = b"tags " + raw
        series = [(field_metric(name, field), form, labels) for field in fields]
        return rows.intern_fields((name, raw), list(fields), at, series, item)


def _make(limits: LimitsConfig) -> Telegraf:
    return Telegraf(limits)


TELEGRAF = Format(
    _make,
    shapes=(frozenset({"name", "fields", "timestamp"}), frozenset({"metrics"})),
    configured=Telegraf,
    options=("time_unit",),
)
