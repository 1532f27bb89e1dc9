"""Putting back: records read from where they stood, and sent again to the partition that they came from.

It refuses a record that its topic does not hold any more.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from streams.transport.admin import list_topics
from streams.transport.broker import Broker

READ_MS = 10_000


class Fate(NamedTuple):
    """What became of a record; `fault` is empty when it was put back, at `put_at`."""

    topic: str
    partition: int
    offset: int
    put_at: int | None
    fault: str


async def put_back(
    broker: Broker,
    origins: Sequence[tuple[str, int, int]],
    *,
    value: bytes | None = None,
    dry_run: bool = False,
) -> list[Fate]:
    """Send the records at these topics, partitions and offsets again, with their key, headers and time.

    With a `value` they get that one instead of their own.

    Raises:
        KafkaError: the broker cannot be reached, or refuses a record.

    """
    there = await list_topics(broker)
    consumer = AIOKafkaConsumer(
        **broker.client_options(), group_id=None, enable_auto_commit=False, auto_offset_reset="none"
    )
    producer = AIOKafkaProducer(**broker.client_options(), acks="all", enable_idempotence=True)
    await consumer.start()
    try:
        await producer.start()
        fates = []
        for topic, partition, offset in origins:
            fault, put_at = "", None
            if there.get(broker.outer(topic), 0) <= partition:
                fault = "the broker has no such partition"
            elif (found := await _find(consumer, broker.outer(topic), partition, offset)) is None:
                fault = "is no longer in its topic"
            elif not dry_run:
                sent = await producer.send_and_wait(
                    broker.outer(topic),
                    found.value if value is None else value,
                    key=found.key,
                    partition=partition,
                    timestamp_ms=found.timestamp,
                    headers=list(found.headers),
                )
                put_at = sent.offset
            fates.append(Fate(topic, partition, offset, put_at, fault))
        return fates
    finally:
        await consumer.stop()
        await producer.stop()


async def _find(consumer: AIOKafkaConsumer, topic: str, partition: int, offset: int) -> Any:
    place = TopicPartition(topic, partition)
    consumer.assign([place])
    if offset >= (await consumer.end_offsets([place]))[place]:
        return None
    consumer.seek(place, offset)
    try:
        records = await consumer.getmany(place, timeout_ms=READ_MS, max_records=1)
    except OffsetOutOfRangeError:
        return None
    return next((r for each in records.values() for r in each if r.offset == offset), None)
