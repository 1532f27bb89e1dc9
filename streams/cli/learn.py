"""`tocsin learn FILE...|--topic TOPIC`: what detectors know after history, as a file that workers begin with."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np

from schemas.config import Config, Document
from schemas.config.near import nearest
from schemas.config.section import format_duration, parse_duration
from schemas.errors import BrokerError, ConfigError
from schemas.records import rfc3339
from streams.cli.broker import asking, running_broker, with_broker
from streams.cli.main import EXIT_NO, fail
from streams.cli.options import (
    IN_FILE,
    OutFile,
    check_rules,
    open_document,
    with_columns,
    with_config,
    with_output,
)
from streams.cli.progress import show_count
from streams.cli.tables import count, print_json, print_table
from streams.produce.columns import Columns
from streams.replay.learning import Known, in_order, learn, learn_results, read_past
from streams.replay.pipeline import Recorded
from streams.replay.ranges import is_range, read_range
from streams.rules.learnt_file import write_learnt
from streams.rules.load import load_rules
from streams.rules.rule import Rule, RuleGroup
from streams.time.calendars import CalendarError, Span, read_dates
from streams.time.clock import WallClock

MOST_RECORDS = 10_000_000
READ_SECONDS = 3600.0


@click.command("learn")
@click.argument("files", metavar="[FILE]...", nargs=-1, type=IN_FILE)
@click.option("--topic", metavar="TOPIC", help="Read this topic instead of files.")
@click.option(
    "--since", metavar="SPAN", default=None, help="Of a topic only the last SPAN, such as 7d."
)
@click.option(
    "--rule", "rule_name", metavar="NAME", help="Files are ranges of results of this rule."
)
@click.option(
    "--rules",
    "rule_paths",
    metavar="FILE",
    type=IN_FILE,
    multiple=True,
    help="Prometheus rule file, instead of the configuration's; may be given several times.",
)
@click.option(
    "--without",
    "left_out",
    metavar="FROM/TO",
    multiple=True,
    help="Leave out a day or a time, such as 2026-03-02T10:00/2026-03-02T12:00 (UTC); again.",
)
@click.option("--out", metavar="FILE", type=OutFile(), required=True, help="For `detect.learnt`.")
@with_columns
@with_config
@with_broker
@with_output
def command(
    files: tuple[Path, ...],
    topic: str | None,
    since: str | None,
    rule_name: str | None,
    rule_paths: tuple[Path, ...],
    left_out: tuple[str, ...],
    out: Path,
    time_column: str | None,
    value_column: str | None,
    config_path: Path | None,
    broker: str | None,
    output: str,
) -> None:
    """Run history through the rules and write what their detectors learnt, for series that workers see first.

    FILE is CSV, JSON lines, a recorded topic, Parquet, or the answer of Prometheus's query_range. Prints for each
    rule how long its series must still be seen until it may speak.
    """
    if bool(files) is bool(topic):
        raise click.UsageError("wanted are files or --topic, one of them")
    without = _spans(left_out)
    document = open_document(config_path)
    groups = _rules(document, rule_paths)
    config = document.config
    if rule_name is not None:
        known = _results(config, groups, rule_name, files, without)
    else:
        # a file, and a topic that is none of the sources, are read as the first source would be
        source = next((each for each in config.sources if each.topic == topic), config.sources[0])
        if topic is None:
            columns = Columns(time_column, value_column)
            records = read_past(files, source.topic, columns)
        else:
            records = _of_topic(config, broker, topic, since)
            records = (each._replace(topic=source.topic) for each in records)
        records = (each for each in records if not _lies_in(each.timestamp_ms, without))
        with show_count() as shown:
            task = shown.add_task("learning", total=None)
            known = learn(
                config,
                groups,
                source,
                records,
                lambda n: shown.update(task, description=f"{n} records"),
            )
    if not any(len(detect.roster) for _, detect in known):
        fail("no rule with a detector has found a series in it", EXIT_NO)
    write_learnt(out, known)
    _tell(known, output)


def _rules(document: Document, paths: tuple[Path, ...]) -> list[RuleGroup]:
    groups, faults = load_rules(paths) if paths else check_rules(document)
    if faults:
        raise ConfigError(faults)
    if not any(rule.detect for group in groups for rule in group.rules):
        raise ConfigError(["no rule has a detector: name a file with --rules"])
    return groups


def _spans(texts: tuple[str, ...]) -> list[Span]:
    try:
        return read_dates(texts, "UTC")
    except CalendarError as error:
        raise click.BadParameter(str(error), param_hint="--without") from error


def _lies_in(time_ms: int, spans: list[Span]) -> bool:
    return any(begin <= time_ms < end for begin, end in spans)


def _results(
    config: Config,
    groups: list[RuleGroup],
    name: str,
    files: tuple[Path, ...],
    without: list[Span],
) -> Known:
    rules: dict[str, Rule] = {r.name: r for g in groups for r in g.rules if r.detect}
    if name not in rules:
        raise click.BadParameter(
            f"no rule {name!r} with a detector: {nearest(name, sorted(rules))}", param_hint="--rule"
        )
    for path in files:
        if not is_range(path):
            raise ConfigError([f"{path}: --rule wants answers of query_range"])
    found = [
        sample
        for path in files
        for sample in read_range(path)
        if not _lies_in(sample.ts_ms, without)
    ]
    tenant = config.sources[0].tenant.default
    detect = learn_results(rules[name], found, tenant, config.limits.series)
    return [(rules[name], detect)]


def _of_topic(
    config: Config, broker: str | None, topic: str, since: str | None
) -> Iterator[Recorded]:
    try:
        after = 0 if since is None else WallClock().now_ms() - parse_duration(since)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--since") from error
    kafka = running_broker(config, broker)
    with asking(kafka.bootstrap):
        found = asyncio.run(_read(config.model_copy(update={"kafka": kafka}), topic, after))
    if not found:
        raise BrokerError(f"nothing to learn from in {topic!r} since {rfc3339(after)}")
    return in_order(sorted(found, key=lambda each: each.timestamp_ms))


async def _read(config: Config, topic: str, after_ms: int) -> list[Recorded]:
    # here, so that `tocsin --help` needs no Kafka client
    from streams.transport.broker import Broker  # noqa: PLC0415  only where a topic is read
    from streams.transport.tail import read_topic  # noqa: PLC0415  only where a topic is read

    reading = read_topic(
        Broker.from_config(config.kafka),
        topic,
        limit=MOST_RECORDS,
        from_beginning=False,
        seconds=READ_SECONDS,
    )
    return [each async for part in reading for each in part if each.timestamp_ms >= after_ms]


def _tell(known: Known, output: str) -> None:
    rows = []
    for rule, detect in known:
        waits = detect.waits()
        longest = int(waits.max()) if len(waits) else 0
        rows.append((rule.name, len(waits), int(np.count_nonzero(waits == 0)), longest))
    if output == "json":
        names = ("rule", "series", "may_speak", "longest_wait_ms")
        print_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    print_table(
        ("rule", "series", "may speak at once", "the last one in"),
        [(name, str(n), str(now), format_duration(wait)) for name, n, now, wait in rows],
        title=f"learnt from {count(len(rows), 'rule')}",
    )
