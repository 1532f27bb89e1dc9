"""The clock: the only file that reads the time of the wall.

Times are whole milliseconds since the epoch, UTC. Whoever needs the time takes a `Clock` in its
constructor; the pure stages need none, because time comes to them with the records.

It refuses to sleep: waiting is the shell's matter.
"""

import time
from typing import Protocol


class Clock(Protocol):
    """Somebody who can be asked for the time."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC."""
        ...


class WallClock:
    """The machine's clock; it may jump when the machine's time is set."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC."""
        return time.time_ns() // 1_000_000


class ManualClock:
    """A clock that moves only when told to; for tests and for replays."""

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC."""
        return self._now_ms

    def advance(self, milliseconds: int) -> None:
        """Move forward by a span that is not negative."""
        if milliseconds < 0:
            raise ValueError(f"a clock does not go back: {milliseconds} ms")
        self._now_ms += milliseconds

    def set(self, now_ms: int) -> None:
        """Move to a time that is not before now."""
        self.advance(now_ms - self._now_ms)
