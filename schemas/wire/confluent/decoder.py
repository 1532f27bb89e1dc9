"""The format `confluent`: Avro or JSON in Confluent's framing, with the schemas of a registry.

`options.registry` says where it is, `options.fields` which fields are what; see `fields`. The schemas of a chunk are
known before it is decoded: whoever drives the decoder asks for what it wants (`schemas.wire.asking`).
"""

from collections.abc import Sequence
from functools import partial
from itertools import repeat

import msgspec

from schemas.config.limits import LimitsConfig
from schemas.config.options import OptionsConfig
from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason
from schemas.records import Headers
from schemas.wire.asking import Answers, Schema
from schemas.wire.columns import WHOLE, Columns
from schemas.wire.confluent import framing
from schemas.wire.confluent.readers import Readers
from schemas.wire.format import Format, size_fault
from schemas.wire.interner import Interner
from schemas.wire.rows import REFUSED, Ids, KnownRows, Rows, check_fields
from schemas.wire.ticks import stamps_ms

_encode = msgspec.json.Encoder().encode
_Row = tuple[tuple[int, bytes], float, list[float]]
"""Key, time and values of a record that was read in columns."""


class Confluent:
    """Decoder of records whose schemas are in a registry."""

    def __init__(self, limits: LimitsConfig, options: OptionsConfig | None = None) -> None:
        options = options or OptionsConfig()
        self._limits = limits
        self._to_ms = partial(stamps_ms, unit=options.time_unit)
        self._readers = Readers(options.fields, options.schemas)
        self._known = KnownRows(limits.series)
        self._asked: set[int] = set()
        self._told: set[int] = set()

    def wanted(
        self, values: Sequence[bytes | None], headers: Sequence[Headers] | None = None
    ) -> set[int]:
        """Ids of schemas that these records name and that it does not know.

        What could not be had is asked for again with each chunk, but never twice for one.
        """
        self._readers.forget_refused(self._told)
        found = map(framing.split, values, headers or repeat(()))
        named = {one[0] for one in found if one is not None and one[0] not in self._readers}
        self._asked = named - self._told
        return set(self._asked)

    def learn(self, answers: Answers) -> None:
        """Take in what the registry said; that there is no such schema only where it was asked for."""
        for number, answer in answers.items():
            if number in self._asked:
                self._told.add(number)
            if number in self._asked or isinstance(answer, Schema):
                self._readers.add(number, answer)

    def decode(
        self,
        values: Sequence[bytes | None],
        interner: Interner,
        headers: Sequence[Headers] | None = None,
    ) -> Columns:
        """Columns of the samples in these values."""
        self._told.clear()
        rows = Rows(self._known, interner)
        if not any(headers or ()) and self._at_once(values, rows):
            return rows.columns(self._to_ms)
        framed = list(map(framing.split, values, headers or repeat(())))
        quick = self._quick(values, framed)
        for at, value in enumerate(values):
            row = quick.get(at)
            if row is not None and (known := rows.known(row[0])) is not None:
                rows.add(at, known, row[1], row[2])
                continue
            try:
                ids = self._read(rows, at, value, framed[at])
            except DecodeError as error:
                rows.refuse(at, WHOLE, error.reason, error.detail)
                continue
            if row is not None and REFUSED not in ids:
                rows.remember(row[0], ids)
        return rows.columns(self._to_ms)

    def _at_once(self, values: Sequence[bytes | None], rows: Rows) -> bool:
        """Whether a chunk was read whole: records of one schema, all of them good and of known series."""
        here = [value for value in values if value]
        number = framing.shared(here)
        columnar = None if number is None else self._readers.columnar(number)
        if columnar is None or len(here) < len(values):
            return False
        if max(map(len, here)) > self._limits.message_bytes:
            return False
        read = columnar.read([value[framing.PREFIX_BYTES :] for value in here])
        if not read.good.all():
            return False
        ids = [known for key in read.keys if (known := rows.known((number, key))) is not None]
        if len(ids) < len(here):
            return False
        rows.extend(range(len(here)), ids, read.times.tolist(), read.values.ravel().tolist())
        return True

    def _quick(
        self, values: Sequence[bytes | None], framed: Sequence[tuple[int, bytes] | None]
    ) -> dict[int, _Row]:
        """What can be read of the records in columns, by the record."""
        found: dict[int, _Row] = {}
        places: dict[int, list[int]] = {}
        for at, one in enumerate(framed):
            if one is not None and len(values[at] or b"") <= self._limits.message_bytes:
                places.setdefault(one[0], []).append(at)
        for number, ats in places.items():
            columnar = self._readers.columnar(number)
            if columnar is None:
                continue
            read = columnar.read([one[1] for at in ats if (one := framed[at]) is not None])
            rows = zip(
                ats,
                read.good.tolist(),
                read.times.tolist(),
                read.values.tolist(),
                read.keys,
                strict=True,
            )
            found |= {
                at: ((number, key), time, numbers) for at, good, time, numbers, key in rows if good
            }
        return found

    def _read(
        self, rows: Rows, at: int, value: bytes | None, framed: tuple[int, bytes] | None
    ) -> Ids:
        """Add the samples of one record; raises DecodeError."""
        if (fault := size_fault(value, self._limits)) is not None:
            raise DecodeError(*fault)
        if framed is None:
            detail = "neither a magic byte nor a header names a schema"
            raise DecodeError(DeadLetterReason.MALFORMED, detail)
        number, data = framed
        reader = self._readers.get(number)
        found = reader.fields.sort(reader.read(data))
        raw = _encode((found.metric, found.labels))
        key = (number, raw, *found.values)
        ids = rows.known(key)
        if ids is None:
            check_fields(found.values, 0, self._limits)
            names = reader.fields.metrics(found)
            ids = rows.intern(key, at, [(name, b"fields " + raw, found.labels) for name in names])
        rows.add(at, ids, found.time, found.values.values())
        return ids


def _make(limits: LimitsConfig) -> Confluent:
    return Confluent(limits)


CONFLUENT = Format(
    _make,
    starts=(framing.MAGIC,),
    configured=Confluent,
    options=("time_unit", "registry", "fields", "schemas"),
)
