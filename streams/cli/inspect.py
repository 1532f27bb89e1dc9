"""`tocsin inspect TOPIC|FILE...`: what a topic or files hold, and a first rule for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import islice
from pathlib import Path

import click
import msgspec

from schemas.config import Config
from schemas.config.section import format_duration
from schemas.errors import ConfigError
from schemas.records import rfc3339
from schemas.wire.asking import Answers
from schemas.wire.registry import names
from streams.cli.broker import asking, running_broker, with_broker
from streams.cli.options import open_document, with_config, with_output
from streams.cli.progress import show_count
from streams.cli.tables import count, print_json, print_table
from streams.inspect.files import is_recorded, open_records
from streams.inspect.guess import Guess
from streams.inspect.inspect import inspect, wanted_schemas
from streams.inspect.report import Lateness, Metric, Report
from streams.replay.pipeline import Recorded
from streams.transport.broker import Broker
from streams.transport.schema_registry import SchemaRegistry
from streams.transport.tail import read_topic

MOST_ROWS = 30
DETAIL_WIDTH = 90


@click.command("inspect")
@click.argument("what", metavar="TOPIC|FILE...", nargs=-1, required=True)
@with_config
@with_broker
@click.option(
    "--limit",
    default=10_000,
    show_default=True,
    type=click.IntRange(min=1, max=1_000_000),
    help="Most records to read.",
)
@click.option(
    "--seconds",
    default=30.0,
    show_default=True,
    type=click.FloatRange(min=0.1),
    help="Longest time to read a topic.",
)
@click.option("--from-beginning", is_flag=True, help="A topic's first records instead of its last.")
@click.option(
    "--format", "read_as", type=click.Choice(names()), default=None, help="Instead of a guess."
)
@with_output
def command(
    what: tuple[str, ...],
    config_path: Path | None,
    broker: str | None,
    limit: int,
    seconds: float,
    from_beginning: bool,
    read_as: str | None,
    output: str,
) -> None:
    """Tell what a topic or files hold, and propose a first rule.

    A topic is read without a consumer group. FILE is a recorded topic (`kcat -C -J` makes one), one record a line or a
    file, CSV or JSON lines.
    """
    document = open_document(config_path)
    config = document.config
    guess = Guess(config.limits)
    paths = [Path(each) for each in what if Path(each).is_file()]
    if paths and len(paths) < len(what):
        missing = next(each for each in what if not Path(each).is_file())
        raise ConfigError([f"{missing}: no such file"])
    if len(what) > 1 and not paths:
        raise ConfigError(["name one topic, or files that are there"])
    with show_count() as shown:
        task = shown.add_task("reading", total=None)
        if paths:
            found, dated = open_records(paths, _topic_of(paths, config), guess)
            records = list(islice(found, limit))
        else:
            dated = True
            kafka = running_broker(config, broker)
            parts = read_topic(
                Broker.from_config(kafka),
                what[0],
                limit=limit,
                from_beginning=from_beginning,
                seconds=seconds,
            )
            with asking(kafka.bootstrap):
                records = asyncio.run(
                    _gather(parts, lambda n: shown.update(task, description=f"{n} records"))
                )
        if not records:
            raise ConfigError([f"{', '.join(what)}: there is nothing in it"])
        topic = records[0].topic
        report = inspect(
            config,
            topic,
            records,
            guess,
            dated=dated,
            configured=bool(document.tree.get("sources")) and (not paths or is_recorded(paths[0])),
            read_as=read_as or "",
            answers=None if read_as else _schemas(config, topic, records, seconds),
            progress=lambda n: shown.update(task, description=f"{n} of {len(records)} records"),
        )
    if output == "json":
        print_json(msgspec.to_builtins(report))
    else:
        _print(report)


def _topic_of(paths: list[Path], config: Config) -> str:
    """A file stands for the first topic of the configuration where nothing else is said."""
    return config.sources[0].topic if len(config.sources) == 1 else paths[0].stem


def _schemas(config: Config, topic: str, records: list[Recorded], seconds: float) -> Answers | None:
    """Schemas that these records need, from the registry that the configuration names; None where none is needed.

    Raises:
        ConfigError: the registry did not answer in time.

    """
    wanted = wanted_schemas(config, topic, records)
    registry = next((s.options.registry for s in config.sources if s.topic == topic), None)
    if not wanted or registry is None:
        return None

    async def ask() -> Answers:
        client = SchemaRegistry(registry)
        try:
            async with asyncio.timeout(seconds):
                return await client.ask(wanted)
        except TimeoutError:
            raise ConfigError(
                [f"the schema registry {registry.url} does not answer in {seconds:g} s"]
            ) from None
        finally:
            await client.close()

    return asyncio.run(ask())


async def _gather(
    parts: AsyncIterator[list[Recorded]], tell: Callable[[int], None]
) -> list[Recorded]:
    found: list[Recorded] = []
    async for part in parts:
        found += part
        tell(len(found))
    return found


def _print(report: Report) -> None:
    click.echo(
        f"{report.name}: {count(report.records, 'record')} ({report.size_bytes} bytes) of "
        f"{count(report.partitions, 'partition')}, {count(report.samples, 'sample')} of {report.series} series"
    )
    said = "as the configuration says" if report.configured else "as the records tell"
    click.echo(f"read as {report.read_as}, {said}; tenants: {', '.join(report.tenants) or 'none'}")
    if report.first_ms is not None and report.last_ms is not None:
        rate = report.samples_per_second
        shown = f", {rate:.4g} samples a second" if rate else ""
        shown += f", {report.records_per_second:.4g} records" if report.records_per_second else ""
        click.echo(f"from {rfc3339(report.first_ms)} to {rfc3339(report.last_ms)}{shown}")
    print_table(
        ("format", "records", "told by"),
        [(f.name or "unknown", str(f.records), f.why) for f in report.formats[:MOST_ROWS]],
        title="\nFormats",
    )
    _print_series(report)
    _print_lateness(report.lateness)
    _print_losses(report)
    click.echo("\nConfiguration\n")
    click.echo(report.config)
    if report.rule is not None:
        fired = report.rule.fired
        tried = "" if fired is None else f"; over these records it fires {count(fired, 'alert')}"
        click.echo(f"A first rule: {report.rule.why}{tried}\n")
        click.echo(report.rule.text, nl=False)


def _print_series(report: Report) -> None:
    if report.metrics:
        heads = ("metric", "kind", "because", "series", "samples", "every", "least", "most")
        rows = [_metric_row(metric) for metric in report.metrics[:MOST_ROWS]]
        print_table(heads, rows, title="\nMetrics" + _more(len(report.metrics)))
    if report.labels:
        values = [
            (
                label.name,
                str(label.values),
                str(label.series),
                ", ".join(f"{value} ({n})" for value, n in label.top)[:DETAIL_WIDTH],
                label.warning,
            )
            for label in report.labels[:MOST_ROWS]
        ]
        print_table(
            ("label", "values", "series", "most frequent", "warning"),
            values,
            title="\nLabels" + _more(len(report.labels)),
        )


def _more(number: int) -> str:
    return f" ({MOST_ROWS} of {number})" if number > MOST_ROWS else ""


def _metric_row(metric: Metric) -> tuple[str, ...]:
    every = metric.every_seconds
    return (
        metric.name,
        metric.kind,
        metric.why,
        str(metric.series),
        str(metric.samples),
        "" if every is None else f"{every:.3g} s",
        "" if metric.least is None else f"{metric.least:.4g}",
        "" if metric.most is None else f"{metric.most:.4g}",
    )


def _print_lateness(lateness: Lateness | None) -> None:
    if lateness is None:
        return
    recommended = format_duration(int(lateness.recommended_seconds * 1000))
    click.echo(
        f"\nLateness: half of the samples at most {lateness.p50:.3g} s, 99 % {lateness.p99:.3g} s, "
        f"99.9 % {lateness.p999:.3g} s, the latest {lateness.most:.3g} s; "
        f"{lateness.late} later than the {lateness.allowed_seconds:g} s allowed; "
        f"allowed_lateness: {recommended} would do"
    )


def _print_losses(report: Report) -> None:
    if report.refused:
        rows = [
            (
                each.reason,
                str(each.count),
                f"{each.partition}/{each.offset}" if each.offset >= 0 else "",
                each.detail[:DETAIL_WIDTH],
                each.head[:DETAIL_WIDTH],
            )
            for each in report.refused
        ]
        heads = ("reason", "count", "first", "what", "begins")
        print_table(heads, rows, title="\nWould be dead letters")
    if report.ignored:
        print_table(
            ("reason", "count"),
            [(reason, str(n)) for reason, n in sorted(report.ignored.items())],
            title="\nLeft out on purpose",
        )
    if report.scrubbed:
        print_table(
            ("kind", "label", "series"),
            [(s.kind, s.label, str(s.series)) for s in report.scrubbed],
            title="\nPersonal data replaced",
        )
