"""The consumer of chunks: Faust's aiokafka driver with another unit of flow and its own way to commit.

Three things differ from the stock driver. It hands on whole fetches, a chunk a partition (see `fetch`), each as one
message: Faust takes some 90 microseconds for a message, and a quiet topic has few records a chunk. It commits only
what a checkpoint tells it to, together with a line of metadata, so Faust's own acknowledgements are off. After each
rebalance, with the flow stopped, it asks the app from which offset on each partition is to be read.

It refuses topics that are not chunk topics: one app carries chunks or records, not both.
"""

# ruff: noqa: SLF001 - aiokafka has no public way to whole batches, nor to metadata of many partitions

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import CommitFailedError, ConsumerStoppedError, IllegalStateError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams.transport.fetch import Fetched, drain
from streams.transport.pieces import install

Committed = tuple[int, str]
"""A committed offset and the metadata beside it."""


GATHER_BYTES = 65_536
"""While records flow, the broker answers a fetch with this much, or after `gather_ms` with what there is."""
QUIET_GATHERS = 4
ASK_AGAIN_SECONDS = 0.2
ANSWER_SECONDS = 2.0


class ChunkConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]  # Faust is untyped to mypy
    """aiokafka's consumer in a thread of its own, handing out chunks."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        install()
        consumer = super()._create_worker_consumer(transport)
        # The stock driver writes 1500 ms into its code: a partition that was left out of one fetch
        # then waits that long for the next. The fetcher is built in start(), so this is in time.
        consumer._fetch_max_wait_ms = self.app.options.fetch_max_wait_ms
        # The sticky assignor leaves partitions where their state is warm. It keeps its memory on the
        # class, so that two members in one process would take each other's; hence a class for each.
        self.assignor = type("MemberAssignor", (StickyPartitionAssignor,), {})
        consumer._partition_assignment_strategy = (self.assignor,)
        return consumer

    async def on_thread_stop(self) -> None:
        """Leave the group, also under a name of one's own, with which aiokafka would be waited for."""
        if self._consumer is not None:
            self._consumer._coordinator._group_instance_id = None
        await super().on_thread_stop()

    async def commit_positions(self, positions: Mapping[TP, Committed], generation: int) -> bool:
        """Commit offsets with metadata; see `ChunkConsumer.commit_positions`."""
        return bool(await self.call_thread(self._commit_positions, positions, generation))

    async def _commit_positions(self, positions: Mapping[TP, Committed], generation: int) -> bool:
        consumer = self._ensure_consumer()
        current = consumer._coordinator.generation
        if current != generation or not self.assignment().issuperset(positions):
            return False
        batch = {
            TopicPartition(tp.topic, tp.partition): OffsetAndMetadata(offset, metadata)
            for tp, (offset, metadata) in positions.items()
        }
        try:
            await consumer.commit(batch)
        except (CommitFailedError, IllegalStateError) as error:
            self.log.warning("commit refused, the group has moved on: %s", error)
            return False
        return True

    @property
    def member_id(self) -> str:
        """The name that the group has given this member; empty while it is none."""
        consumer = self._consumer
        coordinator = None if consumer is None else consumer._coordinator
        return "" if coordinator is None else str(coordinator.member_id)

    async def ask_member(self, member_id: str) -> bool | None:
        """Whether the group still has this member, by its own word; None while it cannot be asked."""
        known: bool | None = await self.call_thread(self._ask_member, member_id)
        return known

    async def _ask_member(self, member_id: str) -> bool | None:
        if self.member_id != member_id:
            return False
        # whom the group does not know any more learns it by the answer, and gives up its name
        try:
            # a heartbeat to a coordinator that is found dead meanwhile never ends
            async with asyncio.timeout(ANSWER_SECONDS):
                heard = await self._ensure_consumer()._coordinator._do_heartbeat()
        except TimeoutError:
            heard = False
        if self.member_id != member_id:
            return False
        return True if heard else None

    async def committed_positions(self, partitions: Iterable[TP]) -> dict[TP, Committed]:
        """What the group has committed, from the coordinator itself; no entry where it has nothing."""
        raw = await self.call_thread(
            self._ensure_consumer()._coordinator.fetch_committed_offsets,
            [TopicPartition(tp.topic, tp.partition) for tp in partitions],
        )
        return {
            TP(tp.topic, tp.partition): (found.offset, found.metadata or "")
            for tp, found in raw.items()
            if found.offset >= 0
        }

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: set[TP] | None,
        timeout: float | None = None,  # noqa: ASYNC109 - the driver's signature
        max_records: int | None = None,  # noqa: ARG002 - a chunk is what one fetch brought
    ) -> dict[Any, list[Fetched]]:
        if not self.consumer.flow_active:
            return {}
        fetcher = consumer._fetcher
        if consumer._closed or fetcher._closed:
            raise ConsumerStoppedError
        subscriptions = fetcher._subscriptions
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (timeout or 0)
        with subscriptions.fetch_context():
            while True:
                if subscriptions.reassignment_in_progress:
                    await subscriptions.wait_for_assignment()
                chunks = drain(
                    fetcher,
                    active_partitions,
                    want_keys=self.app.options.chunk_keys,
                    want_headers=self.app.options.chunk_headers,
                    held=self.app.held,
                )
                left = deadline - loop.time()
                if chunks:
                    fetcher._fetch_min_bytes = GATHER_BYTES
                    fetcher._fetch_max_wait_ms = self.app.gather_ms
                if chunks or left <= 0:
                    return chunks
                waiter = fetcher._create_fetch_waiter()
                quiet = min(left, QUIET_GATHERS * self.app.gather_ms / 1000)
                done, _ = await asyncio.wait([waiter], timeout=quiet)
                if not done:
                    # the first record after a silence is not made to wait for company
                    fetcher._fetch_min_bytes = 1
                    fetcher._fetch_max_wait_ms = self.app.options.fetch_max_wait_ms
                    done, _ = await asyncio.wait([waiter], timeout=max(left - quiet, 0))
                if not done:
                    waiter.cancel()
                    return {}
                if fetcher._closed:
                    return {}
                waiter.result()  # raises what the coordinator ran into


class ChunkConsumer(driver.Consumer):  # type: ignore[misc]  # Faust is untyped to mypy
    """Faust's consumer, for chunks; positions come from and go to the app's checkpoints."""

    _fetches = 0

    def _new_consumer_thread(self) -> ChunkConsumerThread:
        return ChunkConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def _to_message(self, tp: Any, record: list[Fetched]) -> ConsumerMessage:
        self._fetches += 1
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            self._fetches,  # for Faust to see that none comes twice; the chunks' offsets are the partitions' to check
            0.0,
            0,
            None,
            None,
            record,
            None,
            0,
            0,
            TP(tp.topic, tp.partition),
            generation_id=self.app.consumer_generation_id,
        )

    async def _drain_messages(self, fetcher: Any) -> None:
        """Hand on what is fetched: Faust's own makes five tasks a message, to stop one that waits for a full queue."""
        try:
            while not (self.should_stop or fetcher.should_stop):
                async for _, message in self.getmany(timeout=1.0):
                    await self.callback(message)
                await asyncio.sleep(0)
        except (*self.consumer_stopped_errors, asyncio.CancelledError):
            if not self.transport.app.should_stop:
                raise

    async def _getmany(
        self,
        active_partitions: set[TP] | None,
        timeout: float,  # noqa: ASYNC109 - the driver's signature
    ) -> dict[Any, list[list[Fetched]]]:
        """Fetch only for a stage that has room, so that a slow one slows the fetch and memory stays flat.

        All partitions' chunks go together, in the name of the first.
        """
        if not await self.app.room(timeout):
            return {}
        found = await super()._getmany(active_partitions, timeout)
        chunks = [chunk for each in found.values() for chunk in each]
        return {next(iter(found)): [chunks]} if chunks else {}

    @property
    def generation(self) -> int:
        """The group generation of which this member was told last."""
        return int(self.app.consumer_generation_id)

    @property
    def member_id(self) -> str:
        """The name that the group has given this member; empty while it is none."""
        return str(self._thread.member_id)

    async def still_member(self, member_id: str) -> bool:
        """Whether the group still has this member; waits while the coordinator does not answer."""
        asking: asyncio.Task[bool | None] | None = None
        try:
            # the thread may be in a rebalance that waits for this very answer: its name tells as well
            while self.member_id == member_id:
                asking = asking or asyncio.create_task(self._thread.ask_member(member_id))
                await asyncio.wait({asking}, timeout=ASK_AGAIN_SECONDS)
                if asking.done():
                    if (known := asking.result()) is not None:
                        return known
                    asking = None
                    await asyncio.sleep(ASK_AGAIN_SECONDS)
        finally:
            if asking is not None:
                asking.cancel()
        return False

    async def commit_positions(self, positions: Mapping[TP, Committed], generation: int) -> bool:
        """Commit offsets with metadata as a member of `generation`; False when the group has moved on.

        Raises:
            KafkaError: the coordinator refused for another reason.

        """
        return bool(await self._thread.commit_positions(positions, generation))

    async def committed_positions(self, partitions: Iterable[TP]) -> dict[TP, Committed]:
        """Offsets and metadata that the group has committed; no entry where it has nothing."""
        return dict(await self._thread.committed_positions(partitions))

    async def log_starts(self, partitions: Iterable[TP]) -> dict[TP, int]:
        """The oldest offset that each partition still has."""
        asked = [TopicPartition(tp.topic, tp.partition) for tp in partitions]
        found = await self._thread.earliest_offsets(*asked)
        return {TP(tp.topic, tp.partition): at for tp, at in found.items()}

    async def log_ends(self, partitions: Iterable[TP]) -> dict[TP, int]:
        """The offset after the newest that each partition has, as the broker says now."""
        asked = [TopicPartition(tp.topic, tp.partition) for tp in partitions]
        found = await self._thread.highwaters(*asked)
        return {TP(tp.topic, tp.partition): at for tp, at in found.items()}

    async def verify_all_partitions_active(self) -> None:
        """Nothing: Faust's own detector fails on a partition without a position, and the watchdog does its work."""

    async def wait_empty(self) -> None:
        """Before partitions are given up: a last checkpoint. Between awaits no chunk is half applied."""
        await self.app.settle()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Tell the assignor its generation, which aiokafka omits, and let go of states that went away."""
        self._thread.assignor.on_generation_assignment(generation_id)
        # Where nothing is left to read, Faust does not seek, and the states would stay for ever.
        if not assigned:
            await self.app.resume(set())
        await super().on_partitions_assigned(assigned, generation_id)

    async def perform_seek(self) -> None:
        """After each rebalance, flow stopped: restore states and go to the offsets that they ask for."""
        mine = {TP(tp.topic, tp.partition) for tp in self.assignment()}
        wanted = {tp: at for tp, at in (await self.app.resume(mine)).items() if tp in mine}
        if not wanted:
            return
        await self.seek_wait(
            {TopicPartition(tp.topic, tp.partition): at for tp, at in wanted.items()}
        )
        for tp in wanted:
            # To Faust None admits everything: its own offsets count fetches.
            self._read_offset[tp] = None
