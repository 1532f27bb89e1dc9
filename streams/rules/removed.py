"""Removed: what a rule that was removed or changed has left, and the end of its alerts and series.

What it left is its state as columns, the same in a checkpoint and after a reload.
Refuses to guess what the rule said: the record has the alert's labels and last value, but no annotations.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.alerts import Alert
from schemas.errors import CheckpointError
from schemas.reasons import AlertReason, AlertState
from streams.rules.alert_series import end_series
from streams.rules.alert_states import AlertStates
from streams.rules.announce import Announcer
from streams.rules.checkpoint import AnyColumns, under
from streams.rules.rule import Kind, Rule
from streams.rules.slots import Slots
from streams.windows.columns import unpack_label_bytes
from streams.windows.series import SeriesStore

VERSION = 1
"""Of the snapshots of an engine."""


class Heading(NamedTuple):
    """What a checkpoint keeps of a rule besides its state."""

    group: str
    name: str
    expr: str
    occurrence: int


class _Head(msgspec.Struct):
    version: int
    rules: dict[str, Heading]


def write_head(headings: Mapping[str, Heading]) -> NDArray[np.uint8]:
    """The column that says of which rules a checkpoint is."""
    return np.frombuffer(msgspec.json.encode(_Head(VERSION, dict(headings))), np.uint8)


def read_head(columns: AnyColumns) -> Mapping[str, Heading]:
    """Headings by key of the rules of a checkpoint.

    Raises:
        CheckpointError: it is no snapshot of rules, or of another version.

    """
    try:
        head = msgspec.json.decode(columns["head"].tobytes(), type=_Head)
    except (KeyError, msgspec.MsgspecError) as error:
        raise CheckpointError(f"no snapshot of rules: {error!r}") from error
    if head.version != VERSION:
        raise CheckpointError(
            f"snapshot of rules of version {head.version}, this code reads {VERSION}"
        )
    return head.rules


class Left(NamedTuple):
    """What a rule has left: its state; without a heading, it has series and no alerts."""

    heading: Heading | None
    columns: AnyColumns

    @property
    def series(self) -> AnyColumns:
        """The columns of the series that it made last."""
        return self.columns if self.heading is None else under("series", self.columns)


def end_left_series(left: Left, store: SeriesStore, t_ms: int) -> None:
    """End the series at an event time in ms; those that another rule has written at this time go on.

    Raises:
        CheckpointError: the columns are not those of a rule.

    """
    if series := left.series:
        end_series(store, unpack_label_bytes(series), t_ms)


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
