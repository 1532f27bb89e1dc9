"""Bare fetches: aiokafka's `getmany` and confluent's `consume`, which look at no value at all.

They do no job: they are what the client costs that every engine in Python stands on.
"""

import argparse
import asyncio

from aiokafka import AIOKafkaConsumer
from confluent_kafka import Consumer

from benchmarks.peers.job import Totals
from benchmarks.peers.stretch import Stretch, read_arguments

AT_ONCE = 10_000


async def with_aiokafka(given: argparse.Namespace) -> None:
    """Fetch by `getmany`, all that has come."""
    stretch, totals = Stretch(given), Totals()
    consumer = AIOKafkaConsumer(
        given.topic,
        bootstrap_servers=given.broker,
        group_id=given.name,
        auto_offset_reset="earliest",
    )
    async with consumer:
        while True:
            batches = await consumer.getmany(timeout_ms=1_000)
            totals.messages += sum(map(len, batches.values()))
            if totals.messages >= stretch.mark:
                stretch.reach(totals)


def with_confluent(given: argparse.Namespace) -> None:
    """Fetch by `consume`, up to 10,000 messages."""
    stretch, totals = Stretch(given), Totals()
    consumer = Consumer(
        {
            "bootstrap.servers": given.broker,
            "group.id": given.name,
            "auto.offset.reset": "earliest",
            # else librdkafka waits a second whenever its queue has been full
            "fetch.queue.backoff.ms": 5,
        }
    )
    consumer.subscribe([given.topic])
    while True:
        totals.messages += len(consumer.consume(AT_ONCE, timeout=1.0))
        if totals.messages >= stretch.mark:
            stretch.reach(totals)


def main() -> None:
    """Read the topic from its beginning, and measure."""
    given = read_arguments(__doc__, ["aiokafka", "confluent"])
    if given.form == "aiokafka":
        asyncio.run(with_aiokafka(given))
    else:
        with_confluent(given)


if __name__ == "__main__":
    main()
