"""The host: several stages in one process and one event loop, sharing producers and a watchdog.

Stages start together, run until told to stop or until one of them fails, and stop together within ten
seconds, each with a last checkpoint. A failure of one ends all, because a process that runs half of its
stages is harder to see than one that is gone.

It refuses to restart a stage by itself: a process that failed ends with its error, and its supervisor
starts it again.
"""

import asyncio
import logging
import math
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from faust.types import TP

from schemas.errors import BrokerError
from streams.state.standby import Standby
from streams.time.clock import Clock, WallClock
from streams.transport.admin import list_topics
from streams.transport.broker import Broker
from streams.transport.fence import Fence, FencedError
from streams.transport.options import RunnerOptions
from streams.transport.pauses import Pauses
from streams.transport.runner import StageRunner, StageT
from streams.transport.scout import Scout
from streams.transport.watchdog import StallLimits, Watchdog

log = logging.getLogger(__name__)

PRODUCER_SECONDS = 1.0
"""After the stages have stopped there is nothing of theirs left to send."""
START_SECONDS = 120.0  # a restore may read much, and a dead member holds up its group for a while
BATCH_BYTES = 262_144
REQUEST_BYTES = 8_388_608  # the topic's own limit decides; this one must not be in its way


class Host:
    """Owns the producers; `add` stages, then `async with` or `serve`. `limits` are read at the start."""

    def __init__(
        self, broker: Broker, *, limits: StallLimits | None = None, clock: Clock | None = None
    ) -> None:
        self._broker = broker
        self._clock = clock or WallClock()
        self.limits = limits or StallLimits()
        self._scout = Scout(broker, self._partitions)
        self.standby = Standby(broker)
        self._watchdog: Watchdog | None = None
        self.pauses = Pauses()
        self._pausing: asyncio.Task[None] | None = None
        self._plans: list[Callable[[AIOKafkaProducer, AIOKafkaProducer], StageRunner[Any]]] = []
        self._topics: set[str] = set()
        self._longest_interval_seconds = 0.0
        self._producers: list[AIOKafkaProducer] = []
        self._shortest_session_seconds = math.inf
        self._fence: Fence | None = None
        self._members: dict[str, str] = {}
        self.runners: dict[str, StageRunner[Any]] = {}

    def add(
        self,
        name: str,
        input_topics: Sequence[str],
        new_stage: Callable[[str, int], StageT],
        options: RunnerOptions | None = None,
        retired: Callable[[StageT], None] = lambda _: None,
    ) -> None:
        """Plan a stage; `new_stage(topic, partition)` makes an empty one for an input partition.

        `retired` is told of a stage whose partition has gone to another worker, so that it starts
        nothing more.
        """
        chosen = options or RunnerOptions()
        self._topics |= {self._broker.outer(t) for t in (*input_topics, chosen.state_topic)}
        self._longest_interval_seconds = max(
            self._longest_interval_seconds, chosen.checkpoint_interval_seconds
        )

        self._shortest_session_seconds = min(
            self._shortest_session_seconds, chosen.session_timeout_seconds
        )

        def build(outputs: AIOKafkaProducer, state: AIOKafkaProducer) -> StageRunner[StageT]:
            return StageRunner(
                name,
                broker=self._broker,
                input_topics=input_topics,
                new_stage=new_stage,
                producer=outputs,
                state_producer=state,
                options=chosen,
                retired=retired,
                scout=self._scout,
                standby=self.standby,
                clock=self._clock,
            )

        self._plans.append(build)

    async def __aenter__(self) -> Self:
        await self._check_topics()
        # the session began with the last heartbeat, some time before the process was stopped
        limit_seconds = self._shortest_session_seconds / 2
        self._fence = Fence(limit_seconds, self._note_members, self._still_members, self._give_up)
        # Two producers, so that an alert never waits behind a snapshot of some megabytes.
        self._producers = [self._new_producer(self._fence), self._new_producer(self._fence)]
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def _check_topics(self) -> None:
        """Faust would wait for a missing topic for ever."""
        missing = self._topics - (await list_topics(self._broker)).keys()
        if missing:
            raise BrokerError(f"no such topics: {', '.join(sorted(missing))}")

    async def _start(self) -> None:
        assert self._fence is not None
        for producer in self._producers:
            await producer.start()
        await self._scout.start()
        runners = [plan(self._producers[0], self._producers[1]) for plan in self._plans]
        self.runners = {runner.name: runner for runner in runners}
        self._fence.start()
        for runner in runners:
            runner.app.pauses = self.pauses
        saving = max(self.limits.saving_seconds, 3 * self._longest_interval_seconds)
        # before the stages: one may hang with its first record, while another one starts
        self._watchdog = Watchdog(limits=replace(self.limits, saving_seconds=saving))
        self._watchdog.start()
        try:
            async with asyncio.timeout(START_SECONDS):
                await asyncio.gather(*(runner.start() for runner in runners))
        except TimeoutError as error:
            raise BrokerError(f"the stages could not start in {START_SECONDS:g} seconds") from error
        self._watchdog.watch({runner.name: runner.vitals for runner in runners})
        self._pausing = asyncio.create_task(self.pauses.watch())

    def _partitions(self) -> list[TP]:
        return [tp for r in self.runners.values() for tp in r.checkpointer.partitions]

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stop()

    async def wait(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set.

        Raises:
            Exception: what made a stage fail.

        """
        runners = list(self.runners.values())
        events = [stop, *(runner.failed for runner in runners)]
        waits = [asyncio.create_task(event.wait()) for event in events]
        looking = [] if self._scout.task is None else [self._scout.task]
        try:
            await asyncio.wait([*waits, *looking], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
        for look in looking:
            if look.done():
                look.result()
        for runner in runners:
            if runner.error is not None:
                raise runner.error

    async def serve(self) -> None:
        """Start, run until SIGINT or SIGTERM, stop.

        Raises:
            Exception: what made a stage fail.

        """
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        try:
            async with self:
                await self.wait(stop)
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _new_producer(self, fence: Fence) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self._broker.client_options(),
            acks="all",
            enable_idempotence=True,
            max_batch_size=BATCH_BYTES,
            max_request_size=REQUEST_BYTES,
        )
        send = producer.client.send

        async def send_behind_fence(*words: Any, **options: Any) -> Any:
            await fence.passed()
            return await send(*words, **options)

        # the last place before the socket: what waits in the producer must not pass either
        producer.client.send = send_behind_fence
        return producer

    def _note_members(self) -> None:
        self._members = {name: runner.member_id for name, runner in list(self.runners.items())}

    async def _still_members(self) -> bool:
        for name, member_id in self._members.items():
            # who has not been told its name yet cannot say that it is who it was
            if not member_id or not await self.runners[name].app.consumer.still_member(member_id):
                log.error("stage %s: the group does not know this worker any more", name)
                return False
        return True

    def _give_up(self, error: FencedError) -> None:
        for runner in self.runners.values():
            runner.give_up(error)

    async def _stop(self) -> None:
        if self._watchdog is not None:
            self._watchdog.stop()
        if self._pausing is not None:
            self._pausing.cancel()
        await asyncio.gather(*(runner.stop() for runner in self.runners.values()))
        await asyncio.gather(self._scout.stop(), self.standby.stop())
        try:
            async with asyncio.timeout(PRODUCER_SECONDS):
                await asyncio.gather(*(producer.stop() for producer in self._producers))
        except TimeoutError:
            log.warning("some outputs were not accepted; they are sent again after the restart")
            await asyncio.gather(*(producer.client.close() for producer in self._producers))
        if self._fence is not None:
            self._fence.stop()
