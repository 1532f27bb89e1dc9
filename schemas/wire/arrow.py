"""The format `arrow`: an Arrow IPC stream a record, with columns `ts`, `metric`, `value` and one for each label.

Labels stand in columns of their own, or in one column `labels` that is a map of texts, or both. Texts may be
dictionary-encoded. Columns are taken over whole: a loop runs over the distinct label sets of a record, never over its
samples. All that a record says about itself is checked before it is believed. A record that is no such stream
is refused whole; samples are refused alone, in one refusal for all of a record that share label set and reason.

Refuses compressed bodies, which could unpack to any size: Kafka compresses whole batches of records.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.config.limits import LimitsConfig
from schemas.errors import DecodeError, MissingExtraError
from schemas.reasons import DeadLetterReason
from schemas.records import Headers
from schemas.wire.columns import MILLISECONDS_BELOW, WHOLE, Columns, Refusal, numbers_ms
from schemas.wire.flatbuffer import announced
from schemas.wire.format import Format, count_fault, of_chunk, of_record, refusals, size_fault
from schemas.wire.interner import Interner

try:
    import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

    from schemas.wire.known_sets import KnownSets
    from schemas.wire.label_columns import LabelColumns, Mapped, Texts, is_text
except ImportError as error:
    raise MissingExtraError("history", "the format 'arrow'") from error

CONTENT_TYPE = "application/vnd.apache.arrow.stream"
CONTINUATION = b"\xff\xff\xff\xff"
"""First bytes of each message of an IPC stream since Arrow 0.15."""
TIME, METRIC, VALUE, LABELS = "ts", "metric", "value", "labels"
_MISSING = {
    METRIC: DeadLetterReason.MISSING_METRIC,
    TIME: DeadLetterReason.MISSING_TIME,
    VALUE: DeadLetterReason.MISSING_VALUE,
}
_UNREADABLE = (pa.ArrowException, OSError, ValueError, LookupError, TypeError, MemoryError)
_encode = msgspec.json.Encoder().encode


class Arrow:
    """Decoder of Arrow IPC streams."""

    def __init__(self, limits: LimitsConfig) -> None:
        self._limits = limits
        self._known = KnownSets(limits.series_per_tenant)

    def decode(
        self,
        values: Sequence[bytes | None],
        interner: Interner,
        _headers: Sequence[Headers] | None = None,
    ) -> Columns:
        """Columns of the samples in these values."""
        self._known.follow(interner)
        parts: list[Columns] = []
        refused: list[Refusal] = []
        for at, value in enumerate(values):
            try:
                batches = self._read(value)
            except DecodeError as error:
                refused.append(Refusal(at, WHOLE, error.reason, error.detail))
                continue
            first = 0
            for batch in batches:
                parts.append(self._part(at, first, batch, interner, refused))
                first += batch.num_rows
        return of_chunk(parts, refused)

    def _read(self, value: bytes | None) -> list[pa.RecordBatch]:
        """The batches of a record, each of them sound and with the columns that it must have."""
        if (fault := size_fault(value, self._limits)) is not None:
            raise DecodeError(*fault)
        buffer = pa.py_buffer(value)
        try:
            self._check_announced(buffer)
            with pa.ipc.open_stream(buffer) as reader:
                _check_columns(reader.schema)
                batches = list(reader)
            for batch in batches:
                batch.validate(full=True)
        except _UNREADABLE as error:
            detail = f"no Arrow IPC stream: {error}"
            raise DecodeError(DeadLetterReason.MALFORMED, detail) from error
        return batches

    def _check_announced(self, buffer: pa.Buffer) -> None:
        """Refuse by the headers of the messages, before any body is unpacked."""
        rows = 0
        for message in pa.ipc.MessageReader.open_stream(buffer):
            found = announced(message.metadata.to_pybytes())
            if found is None:
                continue
            if found.compressed:
                raise DecodeError(
                    DeadLetterReason.MALFORMED,
                    "compressed Arrow body: leave compression to Kafka",
                )
            # a dictionary without rows in use is no reason to unpack more than a message may hold
            if message.type == "record batch":
                rows += found.rows
            if (fault := count_fault(max(rows, found.rows), self._limits)) is not None:
                raise DecodeError(*fault)

    def _part(
        self,
        at: int,
        first: int,
        batch: pa.RecordBatch,
        interner: Interner,
        refused: list[Refusal],
    ) -> Columns:
        """Samples of a batch, the first of which is number `first` of its record."""
        items = np.arange(first, first + batch.num_rows)
        texts = {}
        mapped = None
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if name == LABELS and pa.types.is_map(column.type):
                mapped = Mapped(column)
            elif name not in (TIME, VALUE):
                texts[name] = Texts(column)
        sets = LabelColumns(texts.pop(METRIC), texts, mapped, self._limits.labels_per_series)
        ids = self._known.find(sets)
        new = np.flatnonzero(ids < 0)
        faults: list[tuple[int, DecodeError]] = []
        for number in new.tolist():
            try:
                ids[number] = _id(*sets.read(number), interner)
            except DecodeError as error:
                faults.append((number, error))
        if faults:
            refused += refusals(at, faults, sets.number, items)
        taken = new[ids[new] >= 0]
        self._known.add(sets, taken, ids[taken])
        series = ids[sets.number]
        kept = series >= 0
        for name in (TIME, VALUE):
            column = batch.column(name)
            if column.null_count:
                absent = column.is_null().to_numpy(zero_copy_only=False) & kept
                mine = np.flatnonzero(absent)
                if len(mine):
                    detail = f"{name} is null ({len(mine)} samples)"
                    refused.append(Refusal(at, int(items[mine[0]]), _MISSING[name], detail))
                    kept &= ~absent
        times, values = _times(batch.column(TIME)), _values(batch.column(VALUE))
        part = of_record(at, series, times, values, items)
        return part if kept.all() else part.keep(kept)


def _id(metric: str, labels: dict[str, str], interner: Interner) -> int:
    """Id of a label set; raises DecodeError where it is refused."""
    raw = _encode(labels)
    known = interner.get(metric, raw)
    return interner.intern(metric, raw, labels) if known < 0 else known


def _check_columns(schema: pa.Schema) -> None:
    """Refuse a schema that has not the columns it must have, or one of a type that says nothing here."""
    types = pa.types
    names = schema.names
    if len(set(names)) < len(names):
        raise DecodeError(DeadLetterReason.WRONG_TYPE, "two columns of one name")
    for name, reason in _MISSING.items():
        if name not in names:
            raise DecodeError(reason, f"no column {name!r}")
    for name, kind in zip(names, schema.types, strict=True):
        if name == TIME:
            good = types.is_timestamp(kind) or _is_number(kind)
        elif name == VALUE:
            good = _is_number(kind)
        elif name == LABELS and types.is_map(kind):
            good = is_text(kind.key_type) and is_text(kind.item_type)
        else:
            good = is_text(kind)
        if not good:
            raise DecodeError(DeadLetterReason.WRONG_TYPE, f"column {name!r} is {kind}")


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _values(column: pa.Array) -> NDArray[np.float64]:
    """The numbers of a column; NaN for those that are null."""
    numbers: NDArray[np.float64] = column.to_numpy(zero_copy_only=False).astype(np.float64)
    return numbers


def _times(column: pa.Array) -> NDArray[np.int64]:
    """Event times in ms: timestamps by their unit, numbers by their size; a zone changes nothing."""
    if not pa.types.is_timestamp(column.type):
        with np.errstate(over="ignore"):  # a number that overflows is no time
            return numbers_ms(_values(column))
    unit = column.type.unit
    numbers = column.view(pa.int64())
    ticks = (numbers.fill_null(-1) if column.null_count else numbers).to_numpy()
    if unit == "s":
        good = (ticks >= 0) & (ticks < MILLISECONDS_BELOW / 1000)
        return np.where(good, np.where(good, ticks, 0) * 1000, -1)
    if unit == "ms":
        return ticks  # type: ignore[no-any-return]  # pyarrow has no types
    ticks_per_ms = 1_000 if unit == "us" else 1_000_000
    # to the nearest, as times are rounded in JSON
    whole, rest = np.divmod(ticks, ticks_per_ms)
    return whole + (2 * rest >= ticks_per_ms)  # type: ignore[no-any-return]  # as above


ARROW = Format(Arrow, (CONTENT_TYPE,), (CONTINUATION,))
