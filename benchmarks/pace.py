"""Pace: messages at a steady rate, a few of which breach a threshold, each on a service that nobody else has."""

import asyncio
import time
from dataclasses import dataclass

from confluent_kafka import Producer

from benchmarks import workload
from benchmarks.node import QUIET
from benchmarks.times import ECHO_TIME, Times
from streams.time.clock import WallClock

BREACHES_PER_SECOND = 20
STEP_SECONDS = 0.001
"""The longest that a message is sent after its time, as far as this process can help it."""
USUAL, BREACH = 200.0, 5_000.0
LAST_SECONDS = 10.0


@dataclass(frozen=True)
class Breaches:
    """What is sent: `count` messages to a topic, and echoes to another."""

    topic: str
    echo_topic: str
    per_second: int
    count: int

    @property
    def every(self) -> int:
        """Which messages breach."""
        return self.per_second // BREACHES_PER_SECOND

    @property
    def expected(self) -> int:
        """How many messages breach."""
        return -(-self.count // self.every)


async def produce(bootstrap: str, given: Breaches, times: Times) -> None:
    """Send the messages, each at its time or as soon after it as may be; those that are due together go together."""
    producer = Producer(
        {"bootstrap.servers": bootstrap, "linger.ms": 0, "queue.buffering.max.messages": 1_000_000}
        | QUIET
    )
    began, sent = time.perf_counter(), 0
    while sent < given.count:
        due = min(given.count, int((time.perf_counter() - began) * given.per_second) + 1)
        while sent < due:
            _send(producer, given, sent, times)
            sent += 1
        producer.poll(0)
        await asyncio.sleep(STEP_SECONDS)
    await asyncio.to_thread(producer.flush, LAST_SECONDS)


def _send(producer: Producer, given: Breaches, number: int, times: Times) -> None:
    breach = number % given.every == 0
    if number % given.every == given.every // 2:
        producer.produce(given.echo_topic, ECHO_TIME.pack(time.perf_counter()))
    service = f"breach-{number}" if breach else f"service-{number % workload.SERIES:04d}"
    key = service.encode()
    value = workload.encode(WallClock().now_ms(), BREACH if breach else USUAL, key)
    if breach:
        times.sent[service] = time.perf_counter()
    producer.produce(given.topic, value, key)
