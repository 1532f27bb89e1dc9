"""The tail of a topic, on the embedded broker and on a real Kafka: what it reads, and that it leaves no trace."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BrokerError
from schemas.topics import Topic
from streams.replay.pipeline import Recorded
from streams.transport.admin import create_topics
from streams.transport.broker import Broker
from streams.transport.tail import read_topic, shares

SECONDS = 60.0


async def filled(bootstrap: str, topic: str, counts: tuple[int, ...]) -> Broker:
    """A topic with so many records in each partition, numbered, with a header each."""
    broker = Broker(bootstrap)
    await create_topics(broker, [Topic(topic, "", "", 4)])
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5) as producer:
        for partition, count in enumerate(counts):
            for n in range(count):
                await producer.send(
                    topic, str(n).encode(), partition=partition, headers=[("n", str(n).encode())]
                )
        await producer.flush()
    return broker


async def read(
    broker: Broker, topic: str, limit: int, *, from_beginning: bool = False
) -> list[Recorded]:
    parts = read_topic(broker, topic, limit=limit, from_beginning=from_beginning, seconds=SECONDS)
    return [record async for part in parts for record in part]


async def test_the_last_records_are_read_or_the_first(bootstrap: str, prefix: str) -> None:
    """Each partition gives an equal part from its end, or its beginning; what one lacks another gives."""
    broker = await filled(bootstrap, prefix, (50, 2, 0, 50))

    def values(records: list[Recorded], partition: int) -> list[int]:
        return [int(r.value or b"") for r in records if r.partition == partition]

    last = await read(broker, prefix, 20)
    first = await read(broker, prefix, 20, from_beginning=True)

    assert (list(range(41, 50)), [0, 1], list(range(41, 50))) == (
        values(last, 0),
        values(last, 1),
        values(last, 3),
    )
    assert list(range(9)) == values(first, 0) == values(first, 3)
    assert {prefix} == {record.topic for record in last}
    assert (("n", b"41"),) == next(r for r in last if r.value == b"41").headers


async def test_no_group_is_left_behind(kafka_bootstrap: str, prefix: str) -> None:
    """Reading makes no consumer group, so no offset of anybody moves."""
    broker = await filled(kafka_bootstrap, prefix, (5,))
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    try:
        before = await admin.list_consumer_groups()
        assert 5 == len(await read(broker, prefix, 100))
        assert before == await admin.list_consumer_groups()
    finally:
        await admin.close()


async def test_an_empty_topic_ends_at_once(bootstrap: str, prefix: str) -> None:
    """Nothing to read is told without a wait for more."""
    broker = await filled(bootstrap, prefix, ())
    async with asyncio.timeout(SECONDS / 2):
        assert [] == await read(broker, prefix, 10)


async def test_a_topic_that_is_not_there_is_an_error(bootstrap: str, prefix: str) -> None:
    """Nothing is made by asking."""
    with pytest.raises(BrokerError, match=f"no topic '{prefix}'"):
        await read(Broker(bootstrap), prefix, 10)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=6), st.integers(0, 200))
def test_shares_are_fair(counts: list[int], limit: int) -> None:
    """All of the limit is used where there are as many records, and who gives less than another has no more."""
    parts = shares(counts, limit)

    assert min(limit, sum(counts)) == sum(parts)
    assert all(part <= count for part, count in zip(parts, counts, strict=True))
    assert all(
        part == count or part >= max(parts) - 1 for part, count in zip(parts, counts, strict=True)
    )
