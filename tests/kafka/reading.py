"""Whole topics, read as any consumer would."""

import asyncio
from collections.abc import Callable, Iterable

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from schemas.topics import PARTITIONS

PATIENCE_SECONDS = 240.0
"""A condition is waited for this long: machines that run tests can be a hundred times slower than idle ones."""


async def read_topic(bootstrap: str, topic: str) -> list[ConsumerRecord]:
    """All records of a topic, partition by partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = [TopicPartition(topic, p) for p in range(PARTITIONS)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        found: list[ConsumerRecord] = []
        for place in places:
            await consumer.seek_to_beginning(place)
        while any([await consumer.position(p) < ends[p] for p in places]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += records
        return sorted(found, key=lambda r: (r.partition, r.offset))
    finally:
        await consumer.stop()


async def until(true: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for something that the workers bring about."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.05)


async def produce(bootstrap: str, topic: str, values: Iterable[bytes]) -> None:
    """Write values, one to each partition in turn, and wait until they are stored."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5) as producer:
        for number, value in enumerate(values):
            await producer.send(topic, value, partition=number % PARTITIONS)
        await producer.flush()
