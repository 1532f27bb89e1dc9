"""Inquiries: chunks that wait until it is known what their records need, such as the schemas that they name.

A stage has no I/O. Before a chunk is applied it says what it wants to know; where that is not known, the chunk waits,
the fetch of its partition stands still (`ChunkApp.held`), and whatever of it had been fetched already waits behind.
Other partitions go on. Nothing is lost and nothing is given up: a chunk that waits is not applied, so no checkpoint
covers it.

Bounded by what the fetch had queued when it was stopped.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol, runtime_checkable

from faust.types import TP

from schemas.wire.asking import Answers
from streams.transport.app import ChunkApp
from streams.transport.chunk import Chunk
from streams.transport.fetch import Fetched
from streams.transport.options import Ask

log = logging.getLogger(__name__)


@runtime_checkable
class Inquiring(Protocol):
    """A stage that has to know things before it can apply a chunk."""

    def wanted(self, chunk: Chunk) -> set[int]:
        """What it wants to know of."""
        ...

    def learn(self, answers: Answers) -> None:
        """Take in what was found out."""
        ...


class Inquiries:
    """The chunks of one runner that wait."""

    def __init__(
        self,
        app: ChunkApp,
        ask: Ask | None,
        go_on: Callable[[TP, Fetched | Chunk], Awaitable[None]],
        fail: Callable[[BaseException], None],
    ) -> None:
        self._app = app
        self._ask = ask
        self._go_on = go_on
        self._fail = fail
        self._waiting: dict[TP, deque[Fetched | Chunk]] = {}
        self._tasks: dict[TP, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def queued(self, tp: TP, fetched: Fetched) -> bool:
        """Whether chunks of this partition wait; then this one does too."""
        queue = self._waiting.get(tp)
        if queue is None:
            return False
        queue.append(fetched)
        return True

    def wanted(self, stage: object, chunk: Chunk) -> set[int]:
        """What a stage wants to know before it can apply a chunk."""
        return stage.wanted(chunk) if self._ask and isinstance(stage, Inquiring) else set()

    def hold(self, tp: TP, topic: str, chunk: Chunk, stage: Inquiring, wanted: set[int]) -> None:
        """Let a chunk wait, and find out what it needs."""
        queue = self._waiting.get(tp)
        if queue is None:
            self._waiting[tp] = deque([chunk])
        else:
            queue.appendleft(chunk)
        self._app.held = frozenset(self._waiting)
        self._tasks[tp] = asyncio.create_task(self._find_out(tp, topic, stage, wanted))

    def forget(self) -> None:
        """The partitions are dealt anew: what waits will be fetched again."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()
        self._waiting.clear()
        self._app.held = frozenset()

    async def _find_out(self, tp: TP, topic: str, stage: Inquiring, wanted: set[int]) -> None:
        assert self._ask is not None
        try:
            stage.learn(await self._ask(topic, wanted))
            queue = self._waiting[tp]
            while queue:
                first = queue.popleft()
                await self._go_on(tp, first)
                if self._tasks.get(tp) is not asyncio.current_task():
                    return  # it waits again, for something else
            del self._waiting[tp], self._tasks[tp]
            self._app.held = frozenset(self._waiting)
        except Exception as error:
            log.exception("what waited of %s could not go on", tp)
            self._fail(error)
