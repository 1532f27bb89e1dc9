"""Read: wide tables of metrics and call graphs from files; the one place here that does I/O.

A table is CSV, JSON lines, Parquet or npz with a column of times and one column of numbers for each series, named
`node|metric`, or `node` alone. In npz each array is a column, or `values` is rows x columns with `columns` and a time.
A graph is a JSON object of caller to callees, or a JSON or CSV list of (caller, callee). It refuses what it would have
to guess: times without a name of a time, cells that are no numbers.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from schemas.errors import MissingExtraError
from streams.correlate.topology import Topology
from streams.produce.columns import MISSING, TIME_NAMES
from streams.produce.event_time import parse
from streams.produce.refusal import Refusal, ReplayError
from streams.rank.table import Column, Table, columns_of

Series = Mapping[str, Sequence[object]]


def read_table(paths: Iterable[Path], time: str | None = None) -> Table:
    """One table of all files, joined on the time; `time` names its column, which is guessed by its name otherwise.

    Raises:
        ReplayError: a file makes no sense, or two have a column of the same name.

    """
    found: dict[Column, dict[int, float]] = {}
    for path in paths:
        columns = read_columns(path)
        named = _time_column(path, columns, time)
        times = [_time(path, cell) for cell in columns[named]]
        for name, cells in columns.items():
            if name == named:
                continue
            column = columns_of([name])[0]
            if column in found:
                raise ReplayError(path, 0, Refusal.BAD_ROW, f"column {name} comes twice")
            found[column] = dict(zip(times, _numbers(path, name, cells), strict=True))
    rows = sorted({time for series in found.values() for time in series})
    values = np.array([[series.get(t, np.nan) for series in found.values()] for t in rows])
    return Table(
        np.array(rows, dtype=np.int64),
        values.reshape(len(rows), len(found)),
        tuple(found),
    )


def read_graph(path: Path) -> Topology:
    """The call graph of a file.

    Raises:
        ReplayError: it is none.

    """
    text = _text(path)
    if path.suffix == ".csv":
        rows = [row for row in csv.reader(text.splitlines()) if row]
        named = {cell.strip().lower() for cell in rows[0][:2]} if rows else set()
        heads = named in ({"caller", "callee"}, {"source", "target"}, {"from", "to"})
        return _topology(path, rows[1:] if heads else rows)
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ReplayError(path, 0, Refusal.NOT_JSON, str(error)) from error
    if isinstance(document, dict):
        if not all(isinstance(called, list) for called in document.values()):
            raise ReplayError(path, 0, Refusal.BAD_ROW, "wanted are lists of callees by caller")
        return _topology(path, [(caller, c) for caller, found in document.items() for c in found])
    return _topology(path, document if isinstance(document, list) else [document])


def _topology(path: Path, edges: Iterable[object]) -> Topology:
    calls: dict[str, list[str]] = {}
    for edge in edges:
        if isinstance(edge, Mapping):
            ends = [edge.get("caller", edge.get("source")), edge.get("callee", edge.get("target"))]
        else:
            ends = list(edge[:2]) if isinstance(edge, (list, tuple)) else []
        if len(ends) != 2 or not all(isinstance(end, str) and end for end in ends):
            raise ReplayError(path, 0, Refusal.BAD_ROW, f"{edge!r} is no pair of caller and callee")
        calls.setdefault(str(ends[0]).strip(), []).append(str(ends[1]).strip())
    return Topology(calls)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ReplayError(path, 0, Refusal.UNREADABLE, f"{error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ReplayError(path, 0, Refusal.NOT_UTF8, f"not UTF-8 at byte {error.start}") from error


def read_columns(path: Path) -> Series:
    """The columns of one file as they stand there; texts in CSV.

    Raises:
        ReplayError: it is no such table.

    """
    if path.suffix == ".npz":
        return _npz(path)
    if path.suffix == ".parquet":
        return _parquet(path)
    lines = [line for line in _text(path).splitlines() if line.strip()]
    if lines and lines[0].startswith("{"):
        rows = list(_objects(path, lines))
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: [row.get(name) for row in rows] for name in names}
    delimiter = max(",;\t", key=lines[0].count) if lines else ","
    header, *cells = list(csv.reader(lines, delimiter=delimiter)) or [[]]
    for number, row in enumerate(cells, start=2):
        if len(row) != len(header):
            raise ReplayError(
                path, number, Refusal.BAD_ROW, f"has {len(row)} cells, the first {len(header)}"
            )
    if len(set(header)) < len(header):
        raise ReplayError(path, 1, Refusal.BAD_ROW, "two columns have the same name")
    return {name: [row[at] for row in cells] for at, name in enumerate(header)}


def _objects(path: Path, lines: Sequence[str]) -> Iterator[dict[str, object]]:
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ReplayError(path, number, Refusal.NOT_JSON, f"is no JSON: {error}") from error
        if not isinstance(row, dict):
            raise ReplayError(path, number, Refusal.BAD_ROW, "is no object")
        yield row


def _npz(path: Path) -> Series:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            arrays = {name: np.atleast_1d(data[name]) for name in data.files}
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        # what numpy says of it is about switches of its own
        raise ReplayError(path, 0, Refusal.UNREADABLE, "no npz file of plain arrays") from error
    if {"values", "columns"} <= set(arrays):
        values, names = arrays.pop("values"), arrays.pop("columns")
        if values.ndim != 2 or values.shape[1] != len(names):
            raise ReplayError(path, 0, Refusal.BAD_ROW, "values are not rows x columns")
        arrays |= {str(name): values[:, at] for at, name in enumerate(names)}
    for name in [name for name, array in arrays.items() if array.ndim > 1]:
        whole = arrays.pop(name)
        flat = whole.reshape(len(whole), -1)
        arrays |= {f"{name}_{at}": column for at, column in enumerate(flat.T)}
    if len({array.shape for array in arrays.values()}) > 1:
        raise ReplayError(path, 0, Refusal.BAD_ROW, "its columns are not of the same length")
    return {name: array.tolist() for name, array in arrays.items()}


def _parquet(path: Path) -> Series:
    try:
        parquet: Any = import_module("pyarrow.parquet")
    except ImportError as error:
        raise MissingExtraError("history", "Parquet") from error
    try:
        columns: dict[str, list[object]] = parquet.read_table(path).to_pydict()
    except (OSError, ValueError) as error:
        raise ReplayError(path, 0, Refusal.UNREADABLE, f"no Parquet file: {error}") from error
    return columns


def _time_column(path: Path, columns: Series, wanted: str | None) -> str:
    names = (wanted,) if wanted else (*TIME_NAMES, "index")
    for name in columns:
        if name in names or (not wanted and name.lower() in names):
            return name
    if wanted:
        raise ReplayError(path, 0, Refusal.NO_SUCH_COLUMN, f"no column {wanted}")
    raise ReplayError(
        path, 1, Refusal.NO_TIME_COLUMN, "none of its columns is named like a time; use --time"
    )


def _time(path: Path, cell: object) -> int:
    try:
        return parse(cell.isoformat() if hasattr(cell, "isoformat") else cell)
    except ValueError as error:
        raise ReplayError(path, 0, Refusal.BAD_TIME, f"{error}") from error


def _numbers(path: Path, name: str, cells: Sequence[object]) -> list[float]:
    numbers = []
    for cell in cells:
        missing = cell is None or (isinstance(cell, str) and cell.strip().lower() in MISSING)
        try:
            number = float("nan") if missing else float(str(cell))
        except ValueError as error:
            raise ReplayError(
                path, 0, Refusal.BAD_VALUE, f"{cell!r} under {name} is no number"
            ) from error
        numbers.append(number if np.isfinite(number) else float("nan"))
    return numbers
