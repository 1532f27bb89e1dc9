"""`tocsin incident list|show`: the history, for the engineer on call; what is said to an incident is in `talk`."""

from pathlib import Path

import click
import msgspec

from schemas.reasons import IncidentState
from sinks.record import History, describe
from streams.cli import talk
from streams.cli.main import EXIT_NO, fail
from streams.cli.options import open_document, with_config, with_output
from streams.cli.report import of_incident
from streams.cli.tables import print_incidents, print_json, print_table
from streams.cli.why import why

with_database = click.option(
    "--database",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="SQLite file of the recorder; default record.path of the configuration.",
)


@click.group("incident")
def command() -> None:
    """List incidents, show one, or say something to it."""


for _verb in (*talk.COMMANDS, of_incident, why):
    command.add_command(_verb)


def _open(config_path: Path | None, database: Path | None) -> History:
    path = database or Path(open_document(config_path).config.record.path)
    return History(path, read_only=True)


@command.command("list")
@with_config
@with_database
@click.option("--state", type=click.Choice([s.value for s in IncidentState]), default=None)
@click.option("--tenant", default=None)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1))
@with_output
def list_(
    config_path: Path | None,
    database: Path | None,
    state: str | None,
    tenant: str | None,
    limit: int,
    output: str,
) -> None:
    """List incidents, the newest first."""
    with _open(config_path, database) as history:
        chosen = None if state is None else IncidentState(state)
        found = history.list_incidents(state=chosen, tenant=tenant, limit=limit)
    if output == "json":
        print_json(msgspec.to_builtins(found))
        return
    if not found:
        click.echo("no incidents")
        return
    print_incidents(found)


@command.command("show")
@click.argument("incident")
@with_config
@with_database
@with_output
def show(config_path: Path | None, database: Path | None, incident: str, output: str) -> None:
    """Show one incident with its cause, alerts, time line, notifications and remediations.

    INCIDENT is an id or the beginning of one.
    """
    with _open(config_path, database) as history:
        found = history.get_incident(incident)
    if found is None:
        fail(f"no incident {incident!r}; `tocsin incident list` lists them", EXIT_NO)
    if output == "json":
        print_json(msgspec.to_builtins(found._asdict()))
        return
    for block in describe(found):
        print_table(block.columns, block.rows, title=block.title)
