"""`tocsin produce host|replay|simulate`: real input for a telemetry topic."""

import asyncio
import math
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TypeVar

import click

from schemas.config import Config, KafkaConfig
from schemas.errors import BrokerError, ConfigError
from streams.cli.broker import asking, running_broker, with_broker
from streams.cli.options import (
    IN_FILE,
    OutFile,
    open_document,
    with_columns,
    with_config,
    with_output,
)
from streams.cli.progress import show_count
from streams.cli.tables import count, print_json
from streams.produce.columns import Columns
from streams.produce.host import host_name, read
from streams.produce.refusal import ReplayError
from streams.produce.replay import Pace, begin_ms, paced, shift_to, span_of
from streams.produce.replay import read as read_files
from streams.produce.shell import Sender, Sent, producing, watch
from streams.produce.shop import Shop
from streams.produce.telemetry import Record
from streams.time.clock import WallClock
from streams.transport.admin import list_topics
from streams.transport.broker import Broker

F = TypeVar("F", bound=Callable[..., None])

with_topic = click.option(
    "--topic", default=None, help="Where to send it; default is the configuration's first source."
)
with_speed = click.option(
    "--speed",
    default=1.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="Event seconds a second; 'inf' is as fast as it goes.",
)


def with_target(command: F) -> F:
    """Options that say where telemetry goes."""
    return with_config(with_broker(with_topic(with_output(command))))


@click.group("produce")
def command() -> None:
    """Send telemetry: of this host, of files, or of a simulated shop."""


@command.command("host")
@with_target
@click.option(
    "--interval",
    metavar="SECONDS",
    default=1.0,
    show_default=True,
    type=click.FloatRange(min=0.1, max=3600),
    help="Time between two readings.",
)
def host(
    config_path: Path | None, broker: str | None, topic: str | None, output: str, interval: float
) -> None:
    """Figures of this machine, until Ctrl-C.

    CPU, memory, disk, network, load and the busiest processes.
    """
    clock = WallClock()
    source = watch(read, host_name(), interval, clock.now_ms, asyncio.sleep)
    _Target(config_path, broker, topic).send(source, output)


@command.command("replay")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=IN_FILE)
@with_target
@with_speed
@with_columns
@click.option(
    "--keep-times",
    is_flag=True,
    help="Send the times as they are; else they are moved up to now, never beyond it.",
)
def replay(
    files: tuple[Path, ...],
    config_path: Path | None,
    broker: str | None,
    topic: str | None,
    output: str,
    speed: float,
    time_column: str | None,
    value_column: str | None,
    keep_times: bool,
) -> None:
    """CSV or JSON lines with a time column.

    Several files are merged by time, and sent at real speed or N times as fast.
    """
    target = _Target(config_path, broker, topic)
    columns = Columns(time_column, value_column)
    records = _begun(read_files(files, columns), files)
    if not keep_times:
        with _refusing():
            span_ms = span_of(read_files(files, columns)) if speed > 1 else 0
        records = shift_to(records, begin_ms(WallClock().now_ms(), span_ms, speed))
    target.send(_paced(records, speed), output)


@command.command("simulate")
@with_target
@with_speed
@click.option(
    "--seed", default=1, show_default=True, type=click.IntRange(min=0), help="Which story."
)
@click.option(
    "--truth",
    metavar="FILE",
    type=OutFile(),
    default=None,
    help="Write the truth about each planted fault here, as JSON.",
)
def simulate(
    config_path: Path | None,
    broker: str | None,
    topic: str | None,
    output: str,
    speed: float,
    seed: int,
    truth: Path | None,
) -> None:
    """A shop of 14 services and two tenants, with five planted faults."""
    target = _Target(config_path, broker, topic)
    now_ms = WallClock().now_ms()
    shop = Shop(seed, begin_ms(now_ms, Shop(seed, now_ms).end_ms - now_ms, speed))
    if truth is not None:
        truth.write_bytes(shop.truth_json())
    target.send(_paced(shop.records(), speed), output)


def _begun(records: Iterator[Record], files: Sequence[Path]) -> Iterator[Record]:
    """The records, when there is one: files that cannot be read are refused before a broker is asked."""
    with _refusing():
        first = next(records, None)
    if first is None:
        raise ConfigError([f"{', '.join(map(str, files))}: there is nothing in it"])
    return chain([first], records)


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn what is wrong with a file into an error that names file and line."""
    try:
        yield
    except ReplayError as error:
        raise ConfigError([str(error)]) from error


async def _paced(records: Iterator[Record], speed: float) -> AsyncIterator[Record]:
    if math.isinf(speed):
        for record in records:
            yield record
        return
    loop = asyncio.get_running_loop()
    async for record in paced(records, Pace(speed, loop.time, asyncio.sleep)):
        yield record


class _Target:
    """The topic that telemetry goes to."""

    def __init__(self, config_path: Path | None, broker: str | None, topic: str | None) -> None:
        config: Config = open_document(config_path).config
        self._kafka: KafkaConfig = running_broker(config, broker)
        self._topic = topic or config.sources[0].topic
        self._sent = Sent()

    def send(self, source: AsyncIterable[Record], output: str) -> None:
        """Send until the source ends or Ctrl-C, and tell how much it was."""
        try:
            with asking(self._kafka.bootstrap), _refusing():
                asyncio.run(self._sending(source))
        except KeyboardInterrupt:
            pass  # the usual end of `produce host`
        sent = self._sent
        if output == "json":
            print_json({"topic": self._topic, **sent._asdict()})
        else:
            told = (
                f"{count(sent.messages, 'message')}, {sent.value_bytes} bytes sent to {self._topic}"
            )
            click.echo(told)

    async def _sending(self, source: AsyncIterable[Record]) -> None:
        broker = Broker.from_config(self._kafka)
        if self._topic not in await list_topics(broker):
            raise BrokerError(
                f"no topic {self._topic!r} on {broker.bootstrap}; `tocsin topics create` makes it"
            )
        options = broker.client_options()
        options.pop("bootstrap_servers")
        async with producing(broker.bootstrap, **options) as producer:
            sender = Sender(producer, self._topic)
            with show_count() as shown:
                task = shown.add_task(f"0 messages to {self._topic}", total=None)
                try:
                    async for record in source:
                        await sender.send(record)
                        text = f"{sender.sent.messages} messages to {self._topic}"
                        shown.update(task, description=text)
                finally:
                    self._sent = await sender.drain()
