"""Announcements: when people are to be told of an incident, and why; Alertmanager's timing and reasons.

The first announcement comes `group_wait` after the incident began to fire. From then on there is one opportunity
every `group_interval`: it is used when something fires that was not told of, when something told of has ended, or
when the last announcement is `repeat_interval` old (0: never). Nothing is announced while nothing fires; that all
is over is announced at once, and only if people still think that it fires. Source of the reasons and their order:
`needsUpdate` in Alertmanager's dedup stage.
"""

from collections.abc import Set as AbstractSet

import msgspec

from schemas.config import CorrelateConfig
from schemas.reasons import AnnounceReason

REPEATS_MAX = 500
"""Reminders in a row: a clock that jumps over years must not write one for each of their intervals."""

_REPEAT = AnnounceReason.REPEAT_INTERVAL_ELAPSED


class Announcements(msgspec.Struct):
    """What people have been told of one incident; times are event times, ms.

    Attributes:
        origin: the first opportunity, or the one after an outage; the others follow at multiples of `group_interval`.
        count: how many announcements there were.
        repeats: how many of the last ones were reminders of nothing new.
        last: time of the last one.
        told: people know that it fires.
        firing, resolved: fingerprints that the last one listed.

    """

    origin: int
    count: int = 0
    repeats: int = 0
    last: int = 0
    told: bool = False
    firing: set[str] = msgspec.field(default_factory=set)
    resolved: set[str] = msgspec.field(default_factory=set)

    def begin(self, at: int, config: CorrelateConfig) -> None:
        """It begins to fire, or does so again after it was over."""
        self.origin = at + config.group_wait
        self.told = False
        self.firing, self.resolved = set(), set()

    def due(
        self,
        firing: AbstractSet[str],
        resolved: AbstractSet[str],
        changed_at: int,
        config: CorrelateConfig,
    ) -> int | None:
        """Next opportunity at which there will be something to say, None without any."""
        if not firing:
            return None
        if not (firing <= self.firing and resolved <= self.resolved):
            return self.opportunity(changed_at, config)
        if not self.told or not config.repeat_interval or self.repeats >= REPEATS_MAX:
            return None
        return self.opportunity(self.last + config.repeat_interval, config)

    def reason(self, firing: AbstractSet[str], resolved: AbstractSet[str]) -> AnnounceReason:
        """Why an opportunity that was due is used."""
        if not self.count:
            return AnnounceReason.FIRST_NOTIFICATION
        if not firing <= self.firing:
            return AnnounceReason.NEW_ALERTS_ADDED
        if not resolved <= self.resolved:
            return AnnounceReason.SOME_ALERTS_RESOLVED
        return _REPEAT

    def tell(self, at: int, firing: AbstractSet[str], resolved: AbstractSet[str]) -> None:
        """It is announced now; the first time that people hear of it starts the grid of opportunities."""
        if not self.told:
            self.origin = at
        repeated = self.told and self.reason(firing, resolved) is _REPEAT
        self.repeats = self.repeats + 1 if repeated else 0
        self.count, self.last, self.told = self.count + 1, at, True
        self.firing, self.resolved = set(firing), set(resolved)

    def skip(self, firing: AbstractSet[str], resolved: AbstractSet[str]) -> None:
        """Let an opportunity pass: what would have been announced is over already."""
        self.firing, self.resolved = set(firing), set(resolved)

    def end(self, at: int) -> AnnounceReason | None:
        """All is over; why people are to be told, None if they do not know that it fired."""
        if not self.told:
            return None
        self.count, self.last, self.told = self.count + 1, at, False
        return AnnounceReason.ALL_ALERTS_RESOLVED

    def opportunity(self, at: int, config: CorrelateConfig) -> int:
        """The first opportunity at or after a time."""
        if at <= self.origin:
            return self.origin
        interval = max(config.group_interval, 1)
        return self.origin - (self.origin - at) // interval * interval
