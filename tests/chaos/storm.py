"""The storm: does to a cluster, a network, a fleet and a receiver what was drawn, and heals everything at the end.

Faults of brokers wait for each other, as do those of the line: with two of three brokers gone nothing could go on.
Faults of workers wait for nobody.
"""

import asyncio
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.kafka.cluster import Node
from schemas.topics import PARTITIONS
from tests.chaos.faults import BURST, Fault, Kind
from tests.chaos.fleet import Fleet, Worker
from tests.chaos.pager import Pager
from tests.chaos.proxy import Proxy
from tests.chaos.pulse import Pulse
from tests.chaos.scene import Cluster

T = TypeVar("T")

SESSION_SECONDS = 6.0
PART_SECONDS = 5.0
"""So long is a checkpoint waited for that a worker is to be killed in."""
LONGEST_JUMP_MS = 7_200_000
REST = 0.5


class Storm:
    """Carries faults out; `done` counts them by kind."""

    def __init__(
        self,
        cluster: Cluster,
        fleet: Fleet,
        pager: Pager,
        pulse: Pulse,
        state_topic: str,
    ) -> None:
        self.nodes, self.proxies, self.disk = cluster.nodes, cluster.proxies, cluster.disk
        self.fleet, self.pager = fleet, pager
        self.done: Counter[str] = Counter()
        self.begun = 0
        self._pulse = pulse
        self._state_topic = state_topic
        self._brokers = asyncio.Lock()
        self._lines = asyncio.Lock()
        self._part = asyncio.Event()

    async def run(self, faults: Sequence[Fault], told: Callable[[Fault], None]) -> None:
        """Burst by burst, each fault after its gap; returns when all are over and healed."""
        watching = asyncio.create_task(self._watch_parts())
        try:
            for at in range(0, len(faults), BURST):
                async with asyncio.TaskGroup() as under_way:
                    for fault in faults[at : at + BURST]:
                        await asyncio.sleep(fault.gap_seconds)
                        self.begun += 1
                        under_way.create_task(self._inflict(fault, told))
                await self._pulse.moving()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await self.heal()

    async def heal(self) -> None:
        """Everything as it should be."""
        self.pager.is_failing = False
        for proxy in self.proxies:
            proxy.heal()
        for worker in self.fleet.workers:
            worker.set_clock(0)
            worker.send(signal.SIGCONT)
        if self.disk is not None:
            self.disk.thaw()
            self.disk.clear()
        for node in self.nodes:
            node.send(signal.SIGCONT)
            await self._bring_back(node)

    async def _inflict(self, fault: Fault, told: Callable[[Fault], None]) -> None:
        self._pulse.excuse()
        await self._acts[fault.kind](self, fault)
        self._pulse.excuse()
        self.done[fault.kind.value] += 1
        told(fault)

    def _worker(self, fault: Fault) -> Worker:
        """Whom it meets: one of those that run, where there is one."""
        there = [w for w in self.fleet.workers if w.running and not w.is_frozen]
        return _pick(there or self.fleet.workers, fault.pick)

    async def _kill_one(self, fault: Fault) -> None:
        self._worker(fault).send(signal.SIGKILL)

    async def _kill_in_rebalance(self, fault: Fault) -> None:
        """One leaves of its own will, which begins a rebalance at once; in it another is killed."""
        leaver = self._worker(fault)
        others = [w for w in self.fleet.workers if w is not leaver and w.running]
        leaver.send(signal.SIGTERM)
        await asyncio.sleep(1.5 * fault.span)
        for victim in others[:1]:
            victim.send(signal.SIGKILL)

    async def _kill_in_checkpoint(self, fault: Fault) -> None:
        """A part of a snapshot has just been written; its commit is yet to come."""
        self._part.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._part.wait(), PART_SECONDS)
        await asyncio.sleep(fault.span / 50)
        self._worker(fault).send(signal.SIGKILL)

    async def _kill_at_start(self, fault: Fault) -> None:
        victim = self._worker(fault)
        again = asyncio.create_task(victim.started_again())
        await asyncio.sleep(0)
        victim.send(signal.SIGKILL)
        await again
        # until it runs, or for part of the time that this takes on a quiet machine
        for _ in range(int(1 + 60 * fault.span)):
            if victim.serving or not victim.running:
                break
            await asyncio.sleep(0.1)
        victim.send(signal.SIGKILL)

    async def _kill_all(self, _: Fault) -> None:
        for worker in self.fleet.workers:
            worker.send(signal.SIGKILL)

    async def _freeze_worker(self, fault: Fault) -> None:
        victim = self._worker(fault)
        victim.send(signal.SIGSTOP)
        await asyncio.sleep(SESSION_SECONDS + 1 + 4 * fault.span)
        victim.send(signal.SIGCONT)

    async def _jump_clock(self, fault: Fault) -> None:
        victim = self._worker(fault)
        victim.set_clock(int((2 * fault.span - 1) * LONGEST_JUMP_MS))
        await asyncio.sleep(4 + 4 * fault.pick)
        victim.set_clock(0)

    async def _fail_receiver(self, fault: Fault) -> None:
        self.pager.is_failing = True
        await asyncio.sleep(1 + 4 * fault.span)
        self.pager.is_failing = False

    async def _restart_broker(self, fault: Fault) -> None:
        node = _pick(self.nodes, fault.pick)
        async with self._brokers:
            await asyncio.to_thread(node.stop)
            await self._bring_back(node)

    async def _kill_broker(self, fault: Fault) -> None:
        node = _pick(self.nodes, fault.pick)
        async with self._brokers:
            node.kill()
            await asyncio.sleep(fault.span)
            await self._bring_back(node)

    async def _take_broker_away(self, fault: Fault) -> None:
        node = _pick(self.nodes, fault.pick)
        async with self._brokers:
            node.kill()
            await asyncio.sleep(8 + 8 * fault.span)
            await self._bring_back(node)

    async def _freeze_broker(self, fault: Fault) -> None:
        node = _pick(self.nodes, fault.pick)
        async with self._brokers:
            node.send(signal.SIGSTOP)
            await asyncio.sleep(3 + 6 * fault.span)
            node.send(signal.SIGCONT)
            await asyncio.to_thread(node.await_answer)

    async def _fill_disk(self, fault: Fault) -> None:
        """The broker on it ends, as Kafka does where it cannot write; with room again it is started again."""
        assert self.disk is not None
        async with self._brokers:
            await asyncio.to_thread(self.disk.fill)
            await asyncio.sleep(4 + 6 * fault.span)
            self.disk.clear()
            await self._bring_back(self.nodes[0])

    async def _hang_disk(self, fault: Fault) -> None:
        assert self.disk is not None
        async with self._brokers:
            for _ in range(3):
                self.disk.freeze()
                await asyncio.sleep(0.5 + 1.5 * fault.span)
                self.disk.thaw()
                await asyncio.sleep(REST)
            await self._bring_back(self.nodes[0])

    async def _cut_line(self, fault: Fault) -> None:
        async with self._lines:
            for proxy in self._some_lines(fault):
                await proxy.cut()
            await asyncio.sleep(0.5 + 6 * fault.span)
            self._heal_lines()

    async def _slow_line(self, fault: Fault) -> None:
        async with self._lines:
            for proxy in self._some_lines(fault):
                proxy.delay_seconds = 0.02 + 0.2 * fault.span
            await asyncio.sleep(6)
            self._heal_lines()

    async def _silence_line(self, fault: Fault) -> None:
        async with self._lines:
            for proxy in self._some_lines(fault):
                proxy.is_silent = True
            await asyncio.sleep(2 + 8 * fault.span)
            self._heal_lines()

    def _some_lines(self, fault: Fault) -> Sequence[Proxy]:
        """To all brokers, or to one."""
        if fault.pick < 0.5:
            return self.proxies
        return [_pick(self.proxies, 2 * fault.pick - 1)]

    def _heal_lines(self) -> None:
        for proxy in self.proxies:
            proxy.heal()

    async def _bring_back(self, node: Node) -> None:
        if not node.answers:
            node.start()
            await asyncio.to_thread(node.await_answer, len(self.nodes))

    async def _watch_parts(self) -> None:
        """Notice whatever is written to the state topic."""
        ports = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        consumer = AIOKafkaConsumer(bootstrap_servers=ports, fetch_max_wait_ms=20)
        await consumer.start()
        try:
            consumer.assign([TopicPartition(self._state_topic, p) for p in range(PARTITIONS)])
            await consumer.seek_to_end()
            while True:
                if await consumer.getmany(timeout_ms=100):
                    self._part.set()
        finally:
            await consumer.stop()

    _acts: dict[Kind, Callable[["Storm", Fault], Awaitable[None]]] = {
        Kind.WORKER_KILLED: _kill_one,
        Kind.KILLED_IN_REBALANCE: _kill_in_rebalance,
        Kind.KILLED_IN_CHECKPOINT: _kill_in_checkpoint,
        Kind.KILLED_AT_START: _kill_at_start,
        Kind.ALL_KILLED: _kill_all,
        Kind.WORKER_FROZEN: _freeze_worker,
        Kind.CLOCK_JUMPED: _jump_clock,
        Kind.RECEIVER_FAILING: _fail_receiver,
        Kind.BROKER_RESTARTED: _restart_broker,
        Kind.BROKER_KILLED: _kill_broker,
        Kind.BROKER_GONE: _take_broker_away,
        Kind.BROKER_FROZEN: _freeze_broker,
        Kind.DISK_FULL: _fill_disk,
        Kind.DISK_SLOW: _hang_disk,
        Kind.LINE_CUT: _cut_line,
        Kind.LINE_SLOW: _slow_line,
        Kind.LINE_SILENT: _silence_line,
    }


def _pick(these: Sequence[T], share: float) -> T:
    return these[min(int(share * len(these)), len(these) - 1)]
