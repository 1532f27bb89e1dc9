"""`tocsin topics create|list`: the topics that Tocsin needs, on the broker."""

import asyncio
import sys
from pathlib import Path

import click

from schemas.config import Config
from schemas.topics import Topic, all_topics
from streams.cli.broker import asking, running_broker, with_broker
from streams.cli.main import EXIT_NO
from streams.cli.options import open_document, with_config, with_output
from streams.cli.tables import print_json, print_table
from streams.transport.admin import TopicReport, create_topics, list_topics
from streams.transport.broker import Broker


@click.group("topics")
def command() -> None:
    """Make or list the topics that Tocsin needs."""


def needed_topics(config: Config) -> list[Topic]:
    """Topics of a configuration as they are named on the broker."""
    sources = tuple(source.topic for source in config.sources)
    sources += tuple(filter(None, [config.changes.topic]))
    kafka = config.kafka
    return all_topics(sources, kafka.partitions, kafka.prefix, max_ahead_ms=config.time.max_ahead)


@command.command("create")
@with_config
@with_broker
@with_output
def create(config_path: Path | None, broker: str | None, output: str) -> None:
    """Make the topics that are missing; what is there stays as it is.

    Ends with 1 when a topic is there with another number of partitions than wanted.
    """
    config = open_document(config_path).config
    kafka = running_broker(config, broker)
    making = create_topics(
        Broker.from_config(kafka), needed_topics(config), replication=kafka.replication
    )
    with asking(kafka.bootstrap):
        reports = asyncio.run(making)
    if output == "json":
        print_json([report._asdict() for report in reports])
    else:
        rows = [(report.name, str(report.partitions), _fate(report)) for report in reports]
        print_table(("topic", "partitions", ""), rows)
    if not all(report.fits for report in reports):
        sys.exit(EXIT_NO)


def _fate(report: TopicReport) -> str:
    if not report.fits:
        return f"there, but {report.wanted} partitions are wanted"
    return "created" if report.created else "there"


@command.command("list")
@with_config
@with_broker
@with_output
def list_(config_path: Path | None, broker: str | None, output: str) -> None:
    """List Tocsin's topics and whether they are there."""
    config = open_document(config_path).config
    kafka = running_broker(config, broker)
    wanted = needed_topics(config)
    with asking(kafka.bootstrap):
        there = asyncio.run(list_topics(Broker.from_config(kafka)))
    if output == "json":
        print_json(
            [
                {
                    "topic": t.name,
                    "key": t.key,
                    "holds": t.holds,
                    "partitions": there.get(t.name, 0),
                }
                for t in wanted
            ]
        )
        return
    print_table(
        ("topic", "key", "holds", "partitions"),
        [(t.name, t.key, t.holds, str(there.get(t.name, "missing"))) for t in wanted],
    )
