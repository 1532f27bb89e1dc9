"""Write: an answer's rows as a table for people, CSV, JSON lines or Parquet.

Times are RFC 3339 in ms UTC. A number that is not known is left empty in CSV, and is null in JSON.
Refuses Parquet on anything but a file.
"""

import csv
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import numpy as np
import orjson

from streams.analyse.answer import Detected

CHUNK_SAMPLES = 10_000
HEADS = (
    *("series", "time", "value", "expected", "low", "high"),
    *("score", "flag", "reason", "rank", "explanation"),
)
_WIDTHS = (0, 24, 12, 12, 12, 12, 9, 4, 12, 6, 0)


def write_csv(found: Detected, out: IO[str], *, flagged: bool = False) -> None:
    """One row for each sample, heads first."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADS)
    writer.writerows(_rows(found, flagged=flagged, cells_of=_texts))


def write_json(found: Detected, out: IO[str], *, flagged: bool = False) -> None:
    """One JSON object a line for each sample."""
    for row in _rows(found, flagged=flagged):
        out.write(orjson.dumps(dict(zip(HEADS, row, strict=True))).decode() + "\n")


def write_text(found: Detected, out: IO[str], *, flagged: bool = False) -> None:
    """Aligned columns for people, heads first."""
    longest = max(map(len, (*found.frame.names, HEADS[0])))
    line = "  ".join(f"%-{width}s" for width in (longest, *_WIDTHS[1:]))
    out.write((line % HEADS).rstrip() + "\n")
    for series, time, *numbers, flag, reason, rank, why in _rows(found, flagged=flagged):
        cells = ["" if n is None else f"{n:.6g}" for n in numbers[:-1]]
        score = "" if numbers[-1] is None else f"{numbers[-1]:.6f}"
        place = "" if rank is None else f"{rank:.0f}"
        # its numbers stand beside it already
        said = ("*" if flag else "", reason, place, _printable(why.partition("; ")[2]))
        told = line % (_printable(series), time, *cells, score, *said)
        out.write(told.rstrip() + "\n")


def write_parquet(found: Detected, path: Path, *, flagged: bool = False) -> None:
    """The Arrow table as a file.

    Raises:
        MissingExtraError: pyarrow is not installed.

    """
    table = found.arrow()
    parquet: Any = import_module("pyarrow.parquet")
    parquet.write_table(table.filter(table["flag"]) if flagged else table, path)


def _rows(
    found: Detected, *, flagged: bool, cells_of: Callable[[Any], list[Any]] | None = None
) -> Iterator[tuple[Any, ...]]:
    """The cells of each row, as `cells_of` makes them of a column."""
    cells_of = cells_of or _known
    columns = found.columns
    places = np.flatnonzero(columns["flag"]) if flagged else np.arange(len(columns["flag"]))
    for at in np.split(places, range(CHUNK_SAMPLES, len(places), CHUNK_SAMPLES)):
        part = {name: column[at] for name, column in columns.items()}
        lists = [_times(part["time"]) if name == "time" else cells_of(part[name]) for name in HEADS]
        yield from zip(*lists, strict=True)


def _known(column: Any) -> list[Any]:
    """A column's cells, None for what is no number."""
    if column.dtype.kind != "f":
        return list(column.tolist())
    cells = column.astype(object)
    cells[~np.isfinite(column)] = None
    return list(cells)


def _texts(column: Any) -> list[str]:
    """A column's cells as CSV has them, empty for what is no number."""
    if column.dtype.kind not in "bf":
        return list(column.tolist())
    # the shortest text that reads back as the same number, at a fraction of what `repr` of each costs
    joined = orjson.dumps(np.ascontiguousarray(column), option=orjson.OPT_SERIALIZE_NUMPY)
    return joined[1:-1].decode().replace("null", "").split(",") if len(column) else []


def _times(column: Any) -> list[str]:
    texts = np.datetime_as_string(column.astype("datetime64[ms]"), unit="ms")
    return [f"{text}Z" for text in texts.tolist()]


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " for c in text)
