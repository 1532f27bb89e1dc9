"""The standby: the newest snapshots of partitions that other workers have, as they lie on the state topic, in memory.

It follows the state topic where snapshots of those partitions lie, so that who takes one over restores it without
reading; a worker that has all partitions follows nothing. Kept are the last two writes of each partition, for the last
one may not have been committed, and `MOST_BYTES` in all: beyond that those that were not written for longest go.

It refuses to be relied on: what it lacks is read from the topic, and what it has is checked like what is read.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.transport.broker import Broker

log = logging.getLogger(__name__)

WRITE_HEADER = "tocsin-write"
"""Of a part: which write it belongs to."""
MOST_BYTES = 134_217_728
WRITES = 2
POLL_MS = 200
FAREWELL_SECONDS = 0.5
PAUSE_SECONDS = 1.0
"""After an answer of the broker that was none."""


class Held:
    """Parts of snapshots, as records of the state topic.

    Attributes:
        writes: by the beginning of their keys, then by write, then by number; who was written longest ago first.
        size_bytes: of all of them.

    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self.writes: dict[bytes, dict[bytes, dict[int, Any]]] = {}
        self.size_bytes = 0

    def put(self, prefix: bytes, write: bytes, index: int, record: Any) -> None:
        """Take in a part."""
        # whoever was written last stands last
        writes = self.writes[prefix] = self.writes.pop(prefix, {})
        self._drop(writes.setdefault(write, {}).pop(index, None))
        writes[write][index] = record
        self.size_bytes += _size(record)
        while len(writes) > WRITES:
            self._drop(*writes.pop(next(iter(writes))).values())
        while self.size_bytes > self._most_bytes:
            self.forget(next(iter(self.writes)))

    def get(self, prefix: bytes, write: bytes, count: int) -> dict[int, Any] | None:
        """All parts of a write by number; None where one is missing."""
        parts = self.writes.get(prefix, {}).get(write, {})
        return dict(parts) if parts.keys() >= set(range(count)) else None

    def forget(self, prefix: bytes) -> None:
        """Let go of all writes of a partition."""
        for parts in self.writes.pop(prefix, {}).values():
            self._drop(*parts.values())

    def _drop(self, *records: Any) -> None:
        self.size_bytes -= sum(_size(record) for record in records if record is not None)


class Standby:
    """Follows the state topic for all stages of a process.

    Attributes:
        held: what it has.
        given: how many snapshots were restored from it.

    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._followed: dict[str, Mapping[bytes, TopicPartition]] = {}
        self.held = Held()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.given = 0

    def follow(self, stage: str, homes: Mapping[bytes, TopicPartition]) -> None:
        """From now on keep what is written of these partitions of a stage, by the beginnings of their keys."""
        for prefix in self._followed.get(stage, {}).keys() - homes.keys():
            self.held.forget(prefix)
        self._followed[stage] = dict(homes)
        if self._task is None and homes:
            self._task = asyncio.create_task(self._run())

    def give(self, prefix: bytes, write: bytes, count: int) -> dict[int, Any] | None:
        """The parts of a snapshot for who takes it over, None where they are not all here."""
        found = self.held.get(prefix, write, count)
        self.given += found is not None
        return found

    def take(self, records: Iterable[Any]) -> None:
        """Take in what of these records of the state topic is followed."""
        for record in records:
            prefix, _, index = (record.key or b"").rsplit(b"/", 2)
            write = dict(record.headers).get(WRITE_HEADER)
            if write is not None and any(prefix in each for each in self._followed.values()):
                self.held.put(prefix, write, int(index), record)

    async def stop(self) -> None:
        """Follow no longer."""
        self._stopping.set()
        if self._task is not None:
            # a connection that is cancelled while it is made stays open
            await asyncio.wait({self._task}, timeout=FAREWELL_SECONDS)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            consumer = AIOKafkaConsumer(
                **self._broker.client_options(),
                enable_auto_commit=False,
                auto_offset_reset="latest",
            )
            try:
                await consumer.start()
                await self._read(consumer)
            except KafkaError as error:
                log.warning("snapshots of other workers are not followed for now: %r", error)
                await asyncio.sleep(PAUSE_SECONDS)
            finally:
                await consumer.stop()

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        homes: set[TopicPartition] = set()
        while not self._stopping.is_set():
            wanted = {home for each in self._followed.values() for home in each.values()}
            if wanted and wanted != homes:
                homes = wanted
                consumer.assign(sorted(homes))
            if not wanted:
                await asyncio.sleep(POLL_MS / 1000)
                continue
            for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                self.take(records)


def _size(record: Any) -> int:
    return len(record.value or b"")
