"""Progress for people: on standard error, and only where that is a terminal."""

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)


def show_count() -> Progress:
    """A count whose end is not known."""
    return _show(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())


def show_share() -> Progress:
    """A bar of how much is done."""
    return _show(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )


def _show(*columns: ProgressColumn) -> Progress:
    console = Console(stderr=True)
    return Progress(*columns, console=console, disable=not console.is_terminal)
