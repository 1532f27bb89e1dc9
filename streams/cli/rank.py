"""`tocsin rank`: the likely causes of an incident from a table of metrics."""

from pathlib import Path

import click
from msgspec import to_builtins

from schemas.incidents import Cause
from schemas.records import rfc3339
from streams.cli.main import EXIT_NO, EXIT_USAGE, fail
from streams.cli.options import IN_FILE, open_document, with_output
from streams.cli.tables import print_json, print_table
from streams.correlate.topology import Topology
from streams.produce.event_time import parse
from streams.produce.refusal import ReplayError
from streams.rank import Column, Table, rank
from streams.rank.read import read_graph, read_table

KNOWN_AFTER = 3
"""So many samples after the alarm are looked at: longer, and what recovers first looks like the cause."""


@click.command("rank")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=IN_FILE)
@click.option(
    "--at", metavar="TIME", required=True, help="When it was noticed: seconds or RFC 3339."
)
@click.option(
    "--until",
    metavar="TIME",
    help=f"The last sample that counts. Default: {KNOWN_AFTER} after --at.",
)
@click.option(
    "--graph", metavar="FILE", type=IN_FILE, help="Who calls whom: JSON, CSV, tocsin.yaml."
)
@click.option("--symptom", metavar="NODE[|METRIC]", help="What raised the alarm.")
@click.option("--time", "time_column", metavar="COLUMN", help="Column with the time; guessed.")
@click.option("--top", metavar="N", type=click.IntRange(1), default=5, show_default=True)
@with_output
def command(
    *,
    files: tuple[Path, ...],
    at: str,
    until: str | None,
    graph: Path | None,
    symptom: str | None,
    time_column: str | None,
    top: int,
    output: str,
) -> None:
    """Rank the nodes of a wide table by how likely each is the cause of what happened.

    FILE is CSV, JSON lines, Parquet or npz with a column of times and a column for each series, named `node|metric`
    or by the node alone; several are joined on the time. Hours of calm before the incident make the usual values known.
    """
    try:
        table = read_table(files, time_column)
        calls = None if graph is None else _calls(graph)
    except ReplayError as error:
        fail(str(error), EXIT_USAGE)
    at_ms = _time(at, "--at")
    if calls is not None and calls.entities.isdisjoint(table.nodes):
        fail(f"{graph}: none of its nodes has a column in the table", EXIT_USAGE)
    until_ms = at_ms + KNOWN_AFTER * table.step if until is None else _time(until, "--until")
    causes = rank(table.until(until_ms), at_ms, calls, _symptom(table, symptom))[:top]
    if output == "json":
        print_json({"at": at_ms, "until": until_ms, "causes": to_builtins(causes)})
        return
    if not causes:
        fail(f"nothing deviates at {rfc3339(at_ms)}, or too little is known of before", EXIT_NO)
    title = f"likely causes at {rfc3339(at_ms)}"
    print_table(
        ("cause", "share", "of it", "why"), [r for c in causes for r in _rows(c)], title=title
    )


def _time(given: str, option: str) -> int:
    try:
        return parse(given)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


def _calls(path: Path) -> Topology:
    if path.suffix in {".yaml", ".yml"}:
        return Topology(open_document(path).config.topology.calls)
    return read_graph(path)


def _symptom(table: Table, given: str | None) -> Column | str | None:
    if given is None:
        return None
    node, bar, metric = given.partition("|")
    found = Column(node, metric) if bar else node
    if found not in (table.columns if bar else table.nodes):
        raise click.BadParameter(f"no column of {given}", param_hint="--symptom")
    return found


def _rows(cause: Cause) -> list[tuple[str, str, str, str]]:
    """One row for each reason, the cause named once."""
    return [
        (
            "" if number else cause.entity,
            "" if number else f"{cause.share:.0%}",
            f"{each.share:.1%}",
            f"{each.kind}: {each.text}",
        )
        for number, each in enumerate(cause.evidence)
    ]
