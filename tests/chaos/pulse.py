"""The pulse of a run: how far each stage has committed, and how long one stood still with work before it."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas import topics
from schemas.topics import PARTITIONS

LOOK_SECONDS = 1.0
ANSWER_MS = 20_000
"""A busy machine may need some of it; who asks a coordinator that has gone is not answered at all."""
INPUTS = {
    "detect": topics.SAMPLES,
    "merge": topics.PARTIALS,
    "correlate": topics.ALERTS,
    "notify": topics.INCIDENTS,
}


class Pulse:
    """Watches the groups of one installation.

    Attributes:
        longest: by stage, the longest time in seconds in which there was something to read, nothing was done to the
            system, and nothing was committed.
        stalls: how often that was longer than the limit.
        behind: by stage, records that are not committed yet.

    """

    def __init__(self, bootstrap: str, prefix: str, limit_seconds: float) -> None:
        self._bootstrap = bootstrap
        self._groups = {
            f"{prefix}tocsin-{stage}": [
                TopicPartition(prefix + topic, p) for p in range(PARTITIONS)
            ]
            for stage, topic in {"ingest": topics.TELEMETRY, **INPUTS}.items()
        }
        self._limit_seconds = limit_seconds
        self._waiting: set[str] = set()
        self._stalled: set[str] = set()
        self._uneven: set[str] = set()
        self._moving = asyncio.Event()
        self._level = asyncio.Event()
        self._left = False
        self._clients: dict[str, Consumer] = {}
        self._since: dict[str, tuple[int, float]] = {}
        self.longest: dict[str, float] = {}
        self.stalls = 0
        self.behind: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._left = True  # not cancelled: a thread may be asking, and its client must outlive that
        await self._watching

    def excuse(self) -> None:
        """Something has just been done to the system: whatever stands still does so from now on."""
        now = asyncio.get_running_loop().time()
        self._since = {group: (done, now) for group, (done, _) in self._since.items()}

    async def moving(self) -> None:
        """Wait until every stage has committed something more or has nothing to read, but no longer than the limit."""
        self._moving.clear()
        self._waiting = set(self._groups)
        with suppress(TimeoutError):  # a stage that stands still for so long is counted
            async with asyncio.timeout(self._limit_seconds):
                await self._moving.wait()

    async def level(self) -> None:
        """Wait until every stage has been seen with nothing left to read, but no longer than the limit."""
        self._level.clear()
        self._uneven = set(self._groups)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limit_seconds):
                await self._level.wait()

    async def _watch(self) -> None:
        while not self._left:
            await asyncio.gather(*(self._look(*each) for each in self._groups.items()))
            await asyncio.sleep(LOOK_SECONDS)
        for client in self._clients.values():
            client.close()

    async def _look(self, group: str, places: list[TopicPartition]) -> None:
        with suppress(KafkaException):  # no broker that knows it answers for now
            self._note(group, *await asyncio.to_thread(self._positions, group, places))

    def _positions(self, group: str, places: list[TopicPartition]) -> tuple[int, int]:
        """Records committed, and records there are, over all partitions.

        Raises:
            KafkaException: some broker does not answer.

        """
        if group not in self._clients:
            self._clients[group] = self._client(group)
        client = self._clients[group]
        seconds = ANSWER_MS / 1_000
        try:
            committed = client.committed(places, timeout=seconds)
            ends = [client.get_watermark_offsets(place, timeout=seconds)[1] for place in places]
        except KafkaException:
            # one whose coordinator has gone may ask the old one for ever
            self._clients.pop(group).close()
            raise
        return sum(max(each.offset, 0) for each in committed), sum(ends)

    def _client(self, group: str) -> Consumer:
        """One that asks in the name of a group without being its member."""
        return Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": group,
                "enable.auto.commit": False,
                "socket.timeout.ms": ANSWER_MS,
                "log_level": 0,
            }
        )

    def _note(self, group: str, done: int, end: int) -> None:
        now = asyncio.get_running_loop().time()
        stage = group.rpartition("-")[2]
        self.behind[stage] = end - done
        if end <= done:
            self._uneven.discard(group)
            if not self._uneven:
                self._level.set()
        before, since = self._since.get(group, (-1, now))
        if done != before or end <= done:
            self._since[group] = (done, now)
            self._stalled.discard(group)
            self._waiting.discard(group)
            if not self._waiting:
                self._moving.set()
            return
        stood = now - since
        if stood > self._limit_seconds and group not in self._stalled:
            self._stalled.add(group)
            self.stalls += 1
        self.longest[stage] = max(stood, self.longest.get(stage, 0.0))
