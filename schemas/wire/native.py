"""Native JSON: `{"ts", "metric", "value", "labels"}`, or an array of such objects.

`ts` is seconds, milliseconds or RFC 3339. Unknown keys are ignored. Samples of an array are judged one by one:
a bad one is refused alone.
"""

import json
import math
from typing import Any

import msgspec

from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason
from schemas.wire.columns import Columns
from schemas.wire.interner import Interner


class _Sample(msgspec.Struct, gc=False):
    ts: float | int | str
    metric: str
    value: float
    labels: msgspec.Raw = msgspec.Raw(b"{}")


# RecursionError: arrays nested a thousand deep under a key that nobody asked for
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_decode = msgspec.json.Decoder(_Sample | list[_Sample]).decode
_decode_one = msgspec.json.Decoder(_Sample).decode
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_labels = msgspec.json.Decoder(dict[str, str]).decode


class NativeJson:
    """Decoder of native JSON."""

    def __init__(self, *, message_bytes: int, samples_per_message: int) -> None:
        self._message_bytes = message_bytes
        self._samples_per_message = samples_per_message

    def decode(self, values: list[bytes | None], interner: Interner) -> Columns:
        """Columns of the samples in these values."""
        columns = Columns()
        series, times, numbers = columns.series.append, columns.times.append, columns.values.append
        records, items = columns.records.append, columns.items.append
        known = interner.raw.get
        for at, value in enumerate(values):
            if not value or len(value) > self._message_bytes:
                columns.refuse(at, -1, *self._size_fault(value))
                continue
            try:
                found = _decode(value)
            except _UNREADABLE:
                self._one_by_one(at, value, interner, columns)
                continue
            if type(found) is list:
                if len(found) > self._samples_per_message:
                    detail = f"{len(found)} samples, the limit is {self._samples_per_message}"
                    columns.refuse(at, -1, DeadLetterReason.TOO_LARGE, detail)
                    continue
                for item, sample in enumerate(found):
                    raw = (sample.metric, bytes(sample.labels))
                    row = known(raw)
                    if row is None:
                        self._new(at, item, sample, raw, interner, columns)
                        continue
                    series(row)
                    times(sample.ts)
                    numbers(sample.value)
                    records(at)
                    items(item)
                continue
            raw = (found.metric, bytes(found.labels))
            row = known(raw)
            if row is None:
                self._new(at, -1, found, raw, interner, columns)
                continue
            series(row)
            times(found.ts)
            numbers(found.value)
            records(at)
            items(-1)
        return columns

    def _size_fault(self, value: bytes | None) -> tuple[DeadLetterReason, str]:
        if value is None:
            return DeadLetterReason.TOMBSTONE, "null value"
        if not value:
            return DeadLetterReason.EMPTY_VALUE, "value of 0 bytes"
        return (
            DeadLetterReason.TOO_LARGE,
            f"{len(value)} bytes, the limit is {self._message_bytes}",
        )

    def _new(
        self,
        at: int,
        item: int,
        sample: _Sample,
        raw: tuple[str, bytes],
        interner: Interner,
        columns: Columns,
    ) -> None:
        """Intern a label set that was not seen in this form yet, and take or refuse its sample."""
        try:
            labels = _decode_labels(sample.labels)
        except msgspec.ValidationError as error:
            columns.refuse(at, item, DeadLetterReason.WRONG_TYPE, f"labels: {error}")
            return
        except _UNREADABLE as error:
            columns.refuse(at, item, DeadLetterReason.NOT_UTF8, f"labels: {error}")
            return
        try:
            row = interner.intern(raw, sample.metric, labels)
        except DecodeError as error:
            columns.refuse(at, item, error.reason, error.detail)
            return
        columns.series.append(row)
        columns.times.append(sample.ts)
        columns.values.append(sample.value)
        columns.records.append(at)
        columns.items.append(item)

    def _one_by_one(self, at: int, value: bytes, interner: Interner, columns: Columns) -> None:
        """Read a record that does not decode as a whole: name the fault, save what stands beside it."""
        if value.lstrip()[:1] != b"[":
            columns.refuse(at, -1, *find_fault(value))
            return
        try:
            raws = _decode_items(value)
        except _UNREADABLE:
            columns.refuse(at, -1, *find_fault(value))
            return
        for item, raw_sample in enumerate(raws[: self._samples_per_message]):
            try:
                sample = _decode_one(raw_sample)
            except _UNREADABLE:
                columns.refuse(at, item, *find_fault(bytes(raw_sample)))
                continue
            self._new(at, item, sample, (sample.metric, bytes(sample.labels)), interner, columns)


def find_fault(value: bytes) -> tuple[DeadLetterReason, str]:
    """Why bytes are no sample: not UTF-8, not JSON, or which key is wrong how."""
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        return DeadLetterReason.NOT_UTF8, f"byte {error.start}: {error.reason}"
    try:
        # the standard library reads NaN, Infinity and 1e999, so that they can be named
        found: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        return DeadLetterReason.NOT_JSON, str(error)[:200]
    if not isinstance(found, dict):
        return DeadLetterReason.WRONG_TYPE, f"{type(found).__name__} instead of an object"
    missing = {
        "metric": DeadLetterReason.MISSING_METRIC,
        "ts": DeadLetterReason.MISSING_TIME,
        "value": DeadLetterReason.MISSING_VALUE,
    }
    for key, reason in missing.items():
        if key not in found:
            return reason, f"no key {key!r}"
    number = found["value"]
    if isinstance(number, float) and not math.isfinite(number):
        return DeadLetterReason.NOT_FINITE, f"value {number}"
    for key, kinds in (("metric", (str,)), ("ts", (int, float, str)), ("value", (int, float))):
        if not isinstance(found[key], kinds) or isinstance(found[key], bool):
            return DeadLetterReason.WRONG_TYPE, f"{key!r} is {type(found[key]).__name__}"
    if isinstance(found["ts"], float) and not math.isfinite(found["ts"]):
        return DeadLetterReason.BAD_TIME, f"ts {found['ts']}"
    return DeadLetterReason.NOT_JSON, "not strict JSON"
