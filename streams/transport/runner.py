"""The runner: the thin shell that is the same for every stage.

It takes a chunk, asks the partition what of it is new, lets the pure stage apply it, and puts the
outputs into the outbox; between the change of the state and the outbox there is no await, so a
checkpoint never sees half a chunk. Events that do not come from a log (the result of a delivery) enter
by `inject` in the same way.

A record that makes the stage raise is set aside (see `rereading`). It refuses to go on after anything else that is
unexpected: a lost slice, a failed delivery or checkpoint each end the runner, nothing more is saved, and a restart
goes on from the last checkpoint.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

from aiokafka import AIOKafkaProducer
from faust.types import TP

from streams.stage import Knowing, Stage
from streams.state.checkpoint import Checkpointer
from streams.state.partition import GapError, Partition
from streams.state.snapshots import SnapshotStore
from streams.state.standby import Standby
from streams.time.clock import Clock, WallClock
from streams.transport.app import ChunkApp
from streams.transport.broker import Broker
from streams.transport.chunk import Chunk
from streams.transport.fetch import Fetched
from streams.transport.heap import Heap
from streams.transport.inquiry import Inquiries, Inquiring
from streams.transport.options import RunnerOptions
from streams.transport.outbox import Outbox
from streams.transport.rereading import Rereading
from streams.transport.scout import Scout
from streams.transport.stats import RunnerStats
from streams.transport.turns import Turns, let_out
from streams.transport.watchdog import Vitals

log = logging.getLogger(__name__)

SETTLE_SECONDS = 4.0
LONG_RECORDS = 500
"""After a chunk of more records whatever else waits for the event loop has its turn: it took a millisecond or so."""
STOP_SECONDS = 7.0
"""With what the host and its process still have to close, a stop stays under the ten seconds that it is given."""


StageT = TypeVar("StageT", bound=Stage)


class StageRunner(Generic[StageT]):
    """One stage in this process: a consumer group `tocsin-<name>`, its partitions' states, its outputs."""

    def __init__(
        self,
        name: str,
        *,
        broker: Broker,
        input_topics: Sequence[str],
        new_stage: Callable[[str, int], StageT],
        producer: AIOKafkaProducer,
        state_producer: AIOKafkaProducer | None = None,
        options: RunnerOptions | None = None,
        retired: Callable[[StageT], None] = lambda _: None,
        scout: Scout | None = None,
        standby: Standby | None = None,
        clock: Clock | None = None,
    ) -> None:
        options = options or RunnerOptions()
        self.name = name
        self._broker = broker
        self._scout = scout
        self._clock = clock or WallClock()
        self.stats = RunnerStats()
        self.error: BaseException | None = None
        self.failed = asyncio.Event()
        self.outbox = Outbox(
            producer,
            max_records=options.outbox_records,
            max_bytes=options.outbox_bytes,
            outer=broker.outer,
        )
        self.app = ChunkApp(f"{broker.prefix}tocsin-{name}", broker, options)
        state_topic = broker.outer(options.state_topic)
        self._turns = Turns(self._catch_up)
        self._store = SnapshotStore(name, state_topic, broker, state_producer or producer, standby)
        self.checkpointer = Checkpointer(
            lambda topic, partition: new_stage(broker.inner(topic), partition),
            self._store,
            self.outbox,
            lambda: self.app.consumer,
            retired,
            clock,
            self._turns.finish,
        )
        self.app.resume = self._resume
        self.app.settle = self._settle
        self._topics = [broker.outer(topic) for topic in input_topics]
        topics = self.app.chunk_topics(self._topics)
        self.app.agent(topics, name=f"{name}-agent")(self._consume)
        self._inquiries = Inquiries(self.app, options.ask, self._go_on, self._fail)
        self.rereading = Rereading(self.checkpointer, self.app, self.attend)
        self._interval_seconds = options.checkpoint_interval_seconds
        self._heap = Heap()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self._settled_for_good = False

    async def start(self) -> None:
        """Join the group and go on from the last checkpoint; returns when records flow.

        Raises:
            Exception: whatever kept it from starting.

        """
        self.app.finalize()
        self._tasks = [
            asyncio.create_task(self._guarded("outbox", self.outbox.run())),
            asyncio.create_task(self._guarded("checkpoints", self._save_regularly())),
            asyncio.create_task(self._guarded("turns", self._turns.run())),
        ]
        starting = asyncio.create_task(self.app.start())
        failing = asyncio.create_task(self.failed.wait())
        try:
            await asyncio.wait({starting, failing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            failing.cancel()
        if self.error is not None:
            starting.cancel()
            await self.stop()
            raise self.error
        await starting
        self._tasks.append(asyncio.create_task(self._guarded("app", self._until_app_stops())))

    async def stop(self) -> None:
        """Take no more chunks, make a last checkpoint unless something failed, and leave the group."""
        self._stopping = True
        self._inquiries.forget()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self.app.stop()
        except TimeoutError:
            log.warning("stage %s did not stop within %g seconds", self.name, STOP_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def attend(self, what: str, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside the stage until it stops; its death is the stage's."""
        self._tasks.append(asyncio.create_task(self._guarded(what, work)))

    @property
    def member_id(self) -> str:
        """The name by which the group knows this stage, empty while by none; safe to ask from a thread."""
        consumer = self.app._consumer  # noqa: SLF001  the public property would make one
        return "" if consumer is None else str(consumer.member_id)

    def give_up(self, error: Exception) -> None:
        """End as if the stage had failed: nothing more is saved or sent."""
        self._fail(error)

    def inject(self, tp: TP, event: object) -> bool:
        """Let the stage of a partition apply an event; False when the partition is not here."""
        tp = TP(self._broker.outer(tp.topic), tp.partition)
        partition = self.checkpointer.partitions.get(tp)
        if partition is None or self.failed.is_set():
            return False
        try:
            outputs = partition.stage.apply_event(event)
        except Exception as error:
            self._fail(error)
            raise
        self.outbox.put(outputs)
        partition.touched()
        self.stats.events += 1
        self.stats.outputs += len(outputs)
        return True

    @property
    def series(self) -> int:
        """Series that the stage knows, over all its partitions here."""
        stages: list[object] = [p.stage for p in list(self.checkpointer.partitions.values())]
        return sum(stage.series for stage in stages if isinstance(stage, Knowing))

    def vitals(self) -> Vitals:
        """What the watchdog looks at; safe to call from its thread."""
        partitions = list(self.checkpointer.partitions.values())
        return Vitals(
            rebalancing=bool(self.app.rebalancing),
            lag=sum(self._lag(p) for p in partitions),
            applied=self.stats.chunks,
            unsaved=any(p.dirty for p in partitions),
            saves=self.checkpointer.commits,
            undelivered=self.outbox.pending,
            delivered=self.outbox.delivered_count,
            # who waits for an answer from elsewhere does not stand still by a fault of its own
            reachable=not self._inquiries and (self._scout is None or self._scout.reachable),
        )

    def _lag(self, partition: Partition[StageT]) -> int:
        try:
            highwater = self.app.consumer.highwater(partition.tp) or 0
        except (AssertionError, AttributeError, KeyError):  # given up a moment ago
            return 0
        # a fetcher that is silent knows of nothing new
        told = 0 if self._scout is None else self._scout.ends.get(partition.tp, 0)
        return max(highwater - partition.next_offset, told - partition.next_offset, 0)

    async def _consume(self, fetches: Any) -> None:
        async for fetch in fetches:
            self.app.taken.set()
            epoch = self.checkpointer.epoch
            for chunk in fetch:
                # After a rebalance everything from the resumed offset on is fetched again.
                if epoch == self.checkpointer.epoch:
                    await self._take_or_fail(chunk)
                if self.outbox.queued or chunk.next_offset - chunk.fetch_offset > LONG_RECORDS:
                    await let_out()

    async def _take_or_fail(self, chunk: Fetched) -> None:
        try:
            await self._take(chunk)
        except Exception as error:
            # Not raised: a crash inside Faust tears its threads down without closing them, and
            # acknowledges nothing that matters here. After a failure no chunk is taken.
            log.exception("stage %s failed at %r", self.name, chunk)
            self._fail(error)

    async def _take(self, fetched: Fetched) -> None:
        tp = TP(fetched.topic, fetched.partition)
        if not self._inquiries.queued(tp, fetched):
            await self._go_on(tp, fetched)

    async def _go_on(self, tp: TP, fetched: Fetched | Chunk) -> None:
        epoch = self.checkpointer.epoch
        if self.outbox.full:
            await self.outbox.room()
        # After a rebalance everything from the resumed offset on is fetched again.
        if epoch != self.checkpointer.epoch or self._takes_no_more:
            return
        partition = self.checkpointer.partitions.get(tp)
        if partition is None or self.rereading.passes_over(tp, fetched, partition.next_offset):
            return
        if fetched.fetch_offset > partition.next_offset:
            await self._check_log_start(partition, fetched)
            if epoch != self.checkpointer.epoch or self._takes_no_more:
                return
        fresh = partition.admit(fetched.unpack() if isinstance(fetched, Fetched) else fetched)
        if fresh is not None:
            self._apply(partition, fresh)

    @property
    def _takes_no_more(self) -> bool:
        # What came after the last checkpoint would be sent, and sent again after the restart.
        return self.failed.is_set() or self._settled_for_good

    def _apply(self, partition: Partition[StageT], chunk: Chunk) -> None:
        chunk.topic = self._broker.inner(chunk.topic)
        chunk.read_at_ms = self._clock.now_ms()
        if wanted := self._inquiries.wanted(partition.stage, chunk):
            assert isinstance(partition.stage, Inquiring)
            self._inquiries.hold(partition.tp, chunk.topic, chunk, partition.stage, wanted)
            return
        outputs = self.rereading.apply(partition, chunk)
        if outputs is None:
            return
        self.outbox.put(outputs)
        partition.applied(chunk)
        self._turns.arrived(partition)
        self.stats.chunks += 1
        self.stats.records += len(chunk)
        self.stats.outputs += len(outputs)

    def _catch_up(self, partition: Partition[StageT]) -> None:
        if self.failed.is_set() or self.checkpointer.partitions.get(partition.tp) is not partition:
            return
        outputs = self.rereading.catch_up(partition)
        if outputs is not None:
            self.outbox.put(outputs)
            partition.touched()
            self.stats.outputs += len(outputs)

    async def _check_log_start(self, partition: Partition[StageT], chunk: Fetched | Chunk) -> None:
        """A gap is no fault of ours when the log does not have those records any more."""
        start = (await self.app.consumer.log_starts([partition.tp]))[partition.tp]
        if chunk.fetch_offset > start:
            raise GapError(f"{partition.tp}: expected offset {partition.next_offset}, got {chunk}")
        lost = chunk.fetch_offset - partition.next_offset
        log.error("%s: %d records are gone from the log and were never read", partition.tp, lost)
        self.stats.lost_records += lost
        partition.skip_to(chunk.fetch_offset)

    async def _resume(self, mine: set[TP]) -> dict[TP, int]:
        self._inquiries.forget()
        self.rereading.forget()
        try:
            wanted = await self.checkpointer.resume(mine)
            await self._store.follow(self._topics, mine)
        except Exception as error:  # Faust would only log it, and hang
            log.exception("stage %s cannot go on from its last checkpoint", self.name)
            self._fail(error)
            return {}
        return wanted

    async def _settle(self) -> None:
        # Faust asks twice on its way to the end; the time for a last checkpoint is there once.
        if self._settled_for_good:
            return
        self._settled_for_good = self._stopping
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                await self.checkpointer.checkpoint()
        except TimeoutError:
            log.warning("stage %s: the last checkpoint took too long and is left out", self.name)
        except Exception as error:
            log.exception("the last checkpoint of stage %s failed", self.name)
            self._fail(error)

    async def _save_regularly(self) -> None:
        while True:
            await asyncio.sleep(self._interval_seconds)
            await self.checkpointer.checkpoint()
            self._heap.follow(self.series)

    async def _until_app_stops(self) -> None:
        await self.app.wait_until_stopped()
        if self.app.crashed:
            raise self.app.crash_reason or RuntimeError("the Faust app crashed without a reason")

    async def _guarded(self, what: str, work: Coroutine[Any, Any, None]) -> None:
        """Run a task whose death must not go unnoticed."""
        try:
            await work
        except asyncio.CancelledError:
            if not self._stopping:
                self._fail(RuntimeError(f"{what} of stage {self.name} was cancelled"))
            raise
        except Exception as error:
            log.exception("%s of stage %s failed", what, self.name)
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self.checkpointer.close()
        self.error = self.error or error
        self.failed.set()
