"""Table: the rows on the screen, and the same rows as JSON."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.row import Row

SAYS = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}
MARKED = 10_000
"""From here on a figure is shown in thousands."""


def as_json(rows: Sequence[Row]) -> str:
    """The rows as one JSON array, one object a row."""
    return _text([row.record() for row in rows])


def write_json(rows: Sequence[Row], path: Path, benchmarks: Sequence[str]) -> None:
    """Put the rows into a file, in the order of the benchmarks; rows of benchmarks that were not measured stay."""
    old = json.loads(path.read_text()) if path.exists() else []
    measured = {_benchmark(row.name) for row in rows}
    kept = [record for record in old if _benchmark(record["name"]) in {*benchmarks} - measured]
    records = [row.record() for row in rows] + kept
    records.sort(key=lambda record: benchmarks.index(_benchmark(record["name"])))
    path.write_text(_text(records))


def _benchmark(name: str) -> str:
    return name.partition(".")[0]


def _text(records: Sequence[dict[str, Any]]) -> str:
    return json.dumps(records, indent=2) + "\n"


def show(rows: Sequence[Row], console: Console) -> None:
    """Print the rows as one table."""
    table = Table(title="Tocsin benchmarks", title_justify="left")
    table.add_column("name", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("unit")
    table.add_column("against")
    table.add_column("its value", justify="right", no_wrap=True)
    table.add_column("ratio", justify="right", no_wrap=True)
    table.add_column("goal", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("command", no_wrap=True)
    for row in rows:
        table.add_row(
            row.name,
            number(row.value),
            row.unit,
            row.against or "",
            number(row.against_value),
            "" if row.ratio is None else f"{row.ratio:.3g} x",
            "" if row.goal is None else str(row.goal),
            SAYS[row.met],
            row.command,
        )
    console.print(table)


def number(value: float | None) -> str:
    """A figure as people read it."""
    if value is None:
        return ""
    if value >= MARKED:
        return f"{value / 1000:,.1f} k" if value < 10 * MARKED else f"{value / 1000:,.0f} k"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
