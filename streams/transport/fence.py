"""The fence: a process that was stopped for longer than its sessions writes nothing more before it knows that it may.

While a process is stopped (SIGSTOP, a frozen container, a machine that hangs) its groups give its partitions to
others, and what its producers still hold is out of date: written behind what those others have written since, it would
be taken for the newest. A thread beats once a second; after a longer gap every request of the producers waits until
each stage has heard from its coordinator that it is the member that it was. Where one is not, nothing is written ever
again, and the worker ends.

It refuses to judge by the event loop: one that computes for long has not lost its membership, for heartbeats have a
thread of their own.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

BEAT_SECONDS = 1.0


class FencedError(RuntimeError):
    """This process was stopped for so long that others have its partitions."""


class Fence:
    """Stands before the producers; `beat` comes from a thread, `passed` from the event loop.

    `still_members` says whether every stage is the member that it was, and waits while that cannot be known; `lost` is
    told of the error, once, when one is not.
    """

    def __init__(
        self,
        limit_seconds: float,
        note: Callable[[], None],
        still_members: Callable[[], Awaitable[bool]],
        lost: Callable[[FencedError], None],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """`note` is called at each beat for what `still_members` compares with."""
        self._limit_seconds = limit_seconds
        self._note = note
        self._still_members = still_members
        self._lost = lost
        self._seconds = seconds
        self._last = seconds()
        self._longest = 0.0
        self._is_shut = False
        self._lock = asyncio.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tocsin-fence", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._last = self._seconds()
        self._thread.start()

    def stop(self) -> None:
        """Beat no longer; from then on nothing passes."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(BEAT_SECONDS):
            self.beat()

    def beat(self) -> None:
        """Say that this process runs."""
        now = self._seconds()
        gap = now - self._last
        if gap > self._limit_seconds:
            self._longest = max(gap, self._longest)
        elif not self._longest:
            self._note()
        self._last = now

    @property
    def is_open(self) -> bool:
        """Whether there is no reason to doubt."""
        return not self._longest and self._seconds() - self._last <= self._limit_seconds

    async def passed(self) -> None:
        """Wait until something may be written: mostly not at all, and for ever where it never may."""
        if self.is_open:
            self._note()  # a member may have joined since the last beat
            return
        async with self._lock:
            if self.is_open:
                return
            self.beat()
            log.warning(
                "the process was stopped for %.0f s; nothing is written for now", self._longest
            )
            if not self._is_shut and not await self._still_members():
                self._is_shut = True
                self._lost(
                    FencedError(f"stopped for {self._longest:.0f} s, others have its partitions")
                )
            if self._is_shut:
                await asyncio.Event().wait()
            self._longest = 0.0
            self.beat()
