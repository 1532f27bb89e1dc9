"""The actor: makes the actions that the stage asks for, and tells how each ended.

HTTP calls are made here, at most `CONCURRENCY` at a time; records for Kafka go to the `send` that is given, which
returns when the broker has stored them. One action is made once: there is no retry.

It refuses to act before it is told to: the shell submits an action when its intent has been stored.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from schemas.errors import DeliveryError
from sinks.clock import Clock
from sinks.http import CONCURRENCY, HttpClient
from sinks.remediate.actions import Action, HttpCall, KafkaSend
from sinks.remediate.actions.http import call
from sinks.remediate.stage import Ended

log = logging.getLogger(__name__)


class Actor:
    """Makes actions within a running event loop; `on_ended` is called in it, once for each action that ended."""

    def __init__(
        self,
        send: Callable[[KafkaSend], Awaitable[None]],
        clock: Clock,
        on_ended: Callable[[Ended], None],
    ) -> None:
        self._send = send
        self._clock = clock
        self._on_ended = on_ended
        self._client = HttpClient()
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, actions: Iterable[Action]) -> None:
        """Start these actions."""
        for action in actions:
            task = asyncio.create_task(self._run(action))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self, grace_seconds: float = 5.0) -> None:
        """Let actions end within the grace; what takes longer stays without a result."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_seconds)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._client.close()

    async def _run(self, action: Action) -> None:
        async with self._slots:
            failure = await self._act(action)
        self._on_ended(Ended(key=action.key, at_ms=self._clock.now_ms(), failure=failure))

    async def _act(self, action: Action) -> str | None:
        """Why it failed, None when it did not."""
        try:
            if isinstance(action, HttpCall):
                await call(self._client, action)
            else:
                await self._send(action)
        except DeliveryError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001  a fault in one action must not end the worker
            # the text of an unknown error may hold the address, so its type alone is told
            log.error("action failed: %s", type(error).__name__)  # noqa: TRY400  a trace shows the text
            return type(error).__name__
        return None
