"""Amending: what late samples change of an alert that an incident holds; it keeps its id, and nobody is paged.

An alert that fires on with another onset or value is set right. One that ended otherwise has its end set right. One
that never was true is withdrawn: it ends, and an incident of which all alerts are withdrawn ends with it at once.
It refuses what no incident holds in a state that could be amended: that is a transition like any other.
"""

import msgspec

from schemas.alerts import Alert
from schemas.reasons import AlertReason, AlertState, Amendment, IncidentChange
from schemas.records import rfc3339
from streams.correlate.lifecycle import Lifecycle

AMENDING = frozenset({AlertReason.AMENDED, AlertReason.WITHDRAWN})
WITHDRAWN = "withdrawn: late samples show that nothing of it was true"


def amend(life: Lifecycle | None, alert: Alert) -> tuple[Lifecycle, IncidentChange] | None:
    """Set right what the holder of an alert says of it; what has changed, None where that is not for it to say."""
    if life is None:
        return None
    held = life.alerts[alert.fingerprint]
    withdrawn = alert.reason is AlertReason.WITHDRAWN
    if alert.state is AlertState.FIRING:
        if not held.firing:
            return None
        held = msgspec.structs.replace(held, alert=alert)
        life.alerts[alert.fingerprint] = held
        life.worst = life.priority = None
        told = f"{alert.name} has been true since {rfc3339(alert.active_at)}"
    else:
        if not held.firing or not life.end(alert):
            held = msgspec.structs.replace(held, alert=alert, resolved_at=alert.time)
            life.alerts[alert.fingerprint] = held
        told = f"{alert.name} {'never was true' if withdrawn else 'is over'}"
    change = IncidentChange.WITHDRAWN if withdrawn else IncidentChange.AMENDED
    life.amendment = Amendment.WITHDRAWN if _none_true(life) else Amendment.AMENDED
    life.note(alert.time, change, f"{told}{_because(alert)}")
    return life, change


def is_withdrawn(life: Lifecycle) -> bool:
    """Whether late samples have said so, and nothing of it was true."""
    return life.amendment is Amendment.WITHDRAWN and _none_true(life)


def _none_true(life: Lifecycle) -> bool:
    return bool(life.alerts) and all(
        item.alert.reason is AlertReason.WITHDRAWN for item in life.alerts.values()
    )


def _because(alert: Alert) -> str:
    late = alert.late
    if late is None:
        return ""
    what = "sample" if late.samples == 1 else "samples"
    return f": {late.samples} {what} came up to {late.most_ms / 1000:g} s late"
