"""Sends records to a topic, and watches the host: the part of the producers that does I/O.

What is on its way is bounded, so a slow broker slows the source and fills no memory. A message
counts as sent when the brokers have confirmed it. Records without a key go round the partitions in
turn; a key goes where Kafka's own clients would send it.
Refuses to make records: they come in, and an error of the brokers goes out to the caller.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple, Protocol, cast

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from streams.produce.host import Reading, host_samples
from streams.produce.telemetry import Record, records

IN_FLIGHT = 1_000
HOST_BATCH = 50  # samples a record


class Producer(Protocol):
    """The part of an aiokafka producer that is needed here."""

    async def partitions_for(self, topic: str) -> set[int]:
        """Return the topic's partitions."""

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> Awaitable[object]:
        """Take a message; what is returned is done when the brokers have it."""


class Sent(NamedTuple):
    """What the brokers have confirmed."""

    messages: int = 0
    value_bytes: int = 0


def partition_of(key: bytes | None, turn: int, partitions: int) -> int:
    """Return a record's partition: by the key's hash, or by whose turn it is without one."""
    if key is None:
        return turn % partitions
    return (cast("int", murmur2(key)) & 0x7FFFFFFF) % partitions


class Sender:
    """Sends to one topic, with at most `in_flight` messages that are not confirmed yet."""

    def __init__(self, producer: Producer, topic: str, in_flight: int = IN_FLIGHT) -> None:
        if in_flight < 1:
            raise ValueError(f"at least one message must be allowed on its way, not {in_flight}")
        self._producer, self._topic, self._in_flight = producer, topic, in_flight
        self._waiting: deque[tuple[Awaitable[object], int]] = deque()
        self._partitions: list[int] = []
        self._turn = 0
        self._sent = Sent()

    @property
    def sent(self) -> Sent:
        """What has been confirmed so far."""
        return self._sent

    async def send(self, record: Record) -> None:
        """Hand one record to the producer; waits while too many are on their way."""
        if not self._partitions:
            self._partitions = sorted(await self._producer.partitions_for(self._topic))
        if len(self._waiting) >= self._in_flight:
            await self._confirm()
        place = partition_of(record.key, self._turn, len(self._partitions))
        self._turn += record.key is None
        confirmed = await self._producer.send(
            self._topic,
            value=record.value,
            key=record.key,
            partition=self._partitions[place],
            timestamp_ms=record.timestamp_ms,
        )
        self._waiting.append((confirmed, len(record.value)))

    async def drain(self) -> Sent:
        """Wait until everything is confirmed; raises the first error of the brokers."""
        while self._waiting:
            await self._confirm()
        return self._sent

    async def _confirm(self) -> None:
        confirmed, size = self._waiting.popleft()
        try:
            await confirmed
        except Exception:
            # the first error is told; that the others have one too is no news
            rest = [waiting for waiting, _ in self._waiting]
            self._waiting.clear()
            await asyncio.gather(*rest, return_exceptions=True)
            raise
        self._sent = Sent(self._sent.messages + 1, self._sent.value_bytes + size)


async def send_all(producer: Producer, topic: str, source: AsyncIterable[Record]) -> Sent:
    """Send every record of the source and wait until all are confirmed."""
    sender = Sender(producer, topic)
    async for record in source:
        await sender.send(record)
    return await sender.drain()


@asynccontextmanager
async def producing(brokers: str, **security: object) -> AsyncIterator[Producer]:
    """Open a producer that writes each message once and waits for all replicas.

    `security` is passed to aiokafka as it is. On the way out all that is waiting is flushed.
    """
    producer = AIOKafkaProducer(
        bootstrap_servers=brokers, enable_idempotence=True, linger_ms=5, **security
    )
    try:
        await producer.start()
        yield cast("Producer", producer)
    finally:
        await producer.stop()


async def watch(
    read: Callable[[int], Reading],
    host: str,
    interval_seconds: float,
    now_ms: Callable[[], int],
    sleep: Callable[[float], Awaitable[None]],
) -> AsyncIterator[Record]:
    """Yield the host's telemetry for ever, at the multiples of the interval.

    `read` is called in a thread, for it may take longer than the event loop can be held up.
    """
    if interval_seconds < 0.1:
        raise ValueError(f"an interval lasts at least 0.1 seconds, not {interval_seconds}")
    interval_ms = round(interval_seconds * 1000.0)
    previous: Reading | None = None
    while True:
        reading = await asyncio.to_thread(read, now_ms())
        for record in records(host_samples(previous, reading, host), HOST_BATCH):
            yield record
        previous = reading
        wait_ms = interval_ms - now_ms() % interval_ms
        # Woken a little early, the next multiple is too near to tell anything new.
        await sleep((wait_ms if 2 * wait_ms >= interval_ms else wait_ms + interval_ms) / 1000.0)
