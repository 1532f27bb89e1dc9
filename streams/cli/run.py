"""`tocsin run`: the workers, in this process or in several."""

import asyncio
import os
import socket
import sys
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import click

from schemas.config import Config, Document
from schemas.errors import BrokerError, ConfigError, WorkerError
from streams.app import STAGES, Setting, Workers
from streams.cli.broker import EMBEDDED, asking, choose_broker, with_broker
from streams.cli.lifeline import STOP_SECONDS, hold, stopping
from streams.cli.options import open_document, open_rules, with_config
from streams.cli.reload import Reloader, Stamps, asked_by_sighup, stamps_of
from streams.cli.supervise import Supervisor
from streams.cli.topics import needed_topics
from streams.ingest.identity import make_scrubber
from streams.observe.logs import logging_to_stderr
from streams.observe.metrics import serving_metrics
from streams.rules.rule import RuleGroup
from streams.time.clock import WallClock
from streams.transport.admin import list_topics
from streams.transport.broker import Broker
from streams.transport.embedded import PARTITIONS, EmbeddedBroker

EMBEDDED_NOTE = (
    "embedded broker at {0}: it keeps about 5 MB of each partition and forgets all at exit; "
    "`tocsin produce host --broker {0}` sends to it"
)


@dataclass(frozen=True)
class _Plan:
    """What is to run."""

    config: Config
    groups: list[RuleGroup]
    document: Document
    stamps: Stamps
    stages: tuple[str, ...]
    processes: int
    instance: str
    command: list[str]


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
    metavar="N",
    default=1,
    show_default=True,
    type=click.IntRange(min=1, max=64),
    help="Worker processes on this machine: they share the partitions, one that ends is started again, "
    "and the Nth serves its metrics at metrics.port + N - 1.",
)
@click.option(
    "--instance",
    metavar="NAME",
    default="",
    envvar="TOCSIN_INSTANCE",
    help="Name of this worker, no other's, the same after a restart: killed and started again under it, it has its "
    "partitions at once and not after kafka.session_timeout. Workers of --processes have such names by themselves.",
)
@click.option("--worker", default=1, type=click.IntRange(min=1), hidden=True)
@click.option("--lifeline", type=int, hidden=True, help="File descriptor of the supervisor's pipe.")
def command(
    config_path: Path | None,
    broker: str | None,
    stages: tuple[str, ...],
    processes: int,
    instance: str,
    worker: int,
    lifeline: int | None,
) -> None:
    """Run the workers until Ctrl-C or SIGTERM."""
    if lifeline is not None:
        hold(lifeline)
    document = open_document(config_path)
    make_scrubber(document.config)  # a secret that is not there is told before anything starts
    kafka = choose_broker(document.config, broker)
    update: dict[str, object] = {"kafka": kafka}
    if kafka.bootstrap == EMBEDDED:
        if processes > 1:
            raise ConfigError(["the embedded broker can serve one process only; take a real Kafka"])
        update["kafka"] = kafka.model_copy(update={"partitions": PARTITIONS})
    metrics = document.config.metrics
    if metrics.port:
        update["metrics"] = metrics.model_copy(update={"port": metrics.port + worker - 1})
    found = [*_command(config_path, kafka.bootstrap or ""), *(f"--stage={s}" for s in stages)]
    if processes > 1:
        found += [f"--instance={instance or f'{socket.gethostname()}-{os.getpid()}'}"]
    if lifeline is not None:
        instance = f"{instance}-{worker}"
    stamps = stamps_of(document)  # before the files are read, so that no change is missed
    plan = _Plan(
        document.config.model_copy(update=update),
        open_rules(document),
        document,
        stamps,
        stages or STAGES,
        processes,
        instance,
        found,
    )
    if not plan.groups and "detect" in plan.stages:
        click.echo("no rules are configured: nothing will raise an alert", err=True)
    with asking(kafka.bootstrap):
        sys.exit(asyncio.run(_run(plan)))


def _command(config_path: Path | None, bootstrap: str) -> list[str]:
    """What a supervisor starts; -P, since a folder of the user may have the name of one of our packages."""
    chosen = [] if config_path is None else [f"--config={config_path}"]
    return [sys.executable, "-P", "-m", "streams.cli.main", "run", f"--broker={bootstrap}", *chosen]


async def _run(plan: _Plan) -> int:
    config = plan.config
    async with AsyncExitStack() as stack:
        # a supervisor stops when its workers have, and sees to it that they do
        stop = stack.enter_context(stopping(STOP_SECONDS if plan.processes == 1 else None))
        reload = stack.enter_context(asked_by_sighup())
        kafka = config.kafka
        if kafka.bootstrap == EMBEDDED:
            embedded = stack.enter_context(EmbeddedBroker())
            embedded.create_topics(topic.name for topic in needed_topics(config))
            click.echo(EMBEDDED_NOTE.format(embedded.bootstrap), err=True)
            kafka = kafka.model_copy(update={"bootstrap": embedded.bootstrap})
        broker = Broker.from_config(kafka)
        await _need_topics(broker, config)
        if plan.processes > 1:
            return await Supervisor(plan.command, plan.processes).run(stop, reload)
        stack.enter_context(logging_to_stderr())
        setting = Setting(
            config, plan.groups, broker, WallClock(), plan.stages, instance=plan.instance
        )
        workers = Workers(setting)
        if not await _started(workers, stack, stop):
            return 0
        stack.enter_context(serving_metrics(config.metrics, workers))
        workers.watch_rules(Reloader(plan.document, plan.stamps, workers, reload).run())
        told = f"running {', '.join(plan.stages)} on {broker.bootstrap}; stop with Ctrl-C"
        click.echo(told, err=True)
        try:
            await workers.host.wait(stop)
        except Exception as error:
            raise WorkerError(f"{_failed(workers)}{type(error).__name__}: {error}") from error
    return 0


async def _started(workers: Workers, stack: AsyncExitStack, stop: asyncio.Event) -> bool:
    """Whether the workers run; False when `stop` came first, for a start can take a while."""
    starting = asyncio.create_task(stack.enter_async_context(workers))
    told = asyncio.create_task(stop.wait())
    await asyncio.wait({starting, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if starting.done():
        await starting
        return True
    starting.cancel()
    with suppress(asyncio.CancelledError):
        await starting
    return False


def _failed(workers: Workers) -> str:
    """Which stage it was, as the beginning of a line."""
    names = [name for name, runner in workers.host.runners.items() if runner.error is not None]
    return f"stage {names[0]} failed: " if names else "the workers failed: "


async def _need_topics(broker: Broker, config: Config) -> None:
    """Refuse to start on a broker without the topics, or with numbers of partitions that do not do.

    A worker on a missing topic would idle without a word.
    """
    there = await list_topics(broker)
    needed = needed_topics(config)
    missing = [t.name for t in needed if t.name not in there]
    if missing:
        raise BrokerError(
            f"topics are missing on {broker.bootstrap}: {', '.join(missing)}; `tocsin topics create` makes them"
        )
    spread = {source.topic for source in config.sources if not source.keyed}
    wrong = [
        f"{t.name} has {there[t.name]}"
        for t in needed
        # ingest spreads what it reads: of such a source there may be more
        if there[t.name] < t.partitions or (there[t.name] > t.partitions and t.name not in spread)
    ]
    if wrong:
        raise BrokerError(f"kafka.partitions is {config.kafka.partitions}, but {', '.join(wrong)}")
