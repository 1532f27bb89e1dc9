"""Columnar Avro: many records of one schema at once, field by field, without an object for each.

Every record has a place, and each field of the schema moves all places on together, in numpy. Of the time and the
values the numbers are read; everything between them is passed over and becomes, byte for byte, the key of the record's
series. Avro's types end where they say themselves, so equal keys are equal fields.

It reads no record that it is not sure of: one that does not end where it should, or has more entries in a map than
labels are allowed, is left to fastavro, and so is every schema with other types in it. It refuses nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.config.options import FieldsConfig
from schemas.wire.confluent.fields import TIMES, VALUE

Ints = NDArray[np.int64]
_VARINT_BYTES = 10
_SHIFTS = (7 * np.arange(_VARINT_BYTES)).astype(np.uint64)
_FIXED = {"null": 0, "boolean": 1, "float": 4, "double": 8}
_VARINTS = frozenset({"int", "long", "enum"})
_TEXTS = frozenset({"string", "bytes"})
_NUMBERS = frozenset({"int", "long", "float", "double"})
MOST_BYTES = 2**40
"""No record is as long; with more a place could overflow."""
_ENOUGH_ROUNDS = 256
"""Entries of a map that are read, four times the labels that a series may have unless configured."""


class Read(NamedTuple):
    """What was read of one schema's records.

    Attributes:
        good: bool[n], of which records it is sure.
        times: float64[n].
        values: float64[n, fields].
        keys: bytes of each record that are neither its time nor its values.

    """

    good: NDArray[np.bool_]
    times: NDArray[np.float64]
    values: NDArray[np.float64]
    keys: list[bytes]


class Columnar:
    """Reader of one schema's records."""

    def __init__(self, fields: Sequence[tuple[str, Any]], time: str, values: Sequence[str]) -> None:
        self._fields = fields
        self._time = time
        self.values = tuple(values)

    def read(self, records: Sequence[bytes]) -> Read:
        """Read these records."""
        walk = _Walk(records)
        count = len(records)
        numbers: dict[str, NDArray[np.float64]] = {}
        rows = np.arange(count)
        segments: list[tuple[Ints, Ints]] = []
        begin = walk.places.copy()
        for name, kind in self._fields:
            if name != self._time and name not in self.values:
                walk.skip(kind, rows)
                continue
            segments.append((begin, walk.places.copy()))
            numbers[name] = walk.number(kind)
            begin = walk.places.copy()
        segments.append((begin, walk.places.copy()))
        good = ~walk.bad & (walk.places == walk.ends)
        values = np.stack([numbers[name] for name in self.values], axis=1)
        return Read(good, numbers[self._time], values, _keys(walk.text, segments))


def _keys(text: bytes, segments: Sequence[tuple[Ints, Ints]]) -> list[bytes]:
    """Of each record its bytes in these segments, one behind the other."""
    parts = [
        [text[a:b] for a, b in zip(begins.tolist(), ends.tolist(), strict=True)]
        for begins, ends in segments
        if (begins < ends).any()
    ]
    if len(parts) == 1:
        return parts[0]
    return list(map(b"".join, zip(*parts, strict=True))) if parts else [b""] * len(segments[0][0])


class _Walk:
    """Places in many records, moved on together."""

    def __init__(self, records: Sequence[bytes]) -> None:
        self.text = b"".join(records)
        # whatever stands at a place can be looked at as far as the longest number goes
        self._data = np.frombuffer(self.text + bytes(_VARINT_BYTES), np.uint8)
        lengths = np.fromiter(map(len, records), np.int64, len(records))
        self.ends = np.cumsum(lengths)
        self.places = self.ends - lengths
        self.bad = np.zeros(len(records), np.bool_)

    def number(self, kind: str) -> NDArray[np.float64]:
        """The number of this type at every place; moves on."""
        rows = np.arange(len(self.places))
        if kind in _VARINTS:
            return self._varint(rows).astype(np.float64)
        size = _FIXED[kind]
        found = self._window(rows, size).view("<f4" if size == _FIXED["float"] else "<f8")[:, 0]
        self._move(rows, np.full(len(rows), size))
        with np.errstate(invalid="ignore"):  # a signalling NaN becomes a quiet one
            return found.astype(np.float64)

    def skip(self, kind: Any, rows: Ints) -> None:
        """Move these rows on over a value of this type."""
        if isinstance(kind, list):
            branch = self._varint(rows)
            self.bad[rows[(branch < 0) | (branch >= len(kind))]] = True
            for at, other in enumerate(kind):
                if len(mine := rows[branch == at]):
                    self.skip(other, mine)
        elif isinstance(kind, dict):
            self._skip_blocks(rows, kind["type"] == "map", kind.get("values") or kind.get("items"))
        elif kind in _VARINTS:
            self._varint(rows)
        elif kind in _TEXTS:
            length = self._varint(rows)
            self._move(rows, length)
        else:
            self._move(rows, np.full(len(rows), _FIXED[kind]))

    def _skip_blocks(self, rows: Ints, is_map: bool, kind: Any) -> None:
        """Move over the blocks of a map or an array."""
        rounds = 0
        while len(rows := rows[~self.bad[rows]]):
            left = self._varint(rows)
            sized = left < 0
            if (
                sized.any()
            ):  # such a block says how many bytes it has; its entries are read nevertheless
                self._varint(rows[sized])
                left = np.abs(left)
            rows, left = rows[left > 0], left[left > 0]
            remaining = rows
            while len(remaining):
                if rounds == _ENOUGH_ROUNDS:
                    self.bad[remaining] = True
                    break
                rounds += 1
                if is_map:
                    self.skip("string", remaining)
                self.skip(kind, remaining)
                left -= 1
                going = (left > 0) & ~self.bad[remaining]
                remaining, left = remaining[going], left[going]

    def _window(self, rows: Ints, size: int) -> NDArray[np.uint8]:
        """So many bytes from each place on."""
        found: NDArray[np.uint8] = self._data[self.places[rows][:, None] + np.arange(size)]
        return found

    def _varint(self, rows: Ints) -> Ints:
        """Zig-zag number of variable length at each place (Avro 1.12, binary encoding of long); moves on."""
        first = self._data[self.places[rows]]
        # nearly all are a length or a count: one byte
        if not len(first) or first.max() <= 0x7F:
            value = first.astype(np.uint64)
            lengths = np.ones(len(rows), np.int64)
        else:
            bytes_ = self._window(rows, _VARINT_BYTES)
            more = bytes_ > 0x7F
            lengths = np.argmin(more, axis=1) + 1
            self.bad[rows[more.all(axis=1)]] = True
            within = np.arange(_VARINT_BYTES) < lengths[:, None]
            septets = np.where(within, bytes_ & 0x7F, 0).astype(np.uint64)
            value = (septets << _SHIFTS).sum(axis=1, dtype=np.uint64)
        self._move(rows, lengths)
        found: Ints = (value >> np.uint64(1)).astype(np.int64) ^ -(value & np.uint64(1)).astype(
            np.int64
        )
        return found

    def _move(self, rows: Ints, by: Ints) -> None:
        """Move on, and stay within the records: whoever would leave its own is bad."""
        places, ends = self.places[rows] + by, self.ends[rows]
        astray = (by < 0) | (by > MOST_BYTES) | (places > ends)
        if astray.any():
            self.bad[rows[astray]] = True
            places[astray] = ends[astray]
        self.places[rows] = places


def columnar(schema: Any, config: FieldsConfig) -> Columnar | None:
    """Reader of the records of a parsed schema without logical types; None where it is not sure of them."""
    if not isinstance(schema, Mapping) or schema.get("type") != "record":
        return None
    fields = [(field["name"], _simple(field["type"])) for field in schema["fields"]]
    kinds = dict(fields)
    if None in kinds.values() or len(kinds) < len(fields):
        return None
    time = config.time or next((name for name in TIMES if name in kinds), "")
    names = config.values
    if not names and time != VALUE and _is_number(kinds.get(VALUE)):
        names = (VALUE,)
    if not names:
        names = tuple(n for n, kind in fields if n != time and _may_be_number(kind))
    wanted = (time, *names)
    # what may be null or a text in one record and a number in the next is not for columns
    sure = all(_is_number(kinds.get(name)) for name in wanted)
    return (
        Columnar(fields, time, names)
        if names and sure and len(set(wanted)) == len(wanted)
        else None
    )


def _is_number(kind: Any) -> bool:
    return isinstance(kind, str) and kind in _NUMBERS


def _may_be_number(kind: Any) -> bool:
    return _is_number(kind) or (isinstance(kind, list) and any(map(_is_number, kind)))


def _simple(kind: Any) -> Any:
    """A type as `_Walk` knows it; None for any other."""
    if isinstance(kind, Mapping):
        name = kind.get("type")
        if name in ("map", "array"):
            entry = _simple(kind.get("values") if name == "map" else kind.get("items"))
            # entries of no bytes could be without number
            if entry is None or entry == "null" or not isinstance(entry, str):
                return None
            return {"type": name, "values": entry}
        return _simple(name) if isinstance(name, str) and name != "record" else None
    if isinstance(kind, list):
        branches = [_simple(each) for each in kind]
        return None if None in branches or any(isinstance(b, list) for b in branches) else branches
    return kind if kind in _FIXED or kind in _VARINTS or kind in _TEXTS else None
