"""The format `influx`: Influx line protocol, one line a record or many.

`measurement,tag=value field=1i,other=2.5 1700000000000000000`: each field that is a number or a boolean is a sample of
the series `measurement_field` with the tags as labels, named as Telegraf's serializer for Prometheus names them. Texts
are no samples; a line that has nothing else is refused. A bad line is refused alone. Escapes are those of InfluxDB:
a backslash before a comma, a space or, but for measurements, an equals sign; in a text before a quote or a backslash.

Lines without quotes and backslashes are cut by the C code of `bytes`; all others are read by the grammar.
"""

import re
from collections.abc import Iterator, Sequence
from functools import partial

from schemas.config.limits import LimitsConfig
from schemas.config.options import OptionsConfig
from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason, IgnoreReason
from schemas.records import Headers
from schemas.wire.columns import WHOLE, Columns
from schemas.wire.format import Format, size_fault
from schemas.wire.interner import Interner
from schemas.wire.names import field_metric, label_set
from schemas.wire.rows import Ids, KnownRows, Rows, check_fields
from schemas.wire.ticks import stamps_ms

_DECIMAL = rb"-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_NUMBER = rb"(?:" + _DECIMAL + rb"|-?\d+i|\d+u)"
_NUMBERS = re.compile(_NUMBER + rb"(?:," + _NUMBER + rb")*")
_NO_MARKS = bytes(set(range(256)) - set(b"=,"))
_SPACE, _HASH = b" #"
_NAME = rb"(?:\\.|[^,= \n\\])+"
_FIELD = re.compile(rb"(" + _NAME + rb')=("(?:\\.|[^"\\])*"|[^, "\n]+)(,?)', re.DOTALL)
_HEAD = re.compile(rb"(?:\\[^\n]|[^ \n\\])+")
_TAG = re.compile(rb",(" + _NAME + rb")=(" + _NAME + rb")")
_MEASUREMENT = re.compile(rb"(?:\\.|[^, \\])+")
_ONE_NUMBER = re.compile(_NUMBER)
_TIME = re.compile(rb" *(-?\d+)?[ \r]*(?:\n|$)")
_BOOLEANS = dict.fromkeys((b"t", b"T", b"true", b"True", b"TRUE"), 1.0) | dict.fromkeys(
    (b"f", b"F", b"false", b"False", b"FALSE"), 0.0
)
_ESCAPED = re.compile(r"\\([,= ])")
_ESCAPED_MEASUREMENT = re.compile(r"\\([, ])")
_LIKELY = re.compile(
    rb"(?:\\.|[^,\s=\\{\[\"#\x00-\x1f])(?:\\.|[^,\s\\=\x00-\x1f])*(?:,"
    + _NAME
    + rb"="
    + _NAME
    + rb")*"
    rb" +" + _NAME + rb'=(?:"|' + _NUMBER + rb"(?:[ ,\r\n]|$)|[tTfF])"
)


class Influx:
    """Decoder of Influx line protocol."""

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
        lines = _Lines(Rows(self._known, interner), self._limits)
        most_bytes = self._limits.message_bytes
        for at, value in enumerate(values):
            if not value or len(value) > most_bytes:
                fault = size_fault(value, self._limits)
                assert fault is not None
                lines.rows.refuse(at, WHOLE, *fault)
                continue
            if b'"' in value or b"\\" in value:
                lines.pieces.append((at, value, b"", [], b""))
            else:
                lines.cut(at, value)
        lines.add()
        return lines.rows.columns(self._to_ms)


_Piece = tuple[int, bytes, bytes, list[bytes], bytes]
"""Record, line, and of a line that was cut its head, the names of its fields and its time."""


class _Lines:
    """The lines of one chunk."""

    def __init__(self, rows: Rows, limits: LimitsConfig) -> None:
        self.rows = rows
        self.pieces: list[_Piece] = []
        self._numbers: list[bytes] = []
        self._limits = limits

    def cut(self, at: int, value: bytes) -> None:
        """Cut the lines of a record without quotes and backslashes; nothing is looked up before all are good."""
        for line in value.split(b"\n"):
            parts = line.split(b" ")
            if len(parts) == 3 and line[0] > _SPACE and line[0] != _HASH and parts[2].isdigit():
                body = parts[1]
                fields = body.replace(b"=", b",").split(b",")
                # marks of another order would make a name of a value
                if body.translate(None, _NO_MARKS) == b"=," * (len(fields) // 2 - 1) + b"=":
                    self.pieces.append((at, line, parts[0], fields[::2], parts[2]))
                    self._numbers += fields[1::2]
                    continue
            if line:
                self.pieces.append((at, line, b"", [], b""))

    def add(self) -> None:
        """Add the samples of all lines, in their order."""
        text = b",".join(self._numbers)
        sure = _NUMBERS.fullmatch(text) is not None
        if b"i" in text or b"u" in text:  # a letter behind a number tells its type
            text = text.translate(None, b"iu")
        numbers = list(map(float, text.split(b","))) if sure else []
        place = item = 0
        before = -1
        fields_of = self.rows.fields_of
        rows: list[tuple[int, Ids, float]] = []
        taken: list[float] = []
        for at, line, head, names, time in self.pieces:
            if at != before:
                before, item = at, 0
            if sure and names:
                values = numbers[place : place + len(names)]
                place += len(names)
                try:
                    ids = tuple(map(fields_of[head].__getitem__, names))
                except KeyError:
                    ids = ()
                if ids and not item:
                    rows.append((at, ids, float(time)))
                    taken += values
                    item = len(ids)
                    continue
                self._flush(rows, taken)
                rows, taken = [], []
                item = self._line(at, item, head, names, values, float(time))
            else:
                self._flush(rows, taken)
                rows, taken = [], []
                item = self.exact(at, line, item)
        self._flush(rows, taken)

    def _flush(self, rows: list[tuple[int, Ids, float]], values: list[float]) -> None:
        """Add rows that are first in their records."""
        if rows:
            records, ids, times = zip(*rows, strict=True)
            self.rows.extend(records, ids, times, values)

    def exact(self, at: int, text: bytes, item: int) -> int:
        """Read lines by the grammar; the index of the item after them."""
        place = 0
        while place < len(text):
            if text[place] in b" \n\r\t":
                place += 1
                continue
            end = text.find(b"\n", place)
            end = len(text) if end < 0 else end
            if text[place] == ord("#"):
                place = end
                continue
            try:
                head, names, numbers, texts, time, place = _scan(text, place)
            except DecodeError as error:
                self.rows.refuse(at, item or WHOLE, error.reason, error.detail)
                item += 1
                place = end
                continue
            if texts:
                self.rows.ignored[IgnoreReason.TEXT_FIELD] += texts
            item = self._line(at, item, head, names, numbers, time)
        return item

    def _line(
        self,
        at: int,
        item: int,
        head: bytes,
        names: Sequence[bytes],
        numbers: Sequence[float],
        time: float,
    ) -> int:
        """Add the samples of a line; the index of the item after them."""
        try:
            check_fields(names, item, self._limits)  # type: ignore[arg-type]  # only counted
            ids = self.rows.by_field(head, names)
            if ids is None:
                ids = self._new(at, item, head, names)
        except DecodeError as error:
            self.rows.refuse(at, item or WHOLE, error.reason, error.detail)
            return item + 1
        self.rows.add(at, ids, time, numbers, item)
        return item + len(ids)

    def _new(self, at: int, item: int, head: bytes, names: Sequence[bytes]) -> Ids:
        """Ids of the series of a line with new fields; raises DecodeError."""
        if b"" in names:
            raise DecodeError(DeadLetterReason.MALFORMED, "a field without a name")
        try:
            name, tags = _read_head(head)
            fields = [_ESCAPED.sub(r"\1", n.decode()) for n in names]
        except UnicodeDecodeError as error:
            detail = f"byte {error.start} of {error.object[:50]!r}: {error.reason}"
            raise DecodeError(DeadLetterReason.NOT_UTF8, detail) from error
        labels = label_set(tags)
        form = b"line " + head
        series = [(field_metric(name, field), form, labels) for field in fields]
        return self.rows.intern_fields(head, names, at, series, item)


def _floats(numbers: Sequence[bytes]) -> list[float]:
    """Numbers of the grammar; a letter behind one tells its type."""
    return [float(n[:-1] if n[-1] > _NINE else n) for n in numbers]


_NINE = ord("9")


def _scan(text: bytes, place: int) -> tuple[bytes, list[bytes], list[float], int, float, int]:
    """Head, names and values of the fields, number of texts, time and end of a line; raises DecodeError."""
    found = _HEAD.match(text, place)
    if found is None or text[found.end() : found.end() + 1] != b" ":
        raise _malformed("no fields", text, place)
    head = found[0]
    place = found.end()
    while text[place : place + 1] == b" ":
        place += 1
    names: list[bytes] = []
    numbers: list[float] = []
    texts = 0
    while True:
        field = _FIELD.match(text, place)
        if field is None:
            raise _malformed("no field `name=value`", text, place)
        name, value, comma = field.groups()
        number = _number(value)
        if number is None:
            texts += 1
        else:
            names.append(name)
            numbers.append(number)
        place = field.end()
        if not comma:
            break
    time = _TIME.match(text, place)
    if time is None:
        raise _malformed("neither a time nor the end of the line", text, place)
    if time[1] is None:
        raise DecodeError(DeadLetterReason.MISSING_TIME, "the line has no time")
    return head, names, numbers, texts, float(time[1]), time.end()


def _number(value: bytes) -> float | None:
    """Value of a field, None for a text; raises DecodeError."""
    if value[:1] == b'"':
        return None
    boolean = _BOOLEANS.get(value.rstrip(b"\r"))
    if boolean is not None:
        return boolean
    value = value.rstrip(b"\r")
    if not _ONE_NUMBER.fullmatch(value):
        raise DecodeError(DeadLetterReason.WRONG_TYPE, f"{value[:50]!r} is no value of a field")
    return _floats([value])[0]


def _read_head(head: bytes) -> tuple[str, dict[str, str]]:
    """Measurement and tags; raises DecodeError and UnicodeDecodeError."""
    found = _MEASUREMENT.match(head)
    if found is None:
        raise DecodeError(DeadLetterReason.MISSING_METRIC, "the measurement has no name")
    tags: dict[str, str] = {}
    place = found.end()
    for name, value in _tags(head, place):
        if name in tags:
            raise DecodeError(DeadLetterReason.BAD_LABEL, f"tag {name[:100]!r} stands twice")
        tags[name] = value
    return _ESCAPED_MEASUREMENT.sub(r"\1", found[0].decode()), tags


def _tags(head: bytes, place: int) -> Iterator[tuple[str, str]]:
    while place < len(head):
        tag = _TAG.match(head, place)
        if tag is None:
            raise _malformed("no tag `,name=value`", head, place)
        name, value = (_ESCAPED.sub(r"\1", part.decode()) for part in tag.groups())
        yield name, value
        place = tag.end()


def _malformed(what: str, text: bytes, place: int) -> DecodeError:
    detail = f"{what} at byte {place}: {text[place : place + 40]!r}"
    return DecodeError(DeadLetterReason.MALFORMED, detail)


def _looks_so(value: bytes) -> bool:
    """Whether the first line that is no comment begins as one of the protocol."""
    value = value.lstrip()
    while value.startswith(b"#"):
        value = value.partition(b"\n")[2].lstrip()
    return _LIKELY.match(value) is not None


def _make(limits: LimitsConfig) -> Influx:
    return Influx(limits)


INFLUX = Format(_make, claims=_looks_so, configured=Influx, options=("time_unit",))
