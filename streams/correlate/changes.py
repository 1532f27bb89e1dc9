"""Changes: what was changed lately, by tenant, for the ranking of causes.

A change is kept for `KEPT_MS` of event time. Bounds: `TENANT_CHANGES_MAX` of a tenant and `TENANTS_MAX` tenants; the
oldest change, and the tenant without a change for longest, goes first.
"""

from bisect import insort

from schemas.changes import Change

KEPT_MS = 7 * 86_400_000
TENANT_CHANGES_MAX = 1_000
TENANTS_MAX = 1_000
EARLY_MS = 60_000
"""Onsets are only as sharp as a rule's interval, and clocks differ: a change may seem so much later than its effect."""


class Changes:
    """The changes of the tenants of one partition, each tenant's in order of (time, id)."""

    def __init__(self) -> None:
        self._known: dict[str, list[Change]] = {}

    def note(self, change: Change) -> None:
        """Take note of a change; one that is known already changes nothing."""
        known = self._known.pop(change.tenant, [])
        if all(change.id != other.id for other in known):
            insort(known, change, key=lambda c: (c.time, c.id))
        newest = known[-1].time
        known = [c for c in known if c.time >= newest - KEPT_MS][-TENANT_CHANGES_MAX:]
        self._known[change.tenant] = known
        if len(self._known) > TENANTS_MAX:
            del self._known[next(iter(self._known))]

    def before(self, tenant: str, onset: int, within: int) -> tuple[Change, ...]:
        """The changes that may be the cause of what began at an onset: none older than `within`, ms."""
        known = self._known.get(tenant, ())
        return tuple(c for c in known if onset - within <= c.time <= onset + EARLY_MS)

    def snapshot(self) -> list[list[Change]]:
        """The whole state."""
        return [list(known) for known in self._known.values()]

    def restore(self, state: list[list[Change]]) -> None:
        """Continue from a snapshot."""
        self._known = {known[0].tenant: list(known) for known in state if known}
