"""Native JSON: `{"ts", "metric", "value", "labels"}`, or an array of such objects.

`ts` is seconds, milliseconds or RFC 3339. Unknown keys are ignored. Samples of an array are judged one by one:
a bad one is refused alone.
"""

import json
import math
from collections.abc import Sequence
from functools import cache
from itertools import repeat
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason
from schemas.records import Headers
from schemas.wire.columns import WHOLE, Columns, Refusal, numbers_ms, times_ms
from schemas.wire.interner import Interner
from schemas.wire.native_plain import decode_plain


class _Numbered(msgspec.Struct, gc=False):
    """A sample whose time is a number, as nearly all are."""

    ts: float
    metric: str
    value: float
    labels: msgspec.Raw = msgspec.Raw(b"{}")


class _Sample(msgspec.Struct, gc=False):
    ts: float | int | str
    metric: str
    value: float
    labels: msgspec.Raw = msgspec.Raw(b"{}")


# RecursionError: arrays nested a thousand deep under a key that nobody asked for
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_decode_numbered = msgspec.json.Decoder(_Numbered).decode
_decode_lines = msgspec.json.Decoder(_Numbered).decode_lines
_decode = msgspec.json.Decoder(_Sample | list[_Sample]).decode
_decode_one = msgspec.json.Decoder(_Sample).decode
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_labels = msgspec.json.Decoder(dict[str, str]).decode
_NULL = b"null"
"""What Go writes of a map that was never made."""

_OPEN, _CLOSE, _FEED = b"{}\n"
_PLACE = attrgetter("record", "item")
FEW = 8
"""So many records are read faster one by one than as lines."""


class NativeJson:
    """Decoder of native JSON."""

    def __init__(self, *, message_bytes: int, samples_per_message: int) -> None:
        self._message_bytes = message_bytes
        self._samples_per_message = samples_per_message

    def decode(
        self,
        values: Sequence[bytes | None],
        interner: Interner,
        _headers: Sequence[Headers] | None = None,
    ) -> Columns:
        """Columns of the samples in these values."""
        return decode_plain(values, interner, self._message_bytes, self._decode, _not_flooding)

    def _decode(self, values: Sequence[bytes | None], interner: Interner) -> Columns:
        columns = self._read(values, interner)
        # in the order of the log, however many records are read at once
        columns.refused.sort(key=_PLACE)
        return columns

    def _read(self, values: Sequence[bytes | None], interner: Interner) -> Columns:
        found = self._at_once(values)
        if found is not None:
            count = len(found)
            times = numbers_ms(np.array([sample.ts for sample in found], np.float64))
            return _columns(found, times, np.arange(count), np.full(count, WHOLE), [], interner)
        samples: list[_Sample] = []
        records: list[int] = []
        items: list[int] = []
        refused: list[Refusal] = []
        for at, value in enumerate(values):
            if not value or len(value) > self._message_bytes:
                refused.append(Refusal(at, WHOLE, *self._size_fault(value)))
                continue
            try:
                one_or_more = _decode(value)
            except _UNREADABLE:
                self._one_by_one(at, value, samples, records, items, refused)
                continue
            if type(one_or_more) is not list:
                samples.append(one_or_more)
                records.append(at)
                items.append(WHOLE)
                continue
            count = len(one_or_more)
            if count > self._samples_per_message:
                detail = f"{count} samples, the limit is {self._samples_per_message}"
                refused.append(Refusal(at, WHOLE, DeadLetterReason.TOO_LARGE, detail))
                continue
            samples += one_or_more
            records += repeat(at, count)
            items += range(count)
        places = np.array(records, np.intp), np.array(items, np.intp)
        times = times_ms([sample.ts for sample in samples])
        return _columns(samples, times, *places, refused, interner)

    def _at_once(self, values: Sequence[bytes | None]) -> list[_Numbered] | None:
        """The samples of a chunk whose every record is one good object on one line, None for any other chunk.

        Records are put on lines of their own and read in one call. Each begins with an opening and ends with a closing
        brace, and no string of JSON holds a bare line feed: so two of them can never be read as one object,
        and as many objects as records means one object in each.
        """
        if len(values) <= FEW:
            return self._few(values)
        try:
            text = b"\n".join(values)  # type: ignore[arg-type]  # a null raises
        except TypeError:
            return None
        data = np.frombuffer(text, np.uint8)
        feeds = np.flatnonzero(data == _FEED)
        if len(feeds) != len(values) - 1 or not len(data):
            return None
        ends = np.append(feeds, len(data))
        starts = np.append(0, feeds + 1)
        lengths = ends - starts
        if lengths.min() == 0 or lengths.max() > self._message_bytes:
            return None
        if (data[starts] != _OPEN).any() or (data[ends - 1] != _CLOSE).any():
            return None
        try:
            found = _decode_lines(text)
        except _UNREADABLE:
            return None
        return found if len(found) == len(values) else None

    def _few(self, values: Sequence[bytes | None]) -> list[_Numbered] | None:
        """The same of a few records, read one by one."""
        found = []
        for value in values:
            if not value or len(value) > self._message_bytes:
                return None
            try:
                found.append(_decode_numbered(value))
            except _UNREADABLE:
                return None
        return found

    def _size_fault(self, value: bytes | None) -> tuple[DeadLetterReason, str]:
        if value is None:
            return DeadLetterReason.TOMBSTONE, "null value"
        if not value:
            return DeadLetterReason.EMPTY_VALUE, "value of 0 bytes"
        return (
            DeadLetterReason.TOO_LARGE,
            f"{len(value)} bytes, the limit is {self._message_bytes}",
        )

    def _one_by_one(
        self,
        at: int,
        value: bytes,
        samples: list[_Sample],
        records: list[int],
        items: list[int],
        refused: list[Refusal],
    ) -> None:
        """Read a record that does not decode as a whole: name the fault, save what stands beside it."""
        if value.lstrip()[:1] != b"[":
            refused.append(Refusal(at, WHOLE, *find_fault(value)))
            return
        try:
            raws = _decode_items(value)
        except _UNREADABLE:
            refused.append(Refusal(at, WHOLE, *find_fault(value)))
            return
        for item, raw in enumerate(raws[: self._samples_per_message]):
            try:
                samples.append(_decode_one(raw))
            except _UNREADABLE:
                refused.append(Refusal(at, item, *find_fault(bytes(raw))))
                continue
            records.append(at)
            items.append(item)


def _columns(
    samples: Sequence[_Numbered | _Sample],
    times: NDArray[np.int64],
    records: NDArray[np.intp],
    items: NDArray[np.intp],
    refused: list[Refusal],
    interner: Interner,
) -> Columns:
    """Columns of samples, which stand at these records and items."""
    columns = Columns(
        np.zeros(0, np.intp),
        times,
        np.array([sample.value for sample in samples], np.float64),
        records,
        items,
        refused,
    )
    metrics = [sample.metric for sample in samples]
    raws = _raw_labels(samples)
    columns.series = interner.find(metrics, raws)
    if not len(raws) or columns.series.min() >= 0:
        return columns
    newcomers = _Newcomers(columns, interner)
    for at in newcomers.to_read(np.flatnonzero(columns.series < 0).tolist(), raws):
        columns.series[at] = newcomers.id_of(at, metrics[at], raws[at])
    return columns.keep(columns.series >= 0)


def _raw_labels(samples: Sequence[_Numbered | _Sample]) -> list[bytes]:
    """The labels of each sample as they were written."""
    raws = [sample.labels for sample in samples]
    # a third faster than one `bytes` a piece, unless there are line feeds between the labels
    split = b"\n".join(raws).split(b"\n")
    return split if len(split) == len(raws) else [bytes(raw) for raw in raws]


def _not_flooding(columns: Columns, interner: Interner, raws: list[bytes]) -> list[int]:
    """Which of these labels, of series that are not known, are to be read; the others are counted by their tenant."""
    return _Newcomers(columns, interner).to_read([*range(len(raws))], raws)


class _Newcomers:
    """Samples of one chunk whose labels came in a form that was not known before it."""

    def __init__(self, columns: Columns, interner: Interner) -> None:
        self._columns = columns
        self._interner = interner
        self._tenants = _tenant_decoder(interner.identity.tenant_label)

    def to_read(self, ats: list[int], raws: Sequence[bytes]) -> list[int]:
        """Those of these samples that are worth a look: a flood is counted by its tenant alone."""
        if self._interner.waits:
            return ats
        try:
            found = self._tenants.decode_lines(b"\n".join([raws[at] for at in ats]))
        except _UNREADABLE:
            return ats
        if len(found) != len(ats):
            return ats
        names = [each.tenant for each in found]
        full = {name for name in set(names) if self._no_room(name, names)}
        return [at for at, name in zip(ats, names, strict=True) if name not in full]

    def _no_room(self, name: str, names: list[str]) -> bool:
        """Whether samples of a tenant are refused unread, as many as it has among `names`."""
        fault = self._interner.no_room(name)
        if fault is None:
            return False
        reason, tenant = fault
        self._columns.unread[tenant, reason] += names.count(name)
        return True

    def id_of(self, at: int, metric: str, raw: bytes) -> int:
        """Id of the label set of sample `at`, -1 where it is refused."""
        known = self._interner.get(metric, raw)
        if known >= 0:
            return known
        written = b"{}" if raw == _NULL else raw
        try:
            name = self._tenants.decode(written).tenant
            if not self._interner.was_known(metric, raw) and self._no_room(name, [name]):
                return -1
            return self._interner.intern(metric, raw, _decode_labels(written))
        except msgspec.ValidationError as error:
            fault = DeadLetterReason.WRONG_TYPE, f"labels: {error}", ""
        except _UNREADABLE as error:
            fault = DeadLetterReason.NOT_UTF8, f"labels: {error}", ""
        except DecodeError as error:
            fault = error.reason, error.detail, error.tenant
        columns = self._columns
        columns.refuse(columns.records.item(at), columns.items.item(at), *fault)
        return -1


@cache
def _tenant_decoder(label: str) -> msgspec.json.Decoder[Any]:
    """Reads the value of one label out of a JSON object of labels, empty when it is missing."""
    form = msgspec.defstruct("Tenant", [("tenant", str, "")], rename={"tenant": label})
    return msgspec.json.Decoder(form)


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
