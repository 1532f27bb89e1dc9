"""Node: a real Kafka of this run on free ports, its topics, and how they are filled.

Refuses to measure on anything else: the embedded broker keeps too little, and another broker would be no comparison.
"""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from benchmarks import workload
from deploy.kafka.broker import passing_node
from schemas.topics import Topic, all_topics
from streams.transport.admin import create_topics
from streams.transport.broker import Broker

LIBS = Path(__file__).parents[1] / ".kafka" / "libs"
ADMIN_SECONDS = 30.0
POLL_EVERY = 10_000
QUIET = {"log_level": 2}
"""librdkafka would tell standard error that the broker went away at the end."""


class Node:
    """A broker that runs."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self._admin = AdminClient({"bootstrap.servers": bootstrap} | QUIET)

    def create(self, *names: str, prefix: str = "") -> None:
        """Make these topics, and our own with this prefix: each run has its own, so none sees what another left."""
        own = all_topics((), workload.PARTITIONS, prefix)
        given = [Topic(n, "any", "telemetry", workload.PARTITIONS) for n in names]
        asyncio.run(create_topics(Broker(self.bootstrap), [*given, *own]))

    def count(self, topic: str) -> int:
        """How many records a topic holds."""
        places = [TopicPartition(topic, p) for p in range(workload.PARTITIONS)]
        found = self._admin.list_offsets(dict.fromkeys(places, OffsetSpec.latest()))
        return sum(answer.result(ADMIN_SECONDS).offset for answer in found.values())

    def fill(
        self, topic: str, messages: Iterable[workload.Message], compression: str = "none"
    ) -> None:
        """Write messages, their batches compressed like this, and wait until the broker has them.

        Raises:
            RuntimeError: the broker refused one.

        """
        producer = Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "linger.ms": 20,
                "batch.size": 262_144,
                "compression.type": compression,
                "queue.buffering.max.messages": 500_000,
                "enable.idempotence": True,  # else a retry could change the order
            }
            | QUIET
        )
        refused: list[str] = []

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                refused.append(str(error))

        for number, (partition, key, value, time_ms) in enumerate(messages):
            while True:
                try:
                    producer.produce(
                        topic, value, key, partition, on_delivery=delivered, timestamp=time_ms
                    )
                    break
                except BufferError:
                    producer.poll(0.1)
            if number % POLL_EVERY == 0:
                producer.poll(0)
        producer.flush()
        if refused:
            raise RuntimeError(f"{len(refused)} messages were refused, the first: {refused[0]}")


@contextmanager
def running_node() -> Iterator[Node]:
    """Start a node; it ends with the block.

    Raises:
        UnavailableError: there is no Java, or no jars.

    """
    with passing_node(LIBS) as bootstrap:
        yield Node(bootstrap)
