"""`tocsin import`: configurations of other systems, put into ours."""

from pathlib import Path

import click

from streams.cli.options import IN_FILE
from streams.cli.tables import count
from streams.migrate import migrate


@click.group("import")
def command() -> None:
    """Put the configuration of another system into ours."""


@command.command("alertmanager")
@click.argument("file", type=IN_FILE)
@click.option(
    "--output",
    "target",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Write it there instead of printing it; an existing file is not overwritten.",
)
def alertmanager(file: Path, target: Path | None) -> None:
    """Print the sections of tocsin.yaml that mean what an alertmanager.yml means.

    What has no place here is told on standard error, each with its line, and stands at the head of what is printed.
    """
    found = migrate(file.read_text(encoding="utf-8"), file.name)
    for note in found.notes:
        click.echo(note, err=True)
    if target is None:
        click.echo(found.text, nl=False)
        return
    try:
        with target.open("x", encoding="utf-8") as out:
            out.write(found.text)
    except FileExistsError as error:
        raise click.UsageError(f"{target} is there already") from error
    click.echo(f"{target} written, {count(len(found.notes), 'note')}", err=True)
