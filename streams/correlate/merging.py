"""Merging: the alerts of one incident become those of another, and are given back."""

import msgspec

from schemas.config import CorrelateConfig
from schemas.reasons import AlertState, JoinReason
from streams.correlate.lifecycle import Lifecycle


def absorb(
    life: Lifecycle,
    other: Lifecycle,
    config: CorrelateConfig,
    joined: JoinReason = JoinReason.CALL_GRAPH,
) -> None:
    """Take the alerts of another incident in, as if they had joined this one; those without room are counted."""
    for fingerprint, item in sorted(other.alerts.items()):
        if fingerprint in life.alerts or life.make_room(config.max_alerts):
            life.alerts[fingerprint] = msgspec.structs.replace(item, joined=joined)
            if fingerprint in other.symptoms:
                life.symptoms[fingerprint] = other.symptoms[fingerprint]
            (life.firing.add if item.firing else life.firing.discard)(fingerprint)
        else:
            life.omitted += item.firing
    life.omitted += other.omitted
    life.worst = life.priority = None
    life.urgent |= other.urgent
    if not life.revision:
        life.opened_at = min(life.opened_at, other.opened_at)
        life.announcements.origin = min(life.announcements.origin, other.announcements.origin)
    life.changed_at = max(life.changed_at, other.changed_at)
    life.quiet_since = None if life.firing else life.quiet_since
    if joined is JoinReason.CALL_GRAPH:
        life.timeline = sorted([*life.timeline, *other.timeline], key=lambda e: e.time)
        life.trim()


def take_back(part: Lifecycle, whole: Lifecycle, at: int) -> None:
    """Take a part out of the incident that it was made part of, with its alerts as they stand there."""
    replace = msgspec.structs.replace
    for fingerprint, item in part.alerts.items():
        now = whole.alerts.pop(fingerprint, None)
        if now is None:
            # it had resolved, and made room for another
            over = replace(item.alert, state=AlertState.RESOLVED)
            part.alerts[fingerprint] = replace(item, alert=over, resolved_at=at)
            continue
        part.alerts[fingerprint] = replace(now, joined=item.joined)
        if symptom := whole.symptoms.pop(fingerprint, None):
            part.symptoms[fingerprint] = symptom
    part.firing = {f for f, a in part.alerts.items() if a.firing}
    whole.firing -= part.firing
    part.worst = whole.worst = None
    part.priority = whole.priority = None
    part.merged_into, part.resolved_at = "", None
    part.changed_at = at
    part.quiet_since = None if part.firing else at
    if not whole.firing and whole.quiet_since is None:
        whole.quiet_since = at
