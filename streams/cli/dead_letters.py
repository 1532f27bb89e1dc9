"""`tocsin dead-letters list|show|replay`: what could not be read or worked on, and putting it back."""

import asyncio
import sys
from pathlib import Path

import click
import msgspec

from schemas.dead_letters import DeadLetter
from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason
from schemas.records import decode_record, rfc3339
from schemas.topics import DEAD_LETTERS
from streams.cli.broker import asking, running_broker, with_broker
from streams.cli.main import EXIT_NO, fail
from streams.cli.options import open_document, with_config, with_output
from streams.cli.tables import count, print_json, print_table
from streams.transport.broker import Broker
from streams.transport.putting_back import Fate, put_back
from streams.transport.tail import read_topic

READ_SECONDS = 30.0

with_reason = click.option(
    "--reason", type=click.Choice([r.value for r in DeadLetterReason]), default=None
)
with_topic = click.option("--topic", default=None, help="Only letters about records of this topic.")
with_limit = click.option(
    "--limit",
    default=1000,
    show_default=True,
    type=click.IntRange(min=1),
    help="Newest letters to look through.",
)


@click.group("dead-letters")
def command() -> None:
    """List what was refused, show one letter, or put records back."""


def _open(config_path: Path | None, broker: str | None) -> Broker:
    return Broker.from_config(running_broker(open_document(config_path).config, broker))


async def _read(at: Broker, limit: int, topic: str | None, reason: str | None) -> list[DeadLetter]:
    """Letters in the order of their time, each once."""
    found: dict[str, DeadLetter] = {}
    async for records in read_topic(
        at, DEAD_LETTERS, limit=limit, from_beginning=False, seconds=READ_SECONDS
    ):
        for record in records:
            try:
                letter = decode_record(record.value or b"", DeadLetter)
            except DecodeError:  # of a later version: not ours to show
                continue
            if topic in (None, letter.topic) and reason in (None, letter.reason.value):
                found[letter.id] = letter
    return sorted(found.values(), key=lambda letter: (letter.record_time, letter.id))


@command.command("list")
@with_topic
@with_reason
@with_limit
@with_config
@with_broker
@with_output
def list_(
    topic: str | None,
    reason: str | None,
    limit: int,
    config_path: Path | None,
    broker: str | None,
    output: str,
) -> None:
    """List dead letters, the oldest first."""
    at = _open(config_path, broker)
    with asking(at.bootstrap):
        found = asyncio.run(_read(at, limit, topic, reason))
    if output == "json":
        print_json(msgspec.to_builtins(found))
        return
    if not found:
        click.echo("no dead letters")
        return
    print_table(
        ("letter", "record time", "reason", "record", "detail"),
        [
            (each.id, rfc3339(each.record_time), each.reason.value, _origin(each), each.detail)
            for each in found
        ],
    )


def _origin(letter: DeadLetter) -> str:
    item = "" if letter.item < 0 else f"[{letter.item}]"
    return f"{letter.topic}-{letter.partition}@{letter.offset}{item}"


@command.command("show")
@click.argument("letter")
@with_limit
@with_config
@with_broker
@with_output
def show(
    letter: str, limit: int, config_path: Path | None, broker: str | None, output: str
) -> None:
    """Show one letter with the first bytes of its record. LETTER is an id or the beginning of one."""
    at = _open(config_path, broker)
    with asking(at.bootstrap):
        found = [
            each for each in asyncio.run(_read(at, limit, None, None)) if each.id.startswith(letter)
        ]
    if not found:
        fail(
            f"no letter {letter!r} among the newest {limit}; `tocsin dead-letters list` lists them",
            EXIT_NO,
        )
    if output == "json":
        print_json(msgspec.to_builtins(found[0]))
        return
    for name, text in (
        ("letter", found[0].id),
        ("reason", f"{found[0].reason.value}: {found[0].detail}"),
        (
            "record",
            f"{_origin(found[0])}, {found[0].size_bytes} bytes, {rfc3339(found[0].record_time)}",
        ),
        ("begins", found[0].head.decode(errors="backslashreplace")),
    ):
        click.echo(f"{name:8}{text}")


@command.command("replay")
@click.argument("letters", nargs=-1, metavar="[LETTER]...")
@with_topic
@with_reason
@with_limit
@click.option(
    "--value",
    "mended",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="File with the mended value of the one record that is put back.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be put back.")
@with_config
@with_broker
@with_output
def replay(
    letters: tuple[str, ...],
    topic: str | None,
    reason: str | None,
    limit: int,
    mended: Path | None,
    dry_run: bool,
    config_path: Path | None,
    broker: str | None,
    output: str,
) -> None:
    """Put the records of letters back at the end of the partition that they came from.

    Name letters, or choose them by --topic or --reason. Records are read from where they stood; one that its topic does
    not hold any more cannot be put back. Headers, key and time stay as they were. Ends with 1 when one could not be.
    """
    if not (letters or topic or reason):
        raise click.UsageError("name letters, or choose them by --topic or --reason")
    at = _open(config_path, broker)
    with asking(at.bootstrap):
        found = [
            each
            for each in asyncio.run(_read(at, limit, topic, reason))
            if not letters or each.id.startswith(letters)
        ]
        if not found:
            fail(f"no such letters among the newest {limit}", EXIT_NO)
        # several samples of one record may have letters; the record goes back once
        origins = sorted({(each.topic, each.partition, each.offset) for each in found})
        if mended is not None and len(origins) != 1:
            raise click.UsageError(
                f"--value mends one record, and these letters are about {len(origins)}"
            )
        value = None if mended is None else mended.read_bytes()
        fates = asyncio.run(put_back(at, origins, value=value, dry_run=dry_run))
    _tell(fates, output, dry_run=dry_run)


def _tell(fates: list[Fate], output: str, *, dry_run: bool) -> None:
    if output == "json":
        print_json([fate._asdict() for fate in fates])
    else:
        for fate in fates:
            what = fate.fault or ("would be put back" if dry_run else f"put back at {fate.put_at}")
            click.echo(f"{fate.topic}-{fate.partition}@{fate.offset}: {what}")
        done = sum(not fate.fault for fate in fates)
        click.echo(f"{done} of {count(len(fates), 'record')}", err=True)
    if any(fate.fault for fate in fates):
        sys.exit(EXIT_NO)
