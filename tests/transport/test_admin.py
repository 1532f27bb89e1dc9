import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import InvalidTimestampError

from schemas.errors import BrokerError
from schemas.topics import Topic, all_topics
from streams.time.clock import WallClock
from streams.transport.admin import TopicReport, create_topics, list_topics
from streams.transport.broker import Broker


async def test_topics_are_made_once(bootstrap: str, prefix: str) -> None:
    """The first call makes what is missing, the second finds it, and both say how many partitions there are."""
    broker = Broker(bootstrap)
    topics = [Topic(f"{prefix}-a", "", "", 4), Topic(f"{prefix}-b", "", "", 4)]
    assert [TopicReport(t.name, True, 4, 4) for t in topics] == await create_topics(broker, topics)
    assert [TopicReport(t.name, False, 4, 4) for t in topics] == await create_topics(broker, topics)
    listed = await list_topics(broker)
    assert [4, 4] == [listed[topic.name] for topic in topics]


async def test_a_topic_with_other_partitions_is_reported_not_changed(
    bootstrap: str, prefix: str
) -> None:
    """Partitions of a topic decide which key lies where, so nobody adds some behind one's back."""
    broker = Broker(bootstrap)
    await create_topics(broker, [Topic(prefix, "", "", 4)])
    (report,) = await create_topics(broker, [Topic(prefix, "", "", 6)])
    assert (TopicReport(prefix, False, 4, 6), False) == (report, report.fits)


async def test_no_broker_is_an_error_in_our_words() -> None:
    """An address where nobody listens gives a BrokerError with the address."""
    with pytest.raises(BrokerError, match=r"127\.0\.0\.1:9"):
        await list_topics(Broker("127.0.0.1:9"))


async def test_a_broker_refuses_what_a_source_is_not_to_take(
    kafka_bootstrap: str, prefix: str
) -> None:
    """A record that is dated further ahead than `time.max_ahead` does not come in; one that is less so does."""
    source = all_topics((prefix,), max_ahead_ms=3_000_000)[0]
    await create_topics(Broker(kafka_bootstrap), [source])
    now_ms = WallClock().now_ms()
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap) as producer:
        await producer.send_and_wait(prefix, b"1", timestamp_ms=now_ms + 2_000_000)
        with pytest.raises(InvalidTimestampError):
            await producer.send_and_wait(prefix, b"2", timestamp_ms=now_ms + 3_500_000)
