"""Tables for people: rich on a terminal, plain columns elsewhere."""

from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
    """Print rows under heads."""
    console = Console()
    if console.is_terminal:
        table = Table(*heads, title=title or None)
        for row in rows:
            # cells hold text of users: no markup
            table.add_row(*map(Text, row))
        console.print(table)
        return
    if title:
        click.echo(title)
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())
