"""The format `prometheus_adapter`: JSON of prometheus-kafka-adapter, one sample a record.

`{"timestamp": "2026-01-01T00:00:00Z", "value": "1.5", "name": "up", "labels": {"__name__": "up", "job": "api"}}`:
values are texts as Go writes them, NaN and infinities too, which are taken as they are: a stale marker has become a
plain NaN on the way. Its times are cut to whole seconds, so of several samples of a series within one the last stays.
"""

import re
from collections.abc import Sequence
from functools import partial

import msgspec

from schemas.config.limits import LimitsConfig
from schemas.reasons import DeadLetterReason
from schemas.records import Headers
from schemas.wire.columns import WHOLE, Columns, settled
from schemas.wire.format import Format
from schemas.wire.interner import Interner
from schemas.wire.objects import UNREADABLE, as_bytes, find_fault, read_at_once, read_each
from schemas.wire.rows import Ids, KnownRows, Rows
from schemas.wire.ticks import stamps_ms

METRIC = "__name__"


class _Sample(msgspec.Struct, gc=False):
    timestamp: str
    value: str
    labels: msgspec.Raw
    name: str = ""


_decode_lines = msgspec.json.Decoder(_Sample).decode_lines
_decode = msgspec.json.Decoder(_Sample).decode
_decode_labels = msgspec.json.Decoder(dict[str, str]).decode
_MISSING = {
    "labels": DeadLetterReason.MISSING_METRIC,
    "timestamp": DeadLetterReason.MISSING_TIME,
    "value": DeadLetterReason.MISSING_VALUE,
}
# what Go's strconv.FormatFloat writes; Python's float takes more
_ONE = r"(?:[+-]?(?:[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|Inf)|NaN)"
_NUMBER, _NUMBERS = re.compile(_ONE), re.compile(rf"{_ONE}(?:\n{_ONE})*")


class PrometheusAdapter:
    """Decoder of prometheus-kafka-adapter's JSON."""

    def __init__(self, limits: LimitsConfig) -> None:
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
        if found is None or not self._at_once(rows, found):
            each = read_each(values, self._limits, _decode, _MISSING, rows.refuse)
            for at, sample in each if found is None else enumerate(found):
                self._add(rows, at, sample)
        columns = rows.columns(self._to_ms)
        columns.values, columns.meant = settled(columns.values)
        return columns

    def _at_once(self, rows: Rows, found: Sequence[_Sample]) -> bool:
        """Whether a chunk was read whole: good values of known series."""
        numbers = [sample.value for sample in found]
        if not _NUMBERS.fullmatch("\n".join(numbers)):
            return False
        raws = as_bytes([sample.labels for sample in found])
        names = [sample.name for sample in found]
        ids = list(map(rows.known, zip(names, raws, strict=True)))
        if None in ids:
            return False
        times = [sample.timestamp for sample in found]
        rows.extend(range(len(found)), ids, times, map(float, numbers))  # type: ignore[arg-type]  # no None
        return True

    def _add(self, rows: Rows, at: int, sample: _Sample) -> None:
        if not _NUMBER.fullmatch(sample.value):
            detail = f"value {sample.value[:50]!r} is no number"
            rows.refuse(at, WHOLE, DeadLetterReason.WRONG_TYPE, detail)
            return
        raw = bytes(sample.labels)
        key = (sample.name, raw)
        ids = rows.known(key)
        if ids is None:
            ids = self._new(rows, at, sample.name, raw)
        if ids:
            rows.add(at, ids, sample.timestamp, (float(sample.value),))

    def _new(self, rows: Rows, at: int, name: str, raw: bytes) -> Ids:
        """Ids of the series, none where it is refused."""
        try:
            labels = _decode_labels(raw)
        except UNREADABLE as error:
            why = find_fault(raw, error, {})
            rows.refuse(at, WHOLE, why.reason, f"labels: {why.detail}")
            return ()
        # the labels are Prometheus's own, `name` is the adapter's copy
        metric = labels.pop(METRIC, name)
        return rows.intern((name, raw), at, [(metric, b"named " + raw, labels)])


PROMETHEUS_ADAPTER = Format(
    PrometheusAdapter, shapes=(frozenset({"timestamp", "value", "labels"}),)
)
