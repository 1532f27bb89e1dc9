"""What verbs print: rich tables on a terminal, plain columns elsewhere, JSON for scripts."""

from collections.abc import Iterable, Sequence

import click
import orjson

from schemas.incidents import Incident
from schemas.records import rfc3339


def print_json(found: object) -> None:
    """Print one JSON document on one line."""
    click.echo(orjson.dumps(found))


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
    """Print rows under heads."""
    # workers start without it
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console()
    if console.is_terminal:
        table = Table(*heads, title=title or None)
        for row in rows:
            # cells hold text of users: no markup
            table.add_row(*(Text(_printable(cell)) for cell in row))
        console.print(table)
        return
    if title:
        click.echo(title)
    rows = [[_printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())


def _printable(cell: str) -> str:
    """Without control characters: a label's value must not steer the terminal."""
    return "".join(c if c.isprintable() else " " for c in cell)


def print_incidents(incidents: Iterable[Incident]) -> None:
    """Print one row for each incident."""
    print_table(
        ("incident", "opened", "state", "severity", "tenant", "likely cause", "title"),
        [
            (
                i.id,
                rfc3339(i.opened_at),
                i.state.value,
                i.severity.value,
                i.tenant,
                i.causes[0].entity if i.causes else "",
                i.title,
            )
            for i in incidents
        ],
    )


def count(number: int, what: str) -> str:
    """A number of things, in words: `1 rule`, `2 rules`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
