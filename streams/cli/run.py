"""`tocsin run`: the workers, in this process or in several."""

import asyncio
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import click

from schemas.config import Config
from schemas.errors import BrokerError
from schemas.topics import all_topics
from streams.app import STAGES, Setting, Workers
from streams.cli.options import choose_broker, open_document, open_rules, with_broker, with_config
from streams.cli.supervise import Supervisor
from streams.observe.metrics import serving_metrics
from streams.time.clock import WallClock
from streams.transport.admin import list_topics
from streams.transport.broker import Broker
from streams.transport.embedded import EmbeddedBroker

EMBEDDED_NOTE = (
    "embedded broker at {}: it keeps about 5 MB of each partition and forgets all at exit"
)


@click.command("run")
@with_config
@with_broker
@click.option(
    "--stage",
    "stages",
    type=click.Choice(STAGES),
    multiple=True,
    help="Run this stage only; may be given several times. Default: all.",
)
@click.option(
    "--processes",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="Worker processes on this machine; they share the partitions, and one that ends is started again.",
)
def command(
    config_path: Path | None, broker: str | None, stages: tuple[str, ...], processes: int
) -> None:
    """Run the workers until SIGINT or SIGTERM."""
    document = open_document(config_path)
    open_rules(document)
    choose_broker(document.config, broker)
    sys.exit(asyncio.run(_run(config_path, broker, stages or STAGES, processes)))


async def _run(
    config_path: Path | None, address: str | None, stages: tuple[str, ...], processes: int
) -> int:
    document = open_document(config_path)
    config = document.config
    kafka = choose_broker(config, address)
    async with AsyncExitStack() as stack:
        if kafka.bootstrap == "embedded":
            embedded = stack.enter_context(EmbeddedBroker())
            embedded.create_topics(_names(config))
            click.echo(EMBEDDED_NOTE.format(embedded.bootstrap), err=True)
            kafka = kafka.model_copy(update={"bootstrap": embedded.bootstrap})
        broker = Broker.from_config(kafka)
        await _need_topics(broker, config)
        if processes > 1:
            return await Supervisor(_worker_command(config_path, broker, stages), processes).run()
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        workers = Workers(Setting(config, open_rules(document), broker, WallClock(), stages))
        async with workers:
            stack.enter_context(serving_metrics(config.metrics, workers))
            click.echo(
                f"running {', '.join(stages)} on {broker.bootstrap}; stop with Ctrl-C", err=True
            )
            await workers.host.wait(stop)
    return 0


def _names(config: Config) -> list[str]:
    sources = tuple(s.topic for s in config.sources)
    return [t.name for t in all_topics(sources, config.kafka.partitions, config.kafka.prefix)]


async def _need_topics(broker: Broker, config: Config) -> None:
    """Refuse to start on a broker without the topics, or with other numbers of partitions.

    A worker on a missing topic would idle without a word.
    """
    there = await list_topics(broker)
    missing = [name for name in _names(config) if name not in there]
    if missing:
        raise BrokerError(
            f"topics are missing: {', '.join(missing)}; `tocsin topics create` makes them"
        )
    wanted = config.kafka.partitions
    wrong = [f"{name} has {there[name]}" for name in _names(config) if there[name] != wanted]
    if wrong:
        raise BrokerError(f"kafka.partitions is {wanted}, but {', '.join(wrong)}")


def _worker_command(config_path: Path | None, broker: Broker, stages: tuple[str, ...]) -> list[str]:
    found = [sys.executable, "-m", "streams.cli.main", "run", "--broker", broker.bootstrap]
    if config_path is not None:
        found += ["--config", str(config_path)]
    for stage in stages:
        found += ["--stage", stage]
    return found
