"""Pace: messages at a steady rate, a few of which breach a threshold, each on a service that nobody else has.

They are sent by a process of its own, so that who listens at the other end is not late because of it; when each breach
was sent is told at the end. Both processes read one clock, the machine's monotonic one. Run as a module, it is the
process that sends.
"""

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass

import msgspec
from confluent_kafka import Producer

from benchmarks import workload
from benchmarks.node import QUIET
from benchmarks.times import ECHO_TIME, Times
from streams.time.clock import WallClock

BREACHES_PER_SECOND = 20
STEP_SECONDS = 0.001
"""The longest that a message is sent after its time, as far as this process can help it."""
LINGER_MS = 1
"""A sender gathers for so long, which counts; the client's own default is 5. At 0 it is the broker that is measured."""
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
    """Send the messages from a process of its own; returns when all are sent.

    Raises:
        RuntimeError: it failed.

    """
    arguments = ["--broker", bootstrap, "--topic", given.topic, "--echo-topic", given.echo_topic]
    arguments += ["--per-second", str(given.per_second), "--count", str(given.count)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.pace", *arguments, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the sender ended with {process.returncode}")
    times.sent |= msgspec.json.decode(told, type=dict[str, float])


def send(bootstrap: str, given: Breaches) -> dict[str, float]:
    """Send each message at its time or as soon after it as may be; when each breach was sent, by service."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "linger.ms": LINGER_MS,
            "queue.buffering.max.messages": 1_000_000,
        }
        | QUIET
    )
    times: dict[str, float] = {}
    began, sent = time.perf_counter(), 0
    while sent < given.count:
        due = min(given.count, int((time.perf_counter() - began) * given.per_second) + 1)
        now_ms = WallClock().now_ms()
        while sent < due:
            _send(producer, given, sent, now_ms, times)
            sent += 1
        producer.poll(0)
        time.sleep(STEP_SECONDS)
    producer.flush(LAST_SECONDS)
    return times


def _send(
    producer: Producer, given: Breaches, number: int, now_ms: int, times: dict[str, float]
) -> None:
    breach = number % given.every == 0
    if number % given.every == given.every // 2:
        producer.produce(given.echo_topic, ECHO_TIME.pack(time.perf_counter()))
    service = f"breach-{number}" if breach else f"service-{number % workload.SERIES:04d}"
    key = service.encode()
    value = workload.encode(now_ms, BREACH if breach else USUAL, key)
    if breach:
        times[service] = time.perf_counter()
    producer.produce(given.topic, value, key)


def main() -> None:
    """Send, and print when."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("broker", "topic", "echo-topic"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("per-second", "count"):
        parser.add_argument(f"--{name}", required=True, type=int)
    told = parser.parse_args()
    given = Breaches(told.topic, told.echo_topic, told.per_second, told.count)
    print(msgspec.json.encode(send(told.broker, given)).decode())


if __name__ == "__main__":
    main()
