"""The embedded broker: librdkafka's own in-process cluster, for a first minute and for tests.

It speaks Kafka's protocol on a loopback port, so all other code is the same. It lives as long as this
process, keeps about 5 MB of each partition (the oldest is dropped first) and forgets everything at its
end. Every topic has 4 partitions. A consumer group can have one member only: at a second one its
coordinator fails (SyncGroup answers INVALID_REQUEST), so one process runs a stage. A member that was
killed holds up its group until its session times out.

It refuses nothing that it should: no security, no topic configuration, no retention. Not for production.
"""

from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from schemas.errors import BrokerError, MissingExtraError

PARTITIONS = 4
"""librdkafka's in-process cluster makes every topic with this many partitions; it has no setting for it."""
TIMEOUT_SECONDS = 10.0


class EmbeddedBroker:
    """A context manager around the cluster; `bootstrap` is its address while it runs."""

    def __init__(self) -> None:
        self._producer: Any = None
        self._bootstrap = ""

    @property
    def bootstrap(self) -> str:
        """`host:port` of the one broker.

        Raises:
            BrokerError: it is not running.

        """
        if not self._bootstrap:
            raise BrokerError("the embedded broker is not running")
        return self._bootstrap

    def start(self) -> Self:
        """Start the cluster.

        Raises:
            MissingExtraError: `confluent-kafka` is not installed.

        """
        try:
            from confluent_kafka import Producer  # noqa: PLC0415 - an optional extra
        except ImportError as error:
            raise MissingExtraError("embedded", "the embedded broker") from error
        # The cluster dies with its producer, so the producer is kept.
        self._producer = Producer({"test.mock.num.brokers": 1, "log_level": 2})
        (address,) = self._producer.list_topics(timeout=TIMEOUT_SECONDS).brokers.values()
        self._bootstrap = f"{address.host}:{address.port}"
        return self

    def create_topics(self, names: Iterable[str]) -> dict[str, int]:
        """Make topics, and say how many partitions each has."""
        made: dict[str, int] = {}
        for name in names:
            found = self._producer.list_topics(topic=name, timeout=TIMEOUT_SECONDS).topics[name]
            if found.error is not None:
                raise BrokerError(f"topic {name} could not be made: {found.error}")
            made[name] = len(found.partitions)
        return made

    def stop(self) -> None:
        """End the cluster; everything in it is gone."""
        self._producer = None
        self._bootstrap = ""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
