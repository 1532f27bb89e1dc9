"""Delivery: the thread that brings a buffer's samples to the brokers, in an event loop of its own.

It goes in turns: all that waits is packed, each partition gets its records one after the other, and the next turn
begins when the brokers have all of them. So nothing overtakes, and what is on its way is part of the buffer's bound. A
record is tried until it is stored, with growing pauses; only what the brokers refuse for good is dropped.

It refuses to guess: a record whose answer was lost is sent again, so it may come twice; of two samples of a series
with one time ingest takes one.
"""

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, TypeVar

from aiokafka.errors import BrokerResponseError, KafkaError

from schemas.reasons import ProduceReason
from streams.produce.buffer import Buffer, Taken
from streams.produce.pack import Form, Packed, pack

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
HANG_UP_SECONDS = 1.0
"""How long closing a connection may take: what counts has been confirmed by then."""
EARLY_SHARE = 8
"""A turn begins before its time when the buffer is filled to one part in so many."""
CONTENT_TYPES = {"native": b"application/json", "samples": b"application/vnd.tocsin.samples"}


class Link(Protocol):
    """The part of an aiokafka producer that is needed here."""

    async def start(self) -> None:
        """Connect."""

    async def stop(self) -> None:
        """Hang up."""

    async def partitions_for(self, topic: str) -> set[int]:
        """Return the topic's partitions."""

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        *,
        partition: int | None = None,
        timestamp_ms: int | None = None,
        headers: Sequence[tuple[str, bytes]] | None = None,
    ) -> Awaitable[object]:
        """Take a record; what is returned is done when the brokers have it."""


@dataclass(frozen=True)
class Plan:
    """What is sent where: the linger is the time between two turns."""

    topic: str
    form: Form
    linger_seconds: float
    most_bytes: int


class Delivery:
    """Sends what a buffer holds until it is closed."""

    def __init__(self, buffer: Buffer, connect: Callable[[], Link], plan: Plan) -> None:
        self._buffer, self._connect, self._plan = buffer, connect, plan
        self._early = max(1, buffer.most_samples // EARLY_SHARE)
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._failing = False
        self._thread = threading.Thread(target=self._main, name="tocsin-producer", daemon=True)

    def start(self) -> None:
        """Begin; connects behind the caller's back."""
        self._thread.start()
        self._ready.wait()

    def hint(self, waiting: int) -> None:
        """Take note of how many samples wait to be taken: enough of them need not wait for the next turn."""
        if waiting == self._early:
            self.wake()

    def wake(self) -> None:
        """Begin the next turn now."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._wake.set)

    def close(self, timeout_seconds: float) -> None:
        """Send what is queued, and end; after the time-out what is left is dropped and counted."""
        self._buffer.close()
        self._closing = True
        self.wake()
        self._thread.join(timeout_seconds)
        if self._thread.is_alive() and self._loop is not None and self._task is not None:
            with suppress(RuntimeError):  # it has ended just now
                self._loop.call_soon_threadsafe(self._task.cancel)
            self._thread.join(2 * HANG_UP_SECONDS)
        if lost := self._buffer.give_up():
            log.error("closed with %d samples that the brokers do not have", lost)

    def _main(self) -> None:
        try:
            with suppress(asyncio.CancelledError):
                asyncio.run(self._run())
        finally:
            # whatever ended it, what is recorded from now on is counted as dropped
            self._buffer.close()

    async def _run(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._ready.set()
        link = await self._connected()
        try:
            while True:
                closing = self._closing
                if (taken := self._buffer.take()) is not None:
                    await self._deliver(link, taken)
                elif closing:
                    return
                if not self._closing:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), self._plan.linger_seconds)
                    self._wake.clear()
        finally:
            await _hang_up(link)

    async def _connected(self) -> Link:
        async def connect() -> Link:
            link = self._connect()
            try:
                await link.start()
            except BaseException:
                await _hang_up(link)
                raise
            return link

        return await self._until_done(connect)

    async def _deliver(self, link: Link, taken: Taken) -> None:
        plan = self._plan
        places = sorted(await self._until_done(lambda: link.partitions_for(plan.topic)))
        queues: dict[int, list[Packed]] = defaultdict(list)
        packed = pack(taken, plan.form, partitions=len(places), most_bytes=plan.most_bytes)
        for record in packed:
            queues[places[record.partition]].append(record)

        async def send(partition: int, records: Sequence[Packed]) -> None:
            for record in records:
                await self._send(link, partition, record)

        await asyncio.gather(*(send(place, queue) for place, queue in queues.items()))

    async def _send(self, link: Link, partition: int, record: Packed) -> None:
        """Have a record stored, or count why not."""
        if record.value is None:
            self._buffer.settle(record.samples, ProduceReason.TOO_LARGE)
            return

        async def send() -> None:
            stored = await link.send(
                self._plan.topic,
                record.value,
                partition=partition,
                timestamp_ms=record.timestamp_ms,
                headers=[("content-type", CONTENT_TYPES[self._plan.form])],
            )
            await stored

        try:
            await self._until_done(send, give_up=True)
        except BrokerResponseError as error:
            log.error("the brokers refuse %d samples: %s", record.samples, error)  # noqa: TRY400  no fault of ours to trace
            self._buffer.settle(record.samples, ProduceReason.REFUSED)
        else:
            self._buffer.settle(record.samples)

    async def _until_done(self, act: Callable[[], Awaitable[T]], *, give_up: bool = False) -> T:
        """Try again until it is done; to `give_up` is to raise a BrokerResponseError that is for good."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                done = await act()
            except (KafkaError, OSError) as error:
                if give_up and isinstance(error, BrokerResponseError) and not error.retriable:
                    raise
                if not self._failing:
                    log.warning("no broker takes samples, trying again: %r", error)
                self._failing = True
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            else:
                if self._failing:
                    log.warning("brokers take samples again")
                self._failing = False
                return done


async def _hang_up(link: Link) -> None:
    with suppress(TimeoutError, KafkaError, OSError):
        await asyncio.wait_for(link.stop(), HANG_UP_SECONDS)
