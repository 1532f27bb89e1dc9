"""`tocsin produce host|replay|simulate`: real input for a telemetry topic."""

import asyncio
import math
import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from schemas.config import KafkaConfig
from schemas.errors import BrokerError, ConfigError
from schemas.topics import TELEMETRY
from streams.cli.options import choose_broker, open_document, with_broker, with_config
from streams.produce.columns import Columns
from streams.produce.host import host_name, read
from streams.produce.refusal import ReplayError
from streams.produce.replay import Pace, paced, shift_to
from streams.produce.replay import read as read_files
from streams.produce.shell import Sender, producing, watch
from streams.produce.shop import Shop
from streams.produce.telemetry import Record
from streams.time.clock import WallClock
from streams.transport.admin import list_topics
from streams.transport.broker import Broker

with_topic = click.option("--topic", default=TELEMETRY, show_default=True, help="Where to send it.")
with_speed = click.option(
    "--speed",
    default=1.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="Event seconds a second; 'inf' is as fast as it goes.",
)


@click.group("produce")
def command() -> None:
    """Send telemetry to a topic: of this host, of files, or of a simulated shop."""


@command.command("host")
@with_config
@with_broker
@with_topic
@click.option(
    "--interval", default=1.0, show_default=True, type=click.FloatRange(min=0.1), help="Seconds."
)
def host(config_path: Path | None, broker: str | None, topic: str, interval: float) -> None:
    """CPU, memory, disk, network, load and the busiest processes of this machine, until Ctrl-C."""
    clock = WallClock()
    source = watch(read, host_name(), interval, clock.now_ms, asyncio.sleep)
    _send(_kafka(config_path, broker), topic, lambda: source)


@command.command("replay")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@with_config
@with_broker
@with_topic
@with_speed
@click.option(
    "--time", "time_column", default=None, help="Column with the time; guessed when not given."
)
@click.option(
    "--value", "value_column", default=None, help="Column with the value; guessed when not given."
)
@click.option(
    "--keep-times", is_flag=True, help="Send the times as they are; else the first becomes now."
)
def replay(
    files: tuple[Path, ...],
    config_path: Path | None,
    broker: str | None,
    topic: str,
    speed: float,
    time_column: str | None,
    value_column: str | None,
    keep_times: bool,
) -> None:
    """CSV or JSON lines with a time column, merged by time, at real speed or N times as fast."""
    kafka = _kafka(config_path, broker)
    records = read_files(files, Columns(time_column, value_column))
    if not keep_times:
        records = shift_to(records, WallClock().now_ms())
    _send(kafka, topic, lambda: _paced(records, speed))


@command.command("simulate")
@with_config
@with_broker
@with_topic
@with_speed
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0))
@click.option(
    "--truth",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default=None,
    help="JSON file for the truth about each planted fault.",
)
def simulate(
    config_path: Path | None,
    broker: str | None,
    topic: str,
    speed: float,
    seed: int,
    truth: Path | None,
) -> None:
    """A shop of 14 services and two tenants, with five planted faults."""
    kafka = _kafka(config_path, broker)
    shop = Shop(seed, WallClock().now_ms())
    if truth is not None:
        truth.write_bytes(shop.truth_json())
    _send(kafka, topic, lambda: _paced(shop.records(), speed))


def _kafka(config_path: Path | None, broker: str | None) -> KafkaConfig:
    kafka = choose_broker(open_document(config_path).config, broker)
    if kafka.bootstrap == "embedded":
        raise BrokerError(
            "the embedded broker lives inside `tocsin demo` or `tocsin run`; name its HOST:PORT"
        )
    return kafka


async def _paced(records: Iterator[Record], speed: float) -> AsyncIterator[Record]:
    loop = asyncio.get_running_loop()
    if math.isinf(speed):
        for record in records:
            yield record
        return
    async for record in paced(records, Pace(speed, loop.time, asyncio.sleep)):
        yield record


def _send(kafka: KafkaConfig, topic: str, source: Callable[[], AsyncIterable[Record]]) -> None:
    """Send until the source ends or Ctrl-C, with a count that people can watch."""
    try:
        asyncio.run(_sending(kafka, topic, source))
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
    except ReplayError as error:
        raise ConfigError([str(error)]) from error


async def _sending(
    kafka: KafkaConfig, topic: str, source: Callable[[], AsyncIterable[Record]]
) -> None:
    broker = Broker.from_config(kafka)
    if topic not in await list_topics(broker):
        raise BrokerError(
            f"no topic {topic!r} on {broker.bootstrap}; `tocsin topics create` makes it"
        )
    options = broker.client_options()
    options.pop("bootstrap_servers")
    shown = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
    async with producing(broker.bootstrap, **options) as producer:
        sender = Sender(producer, topic)
        with shown:
            task = shown.add_task(f"0 messages to {topic}", total=None)
            try:
                async for record in source():
                    await sender.send(record)
                    shown.update(task, description=f"{sender.sent.messages} messages to {topic}")
            finally:
                sent = await sender.drain()
                shown.update(task, description=f"{sent.messages} messages to {topic}")
    sys.stdout.write(f"{sent.messages} messages, {sent.value_bytes} bytes sent to {topic}\n")
