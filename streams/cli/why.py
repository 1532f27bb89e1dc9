"""`tocsin incident why`: what led from the rules to the pages of an incident, gate by gate."""

from pathlib import Path

import click
import msgspec

from sinks.record import History
from sinks.record.why import decisions_of, explain
from streams.cli.main import EXIT_NO, fail
from streams.cli.options import with_config, with_output
from streams.cli.reasoning import Knowledge
from streams.cli.tables import print_json, print_table


@click.command("why")
@click.argument("incident")
@with_config
@click.option(
    "--database",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="SQLite file of the recorder; default record.path of the configuration.",
)
@with_output
def why(incident: str, config_path: Path | None, database: Path | None, output: str) -> None:
    """Say why people were told of an incident, or were not.

    Rules and lines are those of the configuration as it is now.
    """
    known = Knowledge(config_path)
    path = database or Path(known.document.config.record.path)
    with History(path, read_only=True) as history:
        found = history.get_incident(incident)
    if found is None:
        fail(f"no incident {incident!r}; `tocsin incident list` lists them", EXIT_NO)
    if output == "json":
        print_json(
            {
                "incident": found.incident.id,
                "alerts": msgspec.to_builtins(found.incident.alerts),
                "decisions": msgspec.to_builtins(decisions_of(found)),
                "notifications": msgspec.to_builtins(found.notifications),
            }
        )
        return
    for block in explain(found, known.rules, known.locate):
        print_table(block.columns, block.rows, title=block.title)
