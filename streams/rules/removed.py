"""Ends the alerts of a rule that was removed or changed, from what a checkpoint holds of it.

Refuses to guess what the rule said: the record has the alert's labels and last value, but no annotations.
"""

from typing import NamedTuple

from schemas.alerts import Alert
from schemas.reasons import AlertReason, AlertState
from streams.rules.alert_states import AlertStates
from streams.rules.announce import Announcer
from streams.rules.checkpoint import AnyColumns, under
from streams.rules.rule import Kind, Rule
from streams.rules.slots import Slots


class Heading(NamedTuple):
    """What a checkpoint keeps of a rule besides its state."""

    group: str
    name: str
    expr: str
    occurrence: int


def end_removed(heading: Heading, columns: AnyColumns, *, source: int, time: int) -> list[Alert]:
    """The end, at this event time in ms, of all alerts of a rule that is no longer there.

    Raises:
        CheckpointError: the columns are not those of a rule.

    """
    rule = Rule(heading.group, heading.name, Kind.ALERT, heading.expr, "", 0, 1)
    announcer = Announcer(rule, occurrence=heading.occurrence, source=source, external_labels={})
    states = AlertStates(for_ms=0, keep_firing_for_ms=0)
    states.restore(under("states", columns))
    slots = Slots(len(states.state))
    slots.restore(under("slots", columns), None)
    alerts = [
        announcer.alert(
            slots.labels(slot),
            slots.given[slot],
            slots.facts[:, slot].tolist(),
            state=AlertState.RESOLVED,
            reason=AlertReason.RULE_REMOVED,
            time=time,
            active_at=int(states.active_at[slot]),
            urgent=False,
        )
        for slot in slots.used.tolist()
    ]
    return sorted(alerts, key=lambda alert: (alert.tenant, tuple(alert.labels.items())))
