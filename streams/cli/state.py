"""`tocsin state show|verify|reset`: the checkpoints of the stages, for who operates them."""

import asyncio
import sys
from pathlib import Path

import click

from schemas.errors import CheckpointError
from streams.cli.broker import asking, running_broker, with_broker
from streams.cli.main import EXIT_NO, fail
from streams.cli.options import open_document, with_config, with_output
from streams.cli.tables import count, print_json, print_table
from streams.state.operate import EARLIEST, LATEST, Standing, Verdict, reset, standings, verify
from streams.transport.broker import Broker

STAGES = ("ingest", "detect", "fused", "merge", "correlate", "notify", "remediate", "record")
"""Consumer groups by their last word; `fused` reads what is keyed by locality."""


@click.group("state")
def command() -> None:
    """Look at the checkpoints, read them through, or forget those of a stage."""


def _open(config_path: Path | None, broker: str | None) -> Broker:
    kafka = running_broker(open_document(config_path).config, broker)
    return Broker.from_config(kafka)


@command.command("show")
@with_config
@with_broker
@with_output
def show(config_path: Path | None, broker: str | None, output: str) -> None:
    """Show how far each stage's checkpoints cover its input."""
    at = _open(config_path, broker)
    with asking(at.bootstrap):
        found = asyncio.run(standings(at, STAGES))
    if output == "json":
        print_json([{**each._asdict(), "lag": each.lag, "lost": each.lost} for each in found])
        return
    if not found:
        click.echo("no stage has saved anything yet")
        return
    print_table(
        ("stage", "topic", "partition", "covered to", "not covered", "lost", "snapshot"),
        [
            (
                *(each.stage, each.topic, str(each.partition), str(each.offset)),
                *(str(each.lag), str(each.lost), _snapshot(each)),
            )
            for each in found
        ],
    )


def _snapshot(each: Standing) -> str:
    try:
        position = each.position
    except CheckpointError as error:
        return str(error)
    if position is None:
        return "none: forgotten" if each.text else "none here: the offset was set by hand"
    return f"offset {position.current.first}, {count(position.current.parts, 'part')}"


@command.command("verify")
@with_config
@with_broker
@with_output
def verify_(config_path: Path | None, broker: str | None, output: str) -> None:
    """Read every snapshot, as a restart would: the current one of each partition, and the one before.

    Ends with 1 when one cannot be read.
    """
    at = _open(config_path, broker)

    async def read() -> list[Verdict]:
        return await verify(at, await standings(at, STAGES))

    with asking(at.bootstrap):
        found = asyncio.run(read())
    if output == "json":
        print_json([each._asdict() for each in found])
    elif found:
        print_table(
            ("stage", "topic", "partition", "snapshot", "state", "bytes", ""),
            [
                (
                    *(each.stage, each.topic, str(each.partition), each.which),
                    *(f"{each.kind} {each.version}" if each.kind else "", str(each.size_bytes)),
                    each.fault or "sound",
                )
                for each in found
            ],
        )
    else:
        click.echo("no stage has saved anything yet")
    if any(each.fault for each in found):
        sys.exit(EXIT_NO)


@command.command("reset")
@click.argument("stage", type=click.Choice(STAGES))
@click.option(
    "--to",
    type=click.Choice([EARLIEST, LATEST]),
    required=True,
    help="Where it begins anew: at the oldest record, or after the newest.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_config
@with_broker
@with_output
def reset_(
    stage: str, to: str, yes: bool, config_path: Path | None, broker: str | None, output: str
) -> None:
    """Forget all that a stage knows, and let it begin anew. Its workers must be stopped.

    With `earliest` everything that its topics still hold is worked through once more: what it sends has the ids of
    before, so nobody is told twice of what is still known downstream. With `latest` what has not been read is left out.
    """
    at = _open(config_path, broker)
    with asking(at.bootstrap):
        found = asyncio.run(standings(at, [stage]))
        if not found:
            fail(f"stage {stage} has saved nothing", EXIT_NO)
        if not yes:
            what = count(len(found), "partition")
            click.confirm(f"Forget the state of stage {stage} in {what}?", abort=True, err=True)
        done = asyncio.run(reset(at, stage, found, to))
    if output == "json":
        print_json([each._asdict() for each in done])
        return
    for each in done:
        click.echo(f"{each.topic}-{each.partition}: begins at {each.offset}, without state")
