"""One file of the past as Kafka records: CSV, JSON lines of any shape, or a recorded topic.

Each line is handled when it is reached, so a file of any size takes little memory; only the first
HEAD rows of a table are kept until its layout is known. JSON telemetry in Tocsin's own form and
recorded messages pass through byte for byte.
Refuses a line that makes no sense, with its number: leaving it out in silence would be a lie.
"""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

import msgspec

from streams.produce.columns import Columns, Row, layout, samples
from streams.produce.event_time import parse
from streams.produce.refusal import Refusal, RefusedError, ReplayError
from streams.produce.telemetry import Record, encode_sample, record

HEAD = 100
RECORDED = frozenset({"topic", "partition", "offset", "timestamp", "value"})
NATIVE = frozenset({"ts", "metric", "value"})
DELIMITERS = (",", ";", "\t")

Numbered = tuple[int, Row]


def records_of(path: Path, wanted: Columns) -> Iterator[Record]:
    """Yield the records of one file in its own order; ReplayError where it makes no sense."""
    try:
        with path.open("rb") as file:
            lines = _lines(path, file)
            first = next(lines, None)
            if first is None:
                return
            whole = chain([first], lines)
            if first[1].startswith(("{", "[")):
                yield from _json(path, whole, wanted)
            else:
                yield from _tabled(path, _csv_rows(path, first, lines), wanted)
    except OSError as error:
        raise ReplayError(path, 0, Refusal.UNREADABLE, error.strerror or str(error)) from None


def _lines(path: Path, file: BinaryIO) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(file, start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise ReplayError(path, number, Refusal.NOT_UTF8, str(error)) from None
        if text.strip():
            yield number, text


@contextmanager
def _at(path: Path, line: int) -> Iterator[None]:
    """Tell where it was that something was refused."""
    try:
        yield
    except RefusedError as error:
        raise ReplayError(path, line, error.reason, error.detail) from None


def _csv_rows(
    path: Path, first: tuple[int, str], lines: Iterator[tuple[int, str]]
) -> Iterator[Numbered]:
    delimiter = max(DELIMITERS, key=first[1].count)
    numbers = [first[0]]

    def texts() -> Iterator[str]:
        yield first[1]
        for number, text in lines:
            numbers[0] = number
            yield text

    reader = csv.reader(texts(), delimiter=delimiter, strict=True)
    try:
        header = next(reader)
        if len(set(header)) < len(header):
            raise ReplayError(path, first[0], Refusal.BAD_ROW, "two columns have the same name")
        for cells in reader:
            if len(cells) != len(header):
                detail = f"{len(cells)} cells under {len(header)} columns"
                raise ReplayError(path, numbers[0], Refusal.BAD_ROW, detail)
            yield numbers[0], dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise ReplayError(path, numbers[0], Refusal.BAD_ROW, str(error)) from None


def _tabled(path: Path, rows: Iterator[Numbered], wanted: Columns) -> Iterator[Record]:
    head = list(islice(rows, HEAD))
    if not head:
        return
    with _at(path, head[0][0]):
        plan = layout([row for _, row in head], wanted, path.stem)
    known = frozenset(column for _, row in head for column in row)
    for line, row in chain(head, rows):
        if not known.issuperset(row):
            late = ", ".join(sorted(set(row) - known))
            detail = f"{late} was in none of the first {HEAD} rows"
            raise ReplayError(path, line, Refusal.LATE_COLUMN, detail)
        with _at(path, line):
            found = samples(row, plan)
        if len(found) == 1:
            yield Record(None, encode_sample(found[0]), found[0].ts_ms)
        elif found:
            yield record(found)


def _json(path: Path, lines: Iterator[tuple[int, str]], wanted: Columns) -> Iterator[Record]:
    """Yield what passes through as it is reached; the rest is a table from its first row on."""
    for line, text in lines:
        with _at(path, line):
            document = _decoded(text)
            passed = _passed(document, text, wanted)
        if passed is None:
            table = _json_rows(path, chain([(line, text)], lines))
            yield from _tabled(path, table, wanted)
        else:
            yield passed


def _json_rows(path: Path, lines: Iterator[tuple[int, str]]) -> Iterator[Numbered]:
    for line, text in lines:
        with _at(path, line):
            document = _decoded(text)
            if not isinstance(document, dict):
                raise RefusedError(Refusal.BAD_ROW, "a JSON object is wanted, as in lines before")
        yield line, document


def _decoded(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise RefusedError(Refusal.NOT_JSON, f"one JSON value a line is wanted: {error}") from None


def _passed(document: object, text: str, wanted: Columns) -> Record | None:
    """Return the record of a recorded or native line, None when it is a row of a table."""
    if isinstance(document, list):
        return Record(None, text.strip().encode(), _latest_ms(document))
    if not isinstance(document, dict):
        raise RefusedError(Refusal.BAD_ROW, "a JSON object or array is wanted")
    if document.keys() >= RECORDED:
        message = document["value"]
        if not isinstance(message, str):
            raise RefusedError(Refusal.BAD_VALUE, "the value of a recorded message is a text")
        return Record(None, message.encode(), _time(document["timestamp"]))
    if document.keys() >= NATIVE and wanted == Columns():
        return Record(None, text.strip().encode(), _time(document["ts"]))
    return None


def _latest_ms(documents: list[object]) -> int:
    if not documents:
        raise RefusedError(Refusal.BAD_ROW, "an empty array has no time")
    times = [part.get("ts") if isinstance(part, dict) else None for part in documents]
    return max(_time(time) for time in times)


def _time(cell: object) -> int:
    try:
        return parse(cell)
    except ValueError as error:
        raise RefusedError(Refusal.BAD_TIME, str(error)) from None
