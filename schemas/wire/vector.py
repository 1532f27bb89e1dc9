"""The format `vector`: JSON of Vector's metrics, `json` or `native_json`, one metric a record.

Counters and gauges are samples; distributions, histograms, summaries and sets are the series that Vector's own exporter
for Prometheus makes of them: `_bucket` with `le`, `_sum`, `_count`, quantiles, the number of a set's values. What is
`incremental` is added up (`Tally`), for each source partition alone. The namespace stands before the name. A tag of
several values gives its last, one without a value gives none.
"""

from collections.abc import Sequence
from functools import partial

import msgspec
import numpy as np

from schemas.config.limits import LimitsConfig
from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason
from schemas.records import Headers
from schemas.wire.columns import WHOLE, Columns
from schemas.wire.format import Format, count_fault
from schemas.wire.increments import SOURCE_PARTITION, Increments
from schemas.wire.interner import Interner
from schemas.wire.names import label_set, metric_name
from schemas.wire.objects import UNREADABLE, as_bytes, find_fault, read_at_once, read_each
from schemas.wire.rows import Ids, KnownRows, Rows
from schemas.wire.ticks import stamps_ms
from schemas.wire.vector_metric import INCREMENTAL, Metric, Native, Part, parts

_decode_lines = msgspec.json.Decoder(Metric).decode_lines
_decode = msgspec.json.Decoder(Metric).decode
_decode_native = msgspec.json.Decoder(Native).decode
_decode_tags = msgspec.json.Decoder(dict[str, str | list[str | None] | None]).decode
_MISSING = {"name": DeadLetterReason.MISSING_METRIC}


class Vector(Increments):
    """Decoder of Vector's metrics; it remembers what increments have added up to."""

    def __init__(self, limits: LimitsConfig) -> None:
        super().__init__(limits)
        self._limits = limits
        self._to_ms = partial(stamps_ms, unit="auto")
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
        adds: list[bool] = []
        if found is None or not self._at_once(rows, found, adds):
            each = read_each(values, self._limits, _decode_either, _MISSING, rows.refuse)
            for at, metric in each if found is None else enumerate(found):
                self._add(rows, at, metric, adds)
        columns = rows.whole(self._to_ms)
        return self.add_up(columns, np.array(adds, np.bool_), interner)

    def _at_once(self, rows: Rows, found: Sequence[Metric], adds: list[bool]) -> bool:
        """Whether a chunk was read whole: counters and gauges alone, of known series."""
        simple = [metric.gauge or metric.counter for metric in found]
        times = [metric.timestamp for metric in found]
        if None in simple or None in times:
            return False
        incremental = [metric.kind == INCREMENTAL for metric in found]
        raws = as_bytes([metric.tags for metric in found])
        keys = [
            (metric.namespace, metric.name, raw, adds_up)
            for metric, raw, adds_up in zip(found, raws, incremental, strict=True)
        ]
        ids = list(map(rows.known, keys))
        if None in ids:
            return False
        numbers = [value.value for value in simple]  # type: ignore[union-attr]  # none of them is None
        rows.extend(range(len(found)), ids, times, numbers)  # type: ignore[arg-type]  # as above
        adds += incremental
        return True

    def _add(self, rows: Rows, at: int, metric: Metric, adds: list[bool]) -> None:
        """Add the samples of a metric, and of each whether it is to be added up."""
        if metric.timestamp is None:
            rows.refuse(at, WHOLE, DeadLetterReason.MISSING_TIME, "the metric has no timestamp")
            return
        raw = bytes(metric.tags)
        simple = metric.gauge or metric.counter
        incremental = metric.kind == INCREMENTAL
        if simple is not None:
            key: tuple[object, ...] = (metric.namespace, metric.name, raw, incremental)
            ids = rows.known(key)
            if ids is not None:
                rows.add(at, ids, metric.timestamp, (simple.value,))
                adds.append(incremental)
                return
        found = list(parts(metric))
        if not found:
            rows.refuse(at, WHOLE, DeadLetterReason.MISSING_VALUE, "no value of any kind")
            return
        if simple is None:
            names = ((part.suffix, part.label) for part in found)
            key = (metric.namespace, metric.name, raw, incremental, *names)
            ids = rows.known(key)
        if ids is None:
            try:
                ids = self._new(rows, at, metric, raw, found, key)
            except DecodeError as error:
                rows.refuse(at, WHOLE, error.reason, error.detail)
                return
        rows.add(at, ids, metric.timestamp, [part.value for part in found])
        adds += [incremental and part.adds for part in found]

    def _new(
        self, rows: Rows, at: int, metric: Metric, raw: bytes, found: list[Part], key: object
    ) -> Ids:
        """Ids of the series of a metric that is not known; raises DecodeError."""
        if (fault := count_fault(len(found), self._limits)) is not None:
            raise DecodeError(*fault)
        try:
            tags = _decode_tags(raw)
        except UNREADABLE as error:
            why = find_fault(raw, error, {})
            raise DecodeError(why.reason, f"tags: {why.detail}") from error
        labels = label_set({name: text for name, tag in tags.items() if (text := _last(tag))})
        name = f"{metric.namespace}_{metric.name}" if metric.namespace else metric.name
        series = []
        for part in found:
            own = dict((part.label,)) if part.label else {}
            if metric.kind == INCREMENTAL and part.adds:
                own[SOURCE_PARTITION] = self.place
            form = f"vector {own} ".encode() + raw
            series.append((metric_name(name + part.suffix), form, labels | own))
        return rows.intern(key, at, series)


def _decode_either(value: bytes) -> Metric:
    """A metric in either codec."""
    try:
        return _decode(value)
    except UNREADABLE as error:
        try:
            return _decode_native(value).metric
        except UNREADABLE:
            raise error from None


def _last(tag: str | list[str | None] | None) -> str | None:
    """Value of a tag; of several the last that is one."""
    if isinstance(tag, list):
        return next((value for value in reversed(tag) if value is not None), None)
    return tag


VECTOR = Format(
    Vector,
    shapes=(
        frozenset({"metric"}),
        *(
            frozenset({"name", "kind", value})
            for value in (
                "counter",
                "gauge",
                "set",
                "distribution",
                "aggregated_histogram",
                "aggregated_summary",
                "sketch",
            )
        ),
    ),
)
