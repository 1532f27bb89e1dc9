"""The scout: asks the broker where partitions end, by a connection of its own.

What a hanging consumer says of its own lag cannot be trusted: it knows an end only from its last fetch.
The scout shares nothing with it, so its answers go on when the consumer's stop, and when they stop too
it is the broker that is away.

It refuses to raise for a broker that does not answer: that is an answer.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition
from faust.types import TP

from streams.transport.broker import Broker

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
ANSWER_SECONDS = 10.0
FAREWELL_SECONDS = 0.5
"""For a question under way: aiokafka forgets a connection whose making is cancelled, and never closes it."""


class Scout:
    """Knows the ends of some partitions as the broker last told them."""

    def __init__(self, broker: Broker, partitions: Callable[[], Collection[TP]]) -> None:
        self._broker = broker
        self._partitions = partitions
        self._consumer: AIOKafkaConsumer | None = None
        self._stopping = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self.ends: Mapping[TP, int] = {}
        self.reachable = True

    async def start(self) -> None:
        """Connect and begin to look.

        Raises:
            KafkaError: no broker answers.

        """
        self._consumer = AIOKafkaConsumer(
            **self._broker.client_options(), request_timeout_ms=int(ANSWER_SECONDS * 1000)
        )
        await self._consumer.start()
        self.task = asyncio.create_task(self._look_regularly(self._consumer))

    async def stop(self) -> None:
        """Look no longer."""
        self._stopping.set()
        if self.task is not None:
            await asyncio.wait({self.task}, timeout=FAREWELL_SECONDS)
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        if self._consumer is not None:
            await self._consumer.stop()

    async def _look(self, consumer: AIOKafkaConsumer) -> None:
        asked = [TopicPartition(tp.topic, tp.partition) for tp in self._partitions()]
        if not asked:
            return
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                found = await consumer.end_offsets(asked)
        except (KafkaError, TimeoutError) as error:
            if self.reachable:
                log.warning("the broker does not tell where partitions end: %r", error)
            self.reachable = False
            return
        self.ends = {TP(tp.topic, tp.partition): end for tp, end in found.items()}
        self.reachable = True

    async def _look_regularly(self, consumer: AIOKafkaConsumer) -> None:
        while not self._stopping.is_set():
            await self._look(consumer)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._stopping.wait()
