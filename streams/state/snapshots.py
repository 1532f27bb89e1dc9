"""Where snapshots lie: in parts on a compacted topic that all stages share.

A part's key is `stage/topic/partition/slot/index`, so compaction keeps the last snapshot of each slot
and nothing else. All parts of an input partition lie in one partition of the state topic. A header tells
which write a part belongs to, so that a writer which has lost its partition and does not know it yet
cannot mix its parts into a snapshot.

It refuses to hand out a snapshot that lacks a part or whose checksum differs.
"""

import asyncio
import zlib
from collections.abc import Collection, Iterable
from types import TracebackType
from typing import Any, NamedTuple, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError
from faust.types import TP

from schemas.errors import BrokerError, CheckpointError
from streams.stage import Sealing
from streams.state.packing import compress, decompress
from streams.state.pointer import Pointer
from streams.state.search import Parts, sort_parts
from streams.state.standby import WRITE_HEADER, Standby
from streams.transport.broker import Broker

PART_BYTES = 900_000  # below the broker's default limit of 1 MiB for a message
READ_TIMEOUT_SECONDS = 60.0
POLL_MS = 200


class Stored(NamedTuple):
    """A snapshot as it was read; `written_ms` is the time of its writer's clock."""

    snapshot: bytes
    written_ms: int


class SnapshotStore:
    """Writes and reads snapshots of one stage; the producer must be idempotent with acks=all."""

    def __init__(
        self,
        stage: str,
        topic: str,
        broker: Broker,
        producer: AIOKafkaProducer,
        standby: Standby | None = None,
    ) -> None:
        self._stage = stage
        self._topic = topic
        self._broker = broker
        self._producer = producer
        self._standby = standby

    async def write(self, tp: TP, *, slot: int, offset: int, seal: Sealing) -> Pointer:
        """Store a snapshot and say where; returns when every replica in sync has it.

        Raises:
            KafkaError: a part was not delivered.

        """
        blob = await asyncio.to_thread(lambda: compress(seal()))
        checksum = zlib.crc32(blob)
        partition = await self._home(tp)
        parts = [blob[at : at + PART_BYTES] for at in range(0, len(blob), PART_BYTES)]
        sent: list[asyncio.Future[Any]] = [
            await self._producer.send(
                self._topic,
                part,
                key=_key(self._stage, tp, slot, index),
                partition=partition,
                headers=[(WRITE_HEADER, _write_id(offset, checksum))],
            )
            for index, part in enumerate(parts)
        ]
        stored = await asyncio.gather(*sent)
        first, last = min(at.offset for at in stored), max(at.offset for at in stored)
        return Pointer(offset, partition, first, last, len(parts), slot, checksum)

    async def follow(self, topics: Iterable[str], mine: Collection[TP]) -> None:
        """Have the standby keep what is written of the partitions of these topics that other workers have."""
        if self._standby is None:
            return
        homes: dict[bytes, TopicPartition] = {}
        for topic in topics:
            for number in await self._producer.partitions_for(topic):
                if (tp := TP(topic, number)) not in mine:
                    home = TopicPartition(self._topic, await self._home(tp))
                    homes[_prefix(self._stage, tp)] = home
        self._standby.follow(self._stage, homes)

    async def newest(self, tps: Iterable[TP], reader: "SnapshotReader") -> dict[TP, Pointer]:
        """Where the last whole snapshot of each partition lies, by the topic itself; no entry where there is none.

        Raises:
            BrokerError: the broker does not answer in time.

        """
        homes: dict[int, list[TP]] = {}
        for tp in tps:
            homes.setdefault(await self._home(tp), []).append(tp)
        found: dict[TP, Pointer] = {}
        for partition, mine in homes.items():
            found |= await reader.newest(mine, partition)
        return found

    async def _home(self, tp: TP) -> int:
        partitions = await self._producer.partitions_for(self._topic)
        return zlib.crc32(_prefix(self._stage, tp)) % len(partitions)

    def reader(self) -> "SnapshotReader":
        """A reader for a few snapshots, to be used with `async with`."""
        return SnapshotReader(self._stage, self._topic, self._broker, self._standby)


class SnapshotReader:
    """Reads snapshots: what the standby lacks with a consumer of its own."""

    def __init__(
        self, stage: str, topic: str, broker: Broker, standby: Standby | None = None
    ) -> None:
        self._stage = stage
        self._topic = topic
        self._broker = broker
        self._standby = standby
        self._consumer: Any = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._consumer is not None:
            await self._consumer.stop()

    async def _connect(self) -> Any:
        if self._consumer is None:
            self._consumer = AIOKafkaConsumer(
                **self._broker.client_options(),
                enable_auto_commit=False,
                auto_offset_reset="none",
                max_partition_fetch_bytes=8 * PART_BYTES,
                fetch_max_wait_ms=POLL_MS,
            )
            await self._consumer.start()
        return self._consumer

    async def read(self, tp: TP, pointer: Pointer) -> Stored:
        """The snapshot that the pointer names, and when it was written.

        Raises:
            CheckpointError: parts of it are gone or changed.
            BrokerError: the broker does not answer in time.

        """
        try:
            async with asyncio.timeout(READ_TIMEOUT_SECONDS):
                parts = self._at_hand(tp, pointer) or await self._collect(tp, pointer)
        except OffsetOutOfRangeError as error:
            raise CheckpointError(f"snapshot of {tp} is gone from {self._topic}") from error
        except TimeoutError as error:
            raise BrokerError(
                f"{self._topic} cannot be read within {READ_TIMEOUT_SECONDS:.0f} seconds"
            ) from error
        if len(parts) != pointer.parts:
            raise CheckpointError(
                f"snapshot of {tp} is incomplete: {len(parts)} of {pointer.parts} parts"
            )
        blob = b"".join(parts[index].value or b"" for index in range(pointer.parts))
        if zlib.crc32(blob) != pointer.checksum:
            raise CheckpointError(f"snapshot of {tp} is corrupt: the checksum does not match")
        try:
            snapshot = await asyncio.to_thread(decompress, blob)
        except CheckpointError as error:
            raise CheckpointError(f"snapshot of {tp}: {error}") from error
        return Stored(snapshot, max(part.timestamp for part in parts.values()))

    async def newest(self, tps: Iterable[TP], partition: int) -> dict[TP, Pointer]:
        """Where the last whole snapshots of these lie, which all are on one partition of the topic.

        Raises:
            BrokerError: nothing comes from the broker for a long time.

        """
        source = TopicPartition(self._topic, partition)
        wanted = {_prefix(self._stage, tp): (tp, Parts()) for tp in tps}
        parts = {prefix: found for prefix, (_, found) in wanted.items()}
        consumer = await self._connect()
        consumer.assign([source])
        await consumer.seek_to_beginning(source)
        end = (await consumer.end_offsets([source]))[source]
        while await consumer.position(source) < end:
            try:
                async with asyncio.timeout(READ_TIMEOUT_SECONDS):
                    while not (read := await consumer.getmany(source, timeout_ms=POLL_MS)):
                        pass
            except TimeoutError as error:
                raise BrokerError(
                    f"{self._topic} brings nothing for {READ_TIMEOUT_SECONDS:.0f} seconds"
                ) from error
            sort_parts(read[source], WRITE_HEADER, parts)
        found = {tp: each.newest(partition) for tp, each in wanted.values()}
        return {tp: pointer for tp, pointer in found.items() if pointer is not None}

    def place(self, tp: TP, pointer: Pointer) -> tuple[bytes, bytes, int]:
        """By what the standby knows a snapshot: beginning of its keys, write, number of parts."""
        write = _write_id(pointer.offset, pointer.checksum)
        return _prefix(self._stage, tp), write, pointer.parts

    def _at_hand(self, tp: TP, pointer: Pointer) -> dict[int, Any] | None:
        return None if self._standby is None else self._standby.give(*self.place(tp, pointer))

    async def _collect(self, tp: TP, pointer: Pointer) -> dict[int, Any]:
        consumer = await self._connect()
        source = TopicPartition(self._topic, pointer.partition)
        consumer.assign([source])
        consumer.seek(source, pointer.first)
        wanted = {_key(self._stage, tp, pointer.slot, i): i for i in range(pointer.parts)}
        write = (WRITE_HEADER, _write_id(pointer.offset, pointer.checksum))
        parts: dict[int, Any] = {}
        while len(parts) < pointer.parts and await consumer.position(source) <= pointer.last:
            for records in (await consumer.getmany(source, timeout_ms=POLL_MS)).values():
                for record in records:
                    if (
                        record.offset <= pointer.last
                        and record.key in wanted
                        and write in record.headers
                    ):
                        parts[wanted[record.key]] = record
        return parts


def _prefix(stage: str, tp: TP) -> bytes:
    return f"{stage}/{tp.topic}/{tp.partition}".encode()


def _key(stage: str, tp: TP, slot: int, index: int) -> bytes:
    return _prefix(stage, tp) + f"/{slot}/{index}".encode()


def _write_id(offset: int, checksum: int) -> bytes:
    return f"{offset}:{checksum}".encode()
