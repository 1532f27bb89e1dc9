"""Turns: what comes in has its turn before what time asks for, so that no alert waits for the ticks of all partitions.

Samples that are judged on arrival take a fraction of a millisecond, a tick over all series of a partition many, and
ticks of all partitions are due at once. So a stage that can (`Deferring`) only takes in a chunk; what time asks for
follows a partition at a time, and before each of them alerts go out and what has been fetched meanwhile comes in. How
chunks are cut changes nothing for a stage, and this is no more than that. Nor does an alert wait for the next chunk.

Bounded: a partition waits for no more than `CHUNKS_MAX` chunks of its own.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from faust.types import TP

from streams.stage import Deferring
from streams.state.partition import Partition

CHUNKS_MAX = 8
SENDING_TURNS = 8
"""Turns of the event loop that a producer takes until what it was given is on its way."""


async def let_out() -> None:
    """Let the producer send what it was given, before the event loop is held up again."""
    for _ in range(SENDING_TURNS):
        await asyncio.sleep(0)


class Turns:
    """Which partitions of a runner wait for their turn; `catch_up` does what is due for one."""

    def __init__(self, catch_up: Callable[[Partition[Any]], None]) -> None:
        self._catch_up = catch_up
        self._waiting: dict[TP, tuple[Partition[Any], int]] = {}
        self._wake = asyncio.Event()

    def arrived(self, partition: Partition[Any]) -> None:
        """A chunk was taken in."""
        stage = partition.stage
        if isinstance(stage, Deferring) and stage.behind:
            _, chunks = self._waiting.get(partition.tp, (partition, 0))
            self._waiting[partition.tp] = partition, chunks + 1
            self._wake.set()
            if chunks + 1 >= CHUNKS_MAX:
                self.finish(partition.tp)

    def finish(self, tp: TP) -> None:
        """Let a partition wait no longer, if it does."""
        if tp in self._waiting:
            self._catch_up(self._waiting.pop(tp)[0])

    async def run(self) -> None:
        """Give each its turn, who has waited for longest first, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await let_out()
                if self._waiting:
                    self.finish(next(iter(self._waiting)))
