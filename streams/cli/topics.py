"""`tocsin topics create|list`: the topics that Tocsin needs, on the broker."""

import asyncio
from pathlib import Path

import click
import orjson

from schemas.topics import all_topics
from streams.cli.options import choose_broker, open_document, with_broker, with_config, with_output
from streams.cli.tables import print_table
from streams.transport.admin import create_topics, list_topics
from streams.transport.broker import Broker


@click.group("topics")
def command() -> None:
    """Make or list the topics that Tocsin needs."""


@command.command("create")
@with_config
@with_broker
@with_output
def create(config_path: Path | None, broker: str | None, output: str) -> None:
    """Make the topics that are missing; nothing is changed that is there."""
    document = open_document(config_path)
    kafka = choose_broker(document.config, broker)
    wanted = all_topics(
        tuple(s.topic for s in document.config.sources), kafka.partitions, kafka.prefix
    )
    reports = asyncio.run(
        create_topics(Broker.from_config(kafka), wanted, replication=kafka.replication)
    )
    if output == "json":
        click.echo(orjson.dumps([r._asdict() for r in reports]))
        return
    print_table(
        ("topic", "partitions", ""),
        [
            (
                r.name,
                str(r.partitions),
                "created"
                if r.created
                else "there"
                if r.fits
                else f"there, but {r.wanted} partitions are wanted",
            )
            for r in reports
        ],
    )


@command.command("list")
@with_config
@with_broker
@with_output
def list_(config_path: Path | None, broker: str | None, output: str) -> None:
    """List Tocsin's topics and whether they are on the broker."""
    document = open_document(config_path)
    kafka = choose_broker(document.config, broker)
    wanted = all_topics(
        tuple(s.topic for s in document.config.sources), kafka.partitions, kafka.prefix
    )
    there = asyncio.run(list_topics(Broker.from_config(kafka)))
    if output == "json":
        found = [
            {"topic": t.name, "holds": t.holds, "partitions": there.get(t.name, 0)} for t in wanted
        ]
        click.echo(orjson.dumps(found))
        return
    print_table(
        ("topic", "key", "holds", "partitions"),
        [(t.name, t.key, t.holds, str(there.get(t.name, "missing"))) for t in wanted],
    )
