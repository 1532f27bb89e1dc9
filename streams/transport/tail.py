"""Tail: the last records of a topic, or its first, read without a consumer group, so that nobody's offsets move.

It refuses to wait for what is not there yet: the end is where each partition ended when it began.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError

from schemas.errors import BrokerError
from streams.replay.pipeline import Recorded
from streams.transport.admin import list_topics
from streams.transport.broker import Broker

POLL_MS = 500


async def read_topic(
    broker: Broker, topic: str, *, limit: int, from_beginning: bool, seconds: float
) -> AsyncIterator[list[Recorded]]:
    """Up to `limit` records, the last ones unless `from_beginning`, for `seconds` at most.

    Each partition gives an equal part, and what others lack. Records of a partition come in their order.

    Raises:
        BrokerError: no broker answers, or there is no such topic.

    """
    outer = broker.outer(topic)
    count = (await list_topics(broker)).get(outer, 0)
    if not count:
        raise BrokerError(f"no topic {outer!r} on {broker.bootstrap}")
    consumer = AIOKafkaConsumer(
        **broker.client_options(),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    try:
        await consumer.start()
        places = [TopicPartition(outer, p) for p in range(count)]
        consumer.assign(places)
        begins = await consumer.beginning_offsets(places)
        ends = await consumer.end_offsets(places)
        parts = shares([ends[place] - begins[place] for place in places], limit)
        for place, part in zip(places, parts, strict=True):
            if from_beginning:
                ends[place] = begins[place] + part
            else:
                begins[place] = ends[place] - part
            consumer.seek(place, begins[place])
        async for records in _until(consumer, ends, asyncio.get_running_loop().time() + seconds):
            yield [r._replace(topic=topic) for r in records]
    except KafkaConnectionError as error:
        raise BrokerError(f"no broker answers at {broker.bootstrap}") from error
    except KafkaError as error:
        raise BrokerError(f"{broker.bootstrap} refuses: {error}") from error
    finally:
        await consumer.stop()


async def _until(
    consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int], deadline: float
) -> AsyncIterator[list[Recorded]]:
    """Records before these offsets, until the loop's clock says `deadline`."""
    left = {place for place, end in ends.items() if await consumer.position(place) < end}
    consumer.pause(*(place for place in ends if place not in left))
    while left and asyncio.get_running_loop().time() < deadline:
        for place, found in (await consumer.getmany(*left, timeout_ms=POLL_MS)).items():
            yield [
                Recorded(r.topic, r.partition, r.offset, r.timestamp, r.value, tuple(r.headers))
                for r in found
                if r.offset < ends[place]
            ]
        # by position: markers of transactions take offsets too
        done = {place for place in left if await consumer.position(place) >= ends[place]}
        left -= done
        consumer.pause(*done)


def shares(counts: Sequence[int], limit: int) -> list[int]:
    """How many of so many records each partition gives, so that it is `limit` in all where there are as many.

    Every one gives an equal part, but where it has fewer; those that have more make up for it.
    """
    parts = [0] * len(counts)
    order = sorted(range(len(counts)), key=lambda at: counts[at])
    for rank, at in enumerate(order):
        parts[at] = min(counts[at], limit // (len(counts) - rank))
        limit -= parts[at]
    return parts
