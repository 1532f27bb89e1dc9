"""Sends the input of a run: every record once, in its order, however long a broker is away."""

import asyncio
from collections.abc import Callable, Iterable
from itertools import groupby

from confluent_kafka import KafkaError, Message, Producer

from tests.chaos.story import STEPS, Sent

POLL_SECONDS = 0.1


class RunError(Exception):
    """A run did not come to its end; the message says how far it came."""


async def send(
    bootstrap: str,
    topic: str,
    records: Iterable[Sent],
    pause: Callable[[float], float] = lambda _: 0.0,
) -> float:
    """The longest time in seconds between two records of one partition, as the brokers took them.

    `pause` says how many seconds to wait before each step, by the share of the story that is out; all partitions go on
    together, for one that falls silent would not be waited for.

    Raises:
        RunError: the client gave a record up.

    """
    loop = asyncio.get_running_loop()
    failed: list[str] = []
    last: dict[int, float] = {}
    longest = 0.0

    def delivered(error: KafkaError | None, message: Message) -> None:
        nonlocal longest
        if error is not None:
            failed.append(str(error))
        now, partition = loop.time(), message.partition() or 0
        longest = max(longest, now - last.get(partition, now))
        last[partition] = now

    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "message.timeout.ms": 0,
            "socket.timeout.ms": 5_000,
            "linger.ms": 5,
            "log_level": 0,
            "on_delivery": delivered,
        }
    )
    for step, together in groupby(records, lambda sent: int(sent.at_share * STEPS)):
        until = loop.time() + pause(step / STEPS)
        while loop.time() < until:
            producer.poll(0)
            await asyncio.sleep(min(POLL_SECONDS, max(until - loop.time(), 0)))
        for sent in together:
            producer.produce(
                topic, sent.value, partition=sent.partition, timestamp=sent.timestamp_ms
            )
    while producer.flush(0):
        await asyncio.sleep(POLL_SECONDS)
    if failed:
        raise RunError(f"{len(failed)} records of telemetry were given up: {failed[0]}")
    return longest
