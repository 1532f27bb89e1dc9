"""Listed: what stands for a held page in the summary of its storm; an alert, so a summary is told like all else."""

from collections.abc import Mapping

from msgspec.structs import replace

from schemas.alerts import Alert, transition_id
from schemas.labels import ALERTNAME
from schemas.reasons import AlertReason, AlertState
from schemas.records import rfc3339

HELD_PAGE = "PagesHeld"
RULE = f"tocsin/{HELD_PAGE}"


def listed(
    tenant: str, fingerprint: str, labels: Mapping[str, str], what: str, firing: int, at: int
) -> Alert:
    """What stands for a page that is held since `at`, event time ms; `what` names its alerts, `firing` counts them."""
    alerts = "1 alert fires" if firing == 1 else f"{firing} alerts fire"
    return Alert(
        id=transition_id(fingerprint, AlertState.FIRING, at),
        tenant=tenant,
        rule=RULE,
        fingerprint=fingerprint,
        state=AlertState.FIRING,
        reason=AlertReason.CONDITION_TRUE,
        time=at,
        active_at=at,
        labels={ALERTNAME: HELD_PAGE, **labels},
        annotations={"summary": f"{what}: {alerts}, the page is held"},
        view=f"held since {rfc3339(at)}",
    )


def over(alert: Alert, at: int) -> Alert:
    """The end of what stands for a held page."""
    identity = transition_id(alert.fingerprint, AlertState.RESOLVED, at)
    ended = AlertState.RESOLVED
    return replace(alert, id=identity, state=ended, reason=AlertReason.CONDITION_FALSE, time=at)
