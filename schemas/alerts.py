"""Records of tocsin.alerts: transitions of alerts, commands of people, facts, and ticks: how far a partition has come.

A tick of time T says: this partition has sent all its transitions up to and including T. Only transitions travel,
never "still firing".
"""

from typing import TypeAlias

import msgspec

from schemas.changes import Change
from schemas.commands import Command
from schemas.edges import Edge
from schemas.labels import content_id
from schemas.reasons import AlertReason, AlertState, Severity
from schemas.records import Record

_SEVERITIES = {severity.value: severity for severity in Severity}


class Late(msgspec.Struct, frozen=True, kw_only=True):
    """Samples that came behind the watermark of their partition: how many, and by how much the latest one, ms."""

    samples: int
    most_ms: int


class Alert(Record, frozen=True, kw_only=True, tag="alert", tag_field="kind"):
    """One transition of one alert, which is a rule and a label set.

    Attributes:
        id: identity of the transition, see `transition_id`.
        tenant: whose it is; not part of `labels`.
        rule: `group/alertname` of the rule.
        fingerprint: 16 hex digits; identity of the alert over its transitions.
        state: what it changed to.
        time: event time of the transition, ms.
        active_at: event time at which the condition became true, ms.
        value: value of the expression, None where it is not finite.
        score, expected, low, high: what a detector said, None for plain rules.
        view: one sentence of the detector or the rule about why.
        urgent: from a rule that is evaluated on arrival; not held back for the order of time.
        window: first and last event time, ms, of the samples that the expression may have looked at; None: not known.
        watermark: event time, ms, up to which all samples were in when it was evaluated; None where nothing was
            waited for.
        late: the late samples among those that the expression may have looked at, as far as they had come.
        amends: ids of the earlier transitions of this alert that this one takes back because late samples came.
        values: of an alert that fires, what its rule looked at in the last evaluations, the newest last, no more than
            32; of a comparison what was compared. None: there was nothing. Empty where that is not known.
        values_step_ms: how far apart they are.
        source: `samples partition` that it comes from.

    """

    id: str
    tenant: str
    rule: str
    fingerprint: str
    state: AlertState
    reason: AlertReason
    time: int
    active_at: int
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    value: float | None = None
    score: float | None = None
    expected: float | None = None
    low: float | None = None
    high: float | None = None
    view: str = ""
    urgent: bool = False
    source: int = 0
    window: tuple[int, int] | None = None
    watermark: int | None = None
    late: Late | None = None
    amends: tuple[str, ...] = ()
    values: tuple[float | None, ...] = ()
    values_step_ms: int = 0

    @property
    def name(self) -> str:
        """The rule's alertname."""
        return self.labels.get("alertname", self.rule)

    @property
    def severity(self) -> Severity:
        """From the label `severity`; warning where it is missing or unknown."""
        return _SEVERITIES.get(self.labels.get("severity", ""), Severity.WARNING)


class Tick(Record, frozen=True, kw_only=True, tag="tick", tag_field="kind"):
    """How far one detect partition has come.

    Attributes:
        source: the partition of tocsin.samples that it speaks of.
        time: all transitions up to and including this event time, in ms, have been sent.
        record_time: largest record time behind it, ms.

    """

    source: int
    time: int
    record_time: int = 0


Fact: TypeAlias = Change | Edge
"""What is known beside the alerts."""

Found: TypeAlias = Alert | Tick | Edge
"""What a detect partition tells."""

AlertRecord: TypeAlias = Alert | Tick | Command | Change | Edge


def transition_id(fingerprint: str, state: AlertState, time: int) -> str:
    """Identity of a transition: the same after any restart."""
    return content_id(fingerprint, state.value, time)
