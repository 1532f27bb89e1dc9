"""Readers: schemas by id, as functions that make a dict of a record's data.

Avro is read by fastavro with the schema that it was written with. Logical types are read as what they are made of: a
time stays the number that it is, and decimals, which are bytes, are no numbers. JSON is read as it stands: its schema
says what the producer has checked already.

Refuses Protobuf. At most so many schemas are remembered; those not used for longest are asked for again.
"""

import io
import re
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import msgspec

from schemas.config.options import FieldsConfig
from schemas.errors import DecodeError, MissingExtraError
from schemas.reasons import DeadLetterReason
from schemas.wire.asking import Nothing, Schema
from schemas.wire.confluent.columnar import Columnar, columnar
from schemas.wire.confluent.fields import Fields
from schemas.wire.objects import UNREADABLE, find_fault

try:
    import fastavro
except ImportError as error:
    raise MissingExtraError("avro", "the format 'confluent'") from error

Record = Mapping[str, Any]
_decode_json = msgspec.json.Decoder(dict[str, Any]).decode
_decode_schema = msgspec.json.Decoder().decode
# fastavro tells of bad data by whatever went wrong inside
_BAD_DATA = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)


class Reader(NamedTuple):
    """How the data of one schema are read, and what their fields are.

    Attributes:
        read: record of the data; raises DecodeError.
        fields: sorts its fields.
        columnar: reads many records at once, where it is sure of the schema.

    """

    read: Callable[[bytes], Record]
    fields: Fields
    columnar: Columnar | None = None


class Readers:
    """Readers by the id of their schema, or why there is none."""

    def __init__(self, config: FieldsConfig, most: int) -> None:
        self._config = config
        self._most = most
        self._known: OrderedDict[int, Reader | DecodeError] = OrderedDict()

    def __contains__(self, number: int) -> bool:
        return number in self._known

    def get(self, number: int) -> Reader:
        """Reader of the schema with this id; raises DecodeError."""
        found = self._known.get(number)
        if found is None:
            detail = f"schema {number}: no registry was asked for it"
            raise DecodeError(DeadLetterReason.UNKNOWN_SCHEMA, detail)
        self._known.move_to_end(number)
        if isinstance(found, DecodeError):
            raise DecodeError(found.reason, found.detail)
        return found

    def columnar(self, number: int) -> Columnar | None:
        """Reader of many records of a schema at once, where there is one."""
        found = self._known.get(number)
        return found.columnar if isinstance(found, Reader) else None

    def add(self, number: int, answer: Schema | Nothing) -> None:
        """Take in what a registry said of a schema."""
        try:
            self._known[number] = self._reader(number, answer)
        except DecodeError as error:
            self._known[number] = error
        while len(self._known) > self._most:
            self._known.popitem(last=False)

    def forget_refused(self, but: Collection[int]) -> None:
        """Forget what could not be had, but for these."""
        for number in [n for n, found in self._known.items() if isinstance(found, DecodeError)]:
            if number not in but:
                del self._known[number]

    def _reader(self, number: int, answer: Schema | Nothing) -> Reader:
        if isinstance(answer, Nothing):
            detail = f"schema {number}: {answer.detail}"
            raise DecodeError(DeadLetterReason.UNKNOWN_SCHEMA, detail)
        if answer.kind == "JSON":
            return Reader(_read_json, Fields(self._config, _title(answer.text)))
        if answer.kind != "AVRO":
            detail = f"schema {number}: {answer.kind[:50]} is not read"
            raise DecodeError(DeadLetterReason.UNKNOWN_SCHEMA, detail)
        schema, name = _parse(number, answer)

        def read(data: bytes) -> Record:
            stream = io.BytesIO(data)
            try:
                record = fastavro.schemaless_reader(stream, schema, None)
            except _BAD_DATA as error:
                detail = f"no record of schema {number}: {type(error).__name__}: {error}"
                raise DecodeError(DeadLetterReason.MALFORMED, detail[:200]) from error
            if stream.tell() != len(data):
                detail = f"{len(data) - stream.tell()} bytes behind a record of schema {number}"
                raise DecodeError(DeadLetterReason.MALFORMED, detail)
            if not isinstance(record, dict):
                detail = f"schema {number} is no record"
                raise DecodeError(DeadLetterReason.WRONG_TYPE, detail)
            return record

        return Reader(read, Fields(self._config, name), columnar(schema, self._config))


def _parse(number: int, answer: Schema) -> tuple[Any, str]:
    """Parsed Avro schema and its name; raises DecodeError."""
    named: dict[str, Any] = {}
    try:
        for text in answer.references:
            fastavro.parse_schema(_plain(_decode_schema(text)), named_schemas=named)
        schema = fastavro.parse_schema(_plain(_decode_schema(answer.text)), named_schemas=named)
    # a schema can be wrong in any way that a program can
    except (*_BAD_DATA, *UNREADABLE, fastavro.schema.SchemaParseException) as error:
        detail = f"schema {number} is no Avro schema: {type(error).__name__}: {error}"
        raise DecodeError(DeadLetterReason.UNKNOWN_SCHEMA, detail[:200]) from error
    name = schema.get("name", "") if isinstance(schema, dict) else ""
    return schema, _snake(name.rpartition(".")[2])


def _plain(schema: Any) -> Any:
    """A schema without logical types."""
    if isinstance(schema, dict):
        return {key: _plain(part) for key, part in schema.items() if key != "logicalType"}
    if isinstance(schema, list):
        return [_plain(part) for part in schema]
    return schema


def _read_json(data: bytes) -> Record:
    try:
        return _decode_json(data)
    except UNREADABLE as error:
        raise find_fault(data, error, {}) from error


def _title(text: str) -> str:
    try:
        found = _decode_schema(text)
    except UNREADABLE:
        return ""
    title = found.get("title") if isinstance(found, dict) else None
    return _snake(title) if isinstance(title, str) else ""


def _snake(name: str) -> str:
    """A name of words with capitals as Prometheus has names: `CpuUsage` is `cpu_usage`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace(" ", "_")
