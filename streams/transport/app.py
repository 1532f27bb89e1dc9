"""The Faust app that carries chunks: one stream event for each fetch, a chunk for each partition that it brought.

Plain Faust pays about 90 microseconds of event-loop work for each message; here all records of a fetch pay that
once. Agents, rebalances, flow control and supervision are Faust's own.

It refuses Faust's tables, web server, leader election, topic declaration, acknowledgements and producer:
state, commits and outputs belong to the checkpointer and the outbox.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import faust
from faust.app.base import BootStrategy
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.transport.broker import Broker
from streams.transport.consumer import ChunkConsumer
from streams.transport.options import RunnerOptions
from streams.transport.pauses import Pauses

REQUEST_TIMEOUT_SECONDS = 600.0
"""Faust runs each recovery step under this limit and takes a timeout for a stop, which hangs silently for good."""
GATHER_MS = 5
"""A fetch gathers for no longer, however busy the loop is."""
HEARTBEAT_SECONDS = 0.5
"""A member hears of a rebalance by the answer to a heartbeat, and the first that hears waits for the last."""


class ChunkTransport(driver.Transport):  # type: ignore[misc]  # Faust is untyped to mypy
    """Faust's aiokafka transport with the chunk consumer."""

    Consumer = ChunkConsumer


class ChunkSchema(faust.Schema):  # type: ignore[misc]  # Faust is untyped to mypy
    """No codec for each message: the value of the event is the list of chunks."""

    def compile(self, app: Any, **_: Any) -> Callable[..., Awaitable[Any]]:
        """Make the decoder that wraps chunks into an event."""
        create_event = app.create_event

        async def decode(message: Any, *, propagate: bool = False) -> Any:  # noqa: ARG001 - Faust's signature
            return create_event(None, message.value, None, message)

        return decode


class ConsumerOnly(BootStrategy):  # type: ignore[misc]  # Faust is untyped to mypy
    """Starts no producer and no web server: outputs leave through the outbox."""

    enable_kafka_producer = False
    enable_web = False


class ChunkApp(faust.App):  # type: ignore[misc]  # Faust is untyped to mypy
    """One consumer group that reads chunks; see `runner` for what is done with them."""

    BootStrategy = ConsumerOnly

    def __init__(
        self,
        group: str,
        broker: Broker,
        options: RunnerOptions | None = None,
    ) -> None:
        self.options = options or RunnerOptions()
        self.pauses = Pauses()
        self.taken = asyncio.Event()
        self.held: frozenset[TP] = frozenset()
        self.resume: Callable[[set[TP]], Awaitable[dict[TP, int]]] = _from_committed
        self.settle: Callable[[], Awaitable[None]] = _nothing_to_settle
        session_seconds = self.options.session_timeout_seconds
        super().__init__(
            group,
            broker=broker.faust_urls(),
            broker_credentials=broker.faust_credentials(),
            autodiscover=False,
            web_enabled=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            table_standby_replicas=0,
            agent_supervisor="mode:CrashingSupervisor",
            stream_wait_empty=True,
            consumer_max_fetch_size=self.options.fetch_bytes,
            consumer_auto_offset_reset="earliest",
            broker_request_timeout=REQUEST_TIMEOUT_SECONDS,
            broker_session_timeout=session_seconds,
            broker_heartbeat_interval=min(HEARTBEAT_SECONDS, session_seconds / 5),
            consumer_group_instance_id=self.options.instance or None,
            consumer_metadata_max_age_ms=round(self.options.look_again_seconds * 1000),
            broker_rebalance_timeout=max(30.0, session_seconds),
            broker_max_poll_interval=REQUEST_TIMEOUT_SECONDS,
        )

    @property
    def gather_ms(self) -> int:
        """How long a fetch is to gather records now: whoever waits longer for the event loop may as well gather."""
        if self.options.gather_ms is not None:
            return self.options.gather_ms
        return min(max(round(2000 * self.pauses.usual_seconds), 1), GATHER_MS)

    def chunk_topics(self, names: Sequence[str]) -> Any:
        """Topics to read in chunks; nothing is fetched for the stage while `queue_fetches` wait for it.

        A fetch brings one chunk a partition, each up to `fetch_bytes`.
        """
        return self.topic(*names, schema=ChunkSchema(), acks=False)

    async def room(self, limit_seconds: float) -> bool:
        """Whether the stage can be handed another fetch within a time; whoever takes one sets `taken`.

        Faust's own limit is no help: an agent's copy of a topic forgets `maxsize` and takes the 4,096 of
        the app, and a full queue that a rebalance empties never wakes those who wait to put.
        """
        if self._waiting() < self.options.queue_fetches:
            return True
        try:
            async with asyncio.timeout(limit_seconds):
                while self._waiting() >= self.options.queue_fetches:
                    self.taken.clear()
                    await self.taken.wait()
        except TimeoutError:
            return False
        return True

    def _waiting(self) -> int:
        return sum(channel.queue.qsize() for channel in self.topics)

    def _new_transport(self) -> ChunkTransport:
        return ChunkTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Faust would make a data directory for tables; there are none."""


async def _from_committed(_: set[TP]) -> dict[TP, int]:
    return {}


async def _nothing_to_settle() -> None:
    return None
