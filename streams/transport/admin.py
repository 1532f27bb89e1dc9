"""Topics on the broker: make those that are missing, list those that are there.

Making is idempotent. On a broker that cannot create topics (the embedded one) a metadata request brings
them into being, with the partitions that it gives them.

It refuses to change a topic that exists: one with other partitions than wanted is reported.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAlreadyExistsError, for_code

from schemas.errors import BrokerError
from schemas.topics import Topic
from streams.transport.broker import Broker

CREATE_TIMEOUT_SECONDS = 30.0
ANSWER_MS = 10_000
"""Who asks a broker that does not answer wants to know soon; aiokafka's own limit is 40 s."""


class TopicReport(NamedTuple):
    """What became of a topic; `partitions` is what it has now."""

    name: str
    created: bool
    partitions: int
    wanted: int

    @property
    def fits(self) -> bool:
        """Whether it has the partitions that were wanted."""
        return self.partitions == self.wanted


async def create_topics(
    broker: Broker, topics: Sequence[Topic], *, replication: int = 1
) -> list[TopicReport]:
    """Make the topics that are missing, and report on all.

    Raises:
        BrokerError: the broker cannot be reached, or refuses a topic.

    """
    there = await list_topics(broker)
    missing = [topic for topic in topics if topic.name not in there]
    if missing:
        if not await _create(broker, missing, replication):
            await _mention(broker, [topic.name for topic in missing])
        there = await _wait_for(broker, [topic.name for topic in topics])
    new = {topic.name for topic in missing}
    return [TopicReport(t.name, t.name in new, there[t.name], t.partitions) for t in topics]


async def delete_topics(broker: Broker, names: Sequence[str]) -> None:
    """Delete topics; for those that a demo has made."""
    admin = AIOKafkaAdminClient(**broker.client_options())
    await admin.start()
    try:
        await admin.delete_topics(list(names))
    finally:
        await admin.close()


async def list_topics(broker: Broker) -> dict[str, int]:
    """Names of all topics with the number of their partitions.

    Raises:
        BrokerError: the broker cannot be reached.

    """
    admin = AIOKafkaAdminClient(**broker.client_options(), request_timeout_ms=ANSWER_MS)
    try:
        await admin.start()
        described = await admin.describe_topics()
    except KafkaConnectionError as error:
        # its text is a list of addresses; the client's log has the cause
        raise BrokerError(f"no broker answers at {broker.bootstrap}") from error
    except KafkaError as error:
        raise BrokerError(f"{broker.bootstrap} refuses: {error}") from error
    finally:
        await admin.close()
    return {
        topic["topic"]: len(topic["partitions"]) for topic in described if not topic["error_code"]
    }


async def _create(broker: Broker, topics: Sequence[Topic], replication: int) -> bool:
    """False when the cluster has no controller: then it is the embedded one, and cannot create topics."""
    admin = AIOKafkaAdminClient(**broker.client_options())
    await admin.start()
    try:
        if admin._client.cluster.controller is None:  # noqa: SLF001 - no public way to ask
            return False
        answer = await admin.create_topics(
            [
                NewTopic(t.name, t.partitions, replication, topic_configs=dict(t.settings))
                for t in topics
            ]
        )
    finally:
        await admin.close()
    for name, code, *detail in answer.topic_errors:
        if code and for_code(code) is not TopicAlreadyExistsError:
            reason = next((text for text in detail if text), for_code(code).__name__)
            raise BrokerError(f"topic {name} could not be made: {reason}")
    return True


async def _mention(broker: Broker, names: Iterable[str]) -> None:
    """Ask for the topics' metadata, at which a broker with automatic creation makes them."""
    producer = AIOKafkaProducer(**broker.client_options())
    await producer.start()
    try:
        for name in names:
            await producer.partitions_for(name)
    except KafkaError as error:
        raise BrokerError(f"topics could not be made: {error}") from error
    finally:
        await producer.stop()


async def _wait_for(broker: Broker, names: Sequence[str]) -> dict[str, int]:
    """A new topic takes a moment until every broker knows it."""
    try:
        async with asyncio.timeout(CREATE_TIMEOUT_SECONDS):
            while True:
                there = await list_topics(broker)
                if there.keys() >= set(names):
                    return there
                await asyncio.sleep(0.1)
    except TimeoutError as error:
        raise BrokerError("topics were made but did not appear in time") from error
