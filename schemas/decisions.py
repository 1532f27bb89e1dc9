"""Decisions: what a gate on the way from an alert to a page did, and why.

They are part of the record of an incident: the answer to "why was I paged?" and "why was I not?".
"""

import msgspec

from schemas.reasons import Gate


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What one gate did with an incident, or with one of its alerts.

    Attributes:
        time: event time, ms.
        passed: whether it let it pass.
        reason: value of the enum of reasons of this gate.
        text: the same in words, with the figures.
        alert: fingerprint of the alert, empty where it is about the incident.
        by: the configuration that decided, `FILE:LINE` or a key such as `correlate.storm`; empty where none did.

    """

    time: int
    gate: Gate
    passed: bool
    reason: str
    text: str = ""
    alert: str = ""
    by: str = ""
