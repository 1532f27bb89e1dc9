"""Symptom: what a firing alert says about an entity, as far as the ranking of causes needs it.

It is taken from the firing transition and kept when the alert resolves, so the ranking does not change because an
incident comes to its end.
"""

import math
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from schemas.alerts import Alert
from schemas.reasons import Severity
from streams.correlate.group import entity_of, host_of

RATIO_MAX = 100.0
"""Deviations beyond this many times the usual are alike: of a usual value near 0 the ratio means nothing."""

_WEIGHTS = {Severity.CRITICAL: 3.0, Severity.WARNING: 2.0, Severity.INFO: 1.0}


class Flow(StrEnum):
    """Where trouble of this kind goes: the rule's label `flow`."""

    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"


class Symptom(msgspec.Struct, frozen=True):
    """What a firing alert says about an entity.

    Attributes:
        host: what the entity runs on, empty where unknown.
        onset: event time at which the condition became true, ms.
        ratio: how far the value is from the expected one, in times of the usual value or half the band.
        deviation: the same in units of the metric; None without an expected value.
        shared: the labels by which it joins others, as `name=value`.

    """

    entity: str
    host: str
    flow: Flow
    name: str
    severity: Severity
    onset: int
    value: float | None = None
    expected: float | None = None
    ratio: float = 0.0
    deviation: float | None = None
    shared: tuple[str, ...] = ()

    @property
    def weight(self) -> float:
        """How bad: the severity, more for a large deviation."""
        return _WEIGHTS[self.severity] * (1.0 + math.log1p(self.ratio))


def symptom_of(alert: Alert, entity_label: str, join_labels: Sequence[str] = ()) -> Symptom:
    """The symptom that a firing alert is."""
    ratio, deviation = 0.0, None
    if alert.value is not None and alert.expected is not None:
        deviation = abs(alert.value - alert.expected)
        band = 0.0 if alert.low is None or alert.high is None else (alert.high - alert.low) / 2
        usual = max(abs(alert.expected), band)
        ratio = min(deviation / usual, RATIO_MAX) if usual > 0 else RATIO_MAX
    downstream = alert.labels.get("flow") == Flow.DOWNSTREAM
    return Symptom(
        entity=entity_of(alert, entity_label),
        host=host_of(alert, entity_label),
        flow=Flow.DOWNSTREAM if downstream else Flow.UPSTREAM,
        name=alert.name,
        severity=alert.severity,
        onset=alert.active_at,
        value=alert.value,
        expected=alert.expected,
        ratio=ratio,
        deviation=deviation,
        shared=tuple(f"{n}={alert.labels[n]}" for n in join_labels if alert.labels.get(n)),
    )
