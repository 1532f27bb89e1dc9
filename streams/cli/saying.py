"""What verbs that send a command share: who speaks, when, to which broker, and what is printed."""

import asyncio
import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import click
import msgspec

from schemas.commands import About, Command, Verb, command_id
from schemas.config import Config
from schemas.records import rfc3339
from schemas.silences import Silence
from schemas.topics import COMMANDS
from streams.cli.broker import asking, running_broker, with_broker
from streams.cli.options import with_config, with_output
from streams.cli.tables import print_json
from streams.produce.event_time import parse
from streams.time.clock import WallClock

F = TypeVar("F", bound=Callable[..., Any])


class Speaker(TypedDict):
    """What `with_speaker` gives a verb."""

    config_path: Path | None
    broker: str | None
    actor: str | None
    at: str | None
    output: str


def with_speaker(command: F) -> F:
    """Options that say who speaks, when, and to whom it is sent."""
    for option in (
        with_output,
        click.option(
            "--at",
            metavar="TIME",
            default=None,
            help="Event time of effect: seconds, milliseconds or RFC 3339. Default: now.",
        ),
        click.option(
            "--by",
            "actor",
            metavar="NAME",
            default=None,
            help="Who says so; default is the name of the user of this machine.",
        ),
        with_broker,
        with_config,
    ):
        command = option(command)
    return command


def tenant_of(config: Config, tenant: str | None) -> str:
    """The tenant that is meant: the one that is named, else the default of the first source."""
    return tenant or config.sources[0].tenant.default


def time_of(at: str | None, name: str = "--at") -> int:
    """The event time that is meant, ms; now, where none is named."""
    if at is None:
        return WallClock().now_ms()
    try:
        return parse(at)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=name) from error


def make_command(
    verb: Verb,
    *,
    tenant: str,
    actor: str | None,
    at: int,
    incident: str = "",
    text: str = "",
    subject: str = "",
    until: int = 0,
    silence: Silence | None = None,
    about: About | None = None,
) -> Command:
    """A command with its identity."""
    who = actor or getpass.getuser()
    whom: list[str | int] = (
        [] if about is None else [*("\n".join(texts) for texts in about.matchers), about.until]
    )
    more = (text, subject, until, "" if silence is None else silence.id, *whom)
    return Command(
        id=command_id(tenant, verb, who, at, incident, *more),
        tenant=tenant,
        verb=verb,
        actor=who,
        time=at,
        incident=incident,
        text=text,
        subject=subject,
        until=until,
        silence=silence,
        about=about,
    )


def send(config: Config, broker: str | None, command: Command, output: str, what: str) -> None:
    """Send a command and wait until the broker has it; print what was sent.

    Raises:
        BrokerError: none is named, or it does not take the command.

    """
    kafka = running_broker(config, broker)
    with asking(kafka.bootstrap):
        asyncio.run(_send(config.model_copy(update={"kafka": kafka}), command))
    if output == "json":
        print_json(msgspec.to_builtins(command))
    else:
        click.echo(f"{what}, by {command.actor}; takes effect at {rfc3339(command.time)}")


async def _send(config: Config, command: Command) -> None:
    # here, so that `tocsin --help` needs no Kafka client
    from aiokafka import AIOKafkaProducer  # noqa: PLC0415  only for who sends

    from streams.correlate.forward import command_record  # noqa: PLC0415  only for who sends
    from streams.detect.stage import alert_partition  # noqa: PLC0415  only for who sends
    from streams.transport.broker import Broker  # noqa: PLC0415  only for who sends

    broker = Broker.from_config(config.kafka)
    partition = alert_partition(command.tenant, config.kafka.partitions)
    record = command_record(command, COMMANDS, partition)
    producer = AIOKafkaProducer(**broker.client_options(), acks="all")
    await producer.start()
    try:
        await producer.send_and_wait(
            broker.outer(record.topic),
            record.value,
            key=record.key,
            partition=partition,
            headers=list(record.headers),
        )
    finally:
        await producer.stop()
