"""Symptom: what a firing alert says about an entity, as far as the ranking of causes needs it.

It is taken from the firing transition and kept when the alert resolves, so the ranking does not change because an
incident comes to its end.
"""

import math
import struct
from collections.abc import Sequence
from enum import StrEnum

import msgspec
import numpy as np

from schemas.alerts import Alert
from schemas.reasons import Severity
from streams.correlate.group import HOST, entity_of

RATIO_MAX = 100.0
"""Deviations beyond this many times the usual are alike: of a usual value near 0 the ratio means nothing."""

VALUES_MAX = 32
"""So many values an alert has; the last ones of one that has more."""
_FORMS = [struct.Struct(f"<{n}f") for n in range(VALUES_MAX + 1)]

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
        values: what its rule looked at, up to `until` (event time, ms) in steps of `step_ms`: 32-bit floats, the
            newest last, NaN where there was none; empty where not known.

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
    values: bytes = b""
    until: int = 0
    step_ms: int = 0

    @property
    def weight(self) -> float:
        """How bad: the severity, more for a large deviation."""
        usual = _WEIGHTS[self.severity]
        return usual * (1.0 + math.log1p(self.ratio)) if self.ratio else usual


def symptom_of(alert: Alert, entity_label: str, join_labels: Sequence[str] = ()) -> Symptom:
    """The symptom that a firing alert is."""
    ratio, deviation = 0.0, None
    if alert.value is not None and alert.expected is not None:
        deviation = abs(alert.value - alert.expected)
        band = 0.0 if alert.low is None or alert.high is None else (alert.high - alert.low) / 2
        usual = max(abs(alert.expected), band)
        ratio = min(deviation / usual, RATIO_MAX) if usual > 0 else RATIO_MAX
    downstream = alert.labels.get("flow") == Flow.DOWNSTREAM
    known = alert.values[-VALUES_MAX:] if alert.values_step_ms > 0 else ()
    entity, host = entity_of(alert, entity_label), alert.labels.get(HOST, "")
    return Symptom(
        entity=entity,
        host="" if host == entity else host,
        flow=Flow.DOWNSTREAM if downstream else Flow.UPSTREAM,
        name=alert.name,
        severity=alert.severity,
        onset=alert.active_at,
        value=alert.value,
        expected=alert.expected,
        ratio=ratio,
        deviation=deviation,
        shared=tuple(f"{n}={alert.labels[n]}" for n in join_labels if alert.labels.get(n))
        if join_labels
        else (),
        values=_packed(known) if known else b"",
        until=alert.time if known else 0,
        step_ms=alert.values_step_ms if known else 0,
    )


def _packed(values: Sequence[float | None]) -> bytes:
    try:
        return _FORMS[len(values)].pack(*values)
    except (struct.error, OverflowError):
        # one is missing, or too large for 32 bits
        with np.errstate(over="ignore"):
            return np.array(values, np.float64).astype("<f4").tobytes()


def bare(alert: Alert) -> Alert:
    """An alert without the values before it, which only the ranking of causes needs."""
    if not alert.values:
        return alert
    return msgspec.structs.replace(alert, values=(), values_step_ms=0)
