"""The outbox: what stages put out, on its way to Kafka in order.

`put` is synchronous, so that a state, its offset and its outputs change in one step; a task of its own
hands the outputs to the producer without waiting for each delivery. Outputs are numbered from 0;
`delivered(n)` waits until the first n have arrived, whatever order the partitions answered in. A full
outbox makes the stage wait before its next chunk, so memory is bounded by `max_records` and `max_bytes`
plus the outputs of one chunk.

It refuses to lose an output: the first failed delivery ends it, and with it the process. A producer that
has no room is no failure: the output was not taken, and is offered again until the broker takes writes.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from aiokafka.errors import KafkaTimeoutError

from streams.stage import Outgoing

YIELD_EVERY = 256  # sends of which none had to wait would hold up the event loop


class Producer(Protocol):
    """aiokafka's producer as the outbox sees it."""

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
        headers: list[tuple[str, bytes]] | None = None,
    ) -> "asyncio.Future[object]":
        """Queue a record; the future is done when it is delivered."""
        ...


class Outbox:
    """A bounded queue in front of a producer."""

    def __init__(
        self,
        producer: Producer,
        *,
        max_records: int = 20_000,
        max_bytes: int = 67_108_864,
        outer: Callable[[str], str] = str,
    ) -> None:
        """`outer` gives the name on the broker of a topic."""
        self._producer = producer
        self._outer = outer
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._queue: deque[tuple[int, Outgoing]] = deque()
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._position = 0
        self._arrived = 0  # all outputs below this number are delivered
        self._early: set[int] = set()  # delivered before one with a lower number
        self._bytes = 0
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._failure: BaseException | None = None

    @property
    def position(self) -> int:
        """How many outputs have been put in so far."""
        return self._position

    @property
    def queued(self) -> bool:
        """Whether any of them have not been handed to the producer yet."""
        return bool(self._queue)

    @property
    def pending(self) -> int:
        """How many of them have not been delivered yet."""
        return self._position - self.delivered_count

    @property
    def delivered_count(self) -> int:
        """How many of them have been delivered, whatever their order."""
        return self._arrived + len(self._early)

    @property
    def full(self) -> bool:
        """Whether the stage has to wait before its next chunk."""
        return self.pending >= self._max_records or self._bytes >= self._max_bytes

    def put(self, outputs: Sequence[Outgoing]) -> None:
        """Take outputs over, in order."""
        for output in outputs:
            self._queue.append((self._position, output))
            self._position += 1
            self._bytes += _size_bytes(output)
        if outputs:
            self._wake.set()
        if self.full:
            self._room.clear()

    async def room(self) -> None:
        """Wait until it is not full.

        Raises:
            Exception: a delivery failed.

        """
        await self._room.wait()
        self._check()

    async def delivered(self, position: int) -> None:
        """Wait until the first `position` outputs are delivered.

        Raises:
            Exception: a delivery failed.

        """
        self._check()
        if self._arrived >= position:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((position, waiter))
        await waiter

    async def run(self) -> None:
        """Send until cancelled.

        Raises:
            Exception: a delivery failed.

        """
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._send_queued()
        except Exception as error:
            self._fail(error)
            raise

    async def _send_queued(self) -> None:
        self._check()
        sent = 0
        while self._queue:
            number, output = self._queue.popleft()
            delivery = await self._offer(output)
            delivery.add_done_callback(partial(self._done, number, _size_bytes(output)))
            sent += 1
            if sent % YIELD_EVERY == 0:
                await asyncio.sleep(0)
                self._check()

    async def _offer(self, output: Outgoing) -> "asyncio.Future[object]":
        """Hand an output to the producer, however long its buffer for that partition stays full."""
        while True:
            try:
                return await self._producer.send(
                    self._outer(output.topic),
                    output.value,
                    output.key,
                    output.partition,
                    output.timestamp_ms,
                    list(output.headers),  # aiokafka takes nothing but a list
                )
            except KafkaTimeoutError:
                self._check()

    def _done(self, number: int, size_bytes: int, delivery: "asyncio.Future[object]") -> None:
        if delivery.cancelled():
            self._fail(RuntimeError(f"delivery of output {number} was cancelled"))
            return
        error = delivery.exception()
        if error is not None:
            self._fail(error)
            return
        self._bytes -= size_bytes
        self._early.add(number)
        while self._arrived in self._early:
            self._early.remove(self._arrived)
            self._arrived += 1
        if not self.full:
            self._room.set()
        ready = [waiter for position, waiter in self._waiting if position <= self._arrived]
        if ready:
            self._waiting = [item for item in self._waiting if item[0] > self._arrived]
            for waiter in ready:
                if not waiter.done():
                    waiter.set_result(None)

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._room.set()
        self._wake.set()
        waiting, self._waiting = self._waiting, []
        for _, waiter in waiting:
            if not waiter.done():
                waiter.set_exception(error)

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure


def _size_bytes(output: Outgoing) -> int:
    return len(output.value or b"") + len(output.key or b"")
