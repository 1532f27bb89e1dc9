"""Verdicts: the decisions of the ledger itself, in words."""

from schemas.alerts import Alert
from schemas.config.section import format_duration
from schemas.decisions import Decision
from schemas.reasons import AnnounceReason, Gate, GateReason


def no_room(alert: Alert, room: int) -> Decision:
    """An alert is not in its incident, which is full."""
    text = f"{alert.name}: the incident holds {room} firing alerts already"
    return Decision(
        time=alert.time,
        gate=Gate.LIMIT,
        passed=False,
        reason=GateReason.NO_ROOM,
        text=text,
        alert=alert.fingerprint,
        by="correlate.max_alerts",
    )


def too_late(at: int, horizon_ms: int) -> Decision:
    """An incident had ended when it became known that it had begun."""
    text = f"it was over when it became known, more than {format_duration(horizon_ms)} later"
    return Decision(
        time=at,
        gate=Gate.HORIZON,
        passed=False,
        reason=GateReason.OVER_BEFORE_TOLD,
        text=text,
        by="time.page_horizon",
    )


def passed(at: int, reason: AnnounceReason, number: int) -> Decision:
    """An announcement is made."""
    text = f"announcement {number}: {reason.value}"
    return Decision(time=at, gate=Gate.DEDUP, passed=True, reason=reason.value, text=text)
