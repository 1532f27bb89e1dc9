"""Flapping: alerts of an incident that come and go too often to be told of each time.

A restart is an alert of the incident that fires again after it had resolved. With `restarts` of them within the window
the incident is flapping, until no more than half as many lie within it: the gap between the two keeps the state
itself from flapping.
"""

import msgspec

from schemas.config.lifecycle import FlappingConfig


class Flapping(msgspec.Struct):
    """Restarts of one incident; times are event times, ms.

    Attributes:
        times: of the last restarts, as many as make it flap at most.
        since: since when it is flapping, None while it is not.

    """

    times: list[int] = msgspec.field(default_factory=list)
    since: int | None = None

    def restart(self, at: int, config: FlappingConfig) -> bool:
        """Count a restart; whether flapping begins with it."""
        if not config.restarts:
            return False
        self.times = [*self.times, at][-config.restarts :]
        full = len(self.times) == config.restarts and at - self.times[0] < config.window
        if self.since is not None or not full:
            return False
        self.since = at
        return True

    def steady_at(self, config: FlappingConfig) -> int | None:
        """When it will be over if nothing restarts any more; None while it is not flapping."""
        if self.since is None:
            return None
        spared = config.restarts // 2
        return self.times[-1 - spared] + config.window if len(self.times) > spared else self.since

    def end(self) -> None:
        """It is steady again."""
        self.since = None
        self.times = []
