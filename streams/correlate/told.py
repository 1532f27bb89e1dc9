"""Told: what a receiver was last told of a group, and whether there is something new to tell.

Source of the reasons and their order: `needsUpdate` in Alertmanager's dedup stage. One thing is added: what was told
and then silenced is kept apart, so that its end can be told.
"""

from collections.abc import Set as AbstractSet

import msgspec

from schemas.reasons import AnnounceReason


class Told(msgspec.Struct):
    """What one receiver knows of one group.

    Attributes:
        at: event time of the last notification, ms.
        firing, resolved: fingerprints of the alerts that it listed.
        kept: told before, silenced since, and still firing.
        count: how many notifications there were; `generation`: how many of them were the first ones.
        since: event time at which the present generation began.
        revision: how many records were written.

    """

    at: int = 0
    firing: set[str] = msgspec.field(default_factory=set)
    resolved: set[str] = msgspec.field(default_factory=set)
    kept: set[str] = msgspec.field(default_factory=set)
    count: int = 0
    generation: int = 0
    since: int = 0
    revision: int = 0

    def knows(self, fingerprint: str) -> bool:
        """Whether it was told that this alert fires, and not yet that it ended."""
        return fingerprint in self.firing or fingerprint in self.kept

    def reason(
        self,
        at: int,
        firing: AbstractSet[str],
        resolved: AbstractSet[str],
        *,
        send_resolved: bool,
        repeat_interval: int,
    ) -> AnnounceReason | None:
        """Why it is to be told now, None when there is nothing to tell."""
        if not firing <= self.firing and not firing <= self.firing | self.kept:
            return (
                AnnounceReason.NEW_ALERTS_ADDED
                if self.firing
                else AnnounceReason.FIRST_NOTIFICATION
            )
        if not firing:
            over = bool(self.firing or self.kept & resolved)
            return AnnounceReason.ALL_ALERTS_RESOLVED if over else None
        if send_resolved and not resolved <= self.resolved:
            return AnnounceReason.SOME_ALERTS_RESOLVED
        elapsed = at - self.at > repeat_interval
        return AnnounceReason.REPEAT_INTERVAL_ELAPSED if elapsed else None

    def tell(
        self,
        at: int,
        reason: AnnounceReason,
        firing: AbstractSet[str],
        resolved: AbstractSet[str],
        silenced: AbstractSet[str],
    ) -> None:
        """It is told now; `silenced` are those that fire and are kept from it."""
        if reason is AnnounceReason.FIRST_NOTIFICATION:
            self.generation += 1
            self.since = at
        self.kept = (self.kept | self.firing) & silenced
        self.at, self.count = at, self.count + 1
        self.firing, self.resolved = set(firing), set(resolved)
