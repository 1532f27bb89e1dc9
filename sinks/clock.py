"""The clock that a shell of a sink is given: somebody who can be asked for the time.

The pure parts of the sinks have none; the shells name the time at which an attempt ended.

It refuses to be a clock: the only reader of the wall clock lives with the streams.
"""

from typing import Protocol


class Clock(Protocol):
    """Somebody who can be asked for the time."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC."""
        ...
