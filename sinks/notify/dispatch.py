"""The dispatcher: makes the attempts that the outbox asks for, and tells how each ended.

An attempt starts at once, or at the time that it names; every receiver has its own `CONCURRENCY`, so a slow one holds
up no other. The order within an incident is kept by the outbox, which hands out one attempt a lane. There is one small
task for each attempt that waits, and none else: nothing polls.

It refuses to decide: whether to try again is the outbox's matter.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping

from schemas.errors import DeliveryError
from schemas.reasons import DeliveryReason
from sinks.clock import Clock
from sinks.http import CONCURRENCY
from sinks.notify.attempt import DELIVERED, Attempt, Outcome, Settled
from sinks.notify.receivers import Receiver

log = logging.getLogger(__name__)


class Dispatcher:
    """Makes attempts within a running event loop; `on_settled` is called in it, once for each attempt that ended."""

    def __init__(
        self,
        receivers: Mapping[str, Receiver],
        clock: Clock,
        on_settled: Callable[[Settled], None],
    ) -> None:
        self._receivers = receivers
        self._clock = clock
        self._on_settled = on_settled
        self._slots = {name: asyncio.Semaphore(CONCURRENCY) for name in receivers}
        self._tasks: set[asyncio.Task[None]] = set()
        self._delivering: set[asyncio.Task[None]] = set()
        self._closed = False

    def submit(self, attempts: Iterable[Attempt]) -> None:
        """Start these attempts; after `close` they are left to the next worker."""
        if self._closed:
            return
        for attempt in attempts:
            task = asyncio.create_task(self._run(attempt))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self, grace_seconds: float = 5.0) -> None:
        """Let what is being delivered end within the grace; what waits, or takes longer, is left to the next worker."""
        self._closed = True
        for task in self._tasks - self._delivering:
            task.cancel()
        if self._delivering:
            await asyncio.wait(self._delivering, timeout=grace_seconds)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _run(self, attempt: Attempt) -> None:
        wait_ms = attempt.not_before_ms - self._clock.now_ms() if attempt.not_before_ms else 0
        if wait_ms > 0:
            await asyncio.sleep(min(wait_ms, attempt.wait_ms) / 1000)
        receiver = self._receivers.get(attempt.receiver)
        if receiver is None:
            gone = "the receiver is not configured any more"
            self._settle(attempt, Outcome(reason=DeliveryReason.NO_ROUTE, detail=gone))
            return
        async with self._slots[attempt.receiver]:
            task = asyncio.current_task()
            assert task is not None, "it runs as a task of submit"
            self._delivering.add(task)
            try:
                self._settle(attempt, await _deliver(receiver, attempt))
            finally:
                self._delivering.discard(task)

    def _settle(self, attempt: Attempt, outcome: Outcome) -> None:
        self._on_settled(Settled(key=attempt.key, outcome=outcome, at_ms=self._clock.now_ms()))


async def _deliver(receiver: Receiver, attempt: Attempt) -> Outcome:
    try:
        await receiver.deliver(attempt)
    except DeliveryError as error:
        return Outcome.of(error)
    except Exception as error:  # noqa: BLE001  a fault in one receiver must not end the worker
        # the text of an unknown error may hold the address, so its type alone is told
        name = type(error).__name__
        log.error("receiver %s failed: %s", attempt.receiver, name)  # noqa: TRY400  a trace shows the text
        return Outcome(reason=DeliveryReason.CLIENT_ERROR, retryable=True, detail=name)
    return DELIVERED
