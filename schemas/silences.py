"""Silences: what people want not to hear of for a while, as it travels in a command and stands in the state."""

from enum import StrEnum

import msgspec

from schemas.labels import content_id


class AtEnd(StrEnum):
    """What happens to that which still fires, and was not told of, when a silence ends."""

    NEXT_FLUSH = "next_flush"
    NOTIFY_NOW = "notify_now"
    SUMMARY = "summary"
    NOTHING = "nothing"


class SilenceState(StrEnum):
    """Where a silence stands."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts of one tenant that are not told of for a while.

    Attributes:
        id: identity, see `silence_id`; the same one again replaces it.
        matchers: sets of conditions such as `service="cart"`; one set must hold wholly.
        starts_at, ends_at: event times, ms; the end is exclusive.
        interval: name of a time interval: it silences only in those times; empty for all of the time.
        at_end: `next_flush` as Alertmanager does; `notify_now` flushes the groups at once; `summary` tells each
            receiver once of all; `nothing` keeps quiet about these alerts until they have resolved.

    """

    id: str
    tenant: str
    matchers: tuple[tuple[str, ...], ...]
    starts_at: int
    ends_at: int
    created_by: str = ""
    comment: str = ""
    interval: str = ""
    at_end: AtEnd = AtEnd.NEXT_FLUSH

    def state(self, at: int) -> SilenceState:
        """Where it stands at a time; a recurring one is active between its times too."""
        if at >= self.ends_at:
            return SilenceState.EXPIRED
        return SilenceState.PENDING if at < self.starts_at else SilenceState.ACTIVE


def silence_id(
    tenant: str, matchers: tuple[tuple[str, ...], ...], starts_at: int, created_by: str
) -> str:
    """Identity of a silence: the same words of the same person are one silence."""
    sets = "\n\n".join("\n".join(texts) for texts in matchers)
    return content_id("silence", tenant, sets, starts_at, created_by)
