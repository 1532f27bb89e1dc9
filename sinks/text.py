"""How an incident reads in plain text: its alerts, causes and times, one line each.

Every text that comes from telemetry or rules passes `clean`, so that a label cannot move the cursor of a terminal or
pretend to be another line.

It refuses to colour: that is the terminal's matter.
"""

from schemas.incidents import Cause, Incident, IncidentAlert
from schemas.labels import ALERTNAME
from schemas.records import rfc3339

TEXT_LENGTH = 500


def clean(text: str) -> str:
    """The text on one line, without control characters, cut at `TEXT_LENGTH` characters."""
    cut = text if len(text) <= TEXT_LENGTH else f"{text[: TEXT_LENGTH - 1]}…"
    return "".join(c if c.isprintable() else " " for c in cut)


def number(value: float) -> str:
    """A figure with four digits that count."""
    return f"{value:.4g}"


def labels_text(labels: dict[str, str]) -> str:
    """Labels without the alertname, in order of name."""
    pairs = sorted((n, v) for n, v in labels.items() if n != ALERTNAME)
    return clean(" ".join(f"{n}={v}" for n, v in pairs))


def view_text(item: IncidentAlert) -> str:
    """What is known of the value: the summary of the rule, the figures, the detector's sentence."""
    alert = item.alert
    parts = [alert.annotations.get("summary", "")]
    if alert.value is not None:
        figure = f"value {number(alert.value)}"
        if alert.low is not None and alert.high is not None:
            figure += f", expected {number(alert.low)} to {number(alert.high)}"
        parts.append(figure)
    parts.append(alert.view)
    return clean("; ".join(p for p in parts if p))


def cause_text(cause: Cause) -> str:
    """A likely cause with its share and its evidence, the weightiest first."""
    ordered = sorted(cause.evidence, key=lambda e: -e.share)
    why = "; ".join(e.text for e in ordered)
    return clean(f"{cause.entity} {cause.share:.0%}{f': {why}' if why else ''}")


def span_text(incident: Incident) -> str:
    """When it was opened, and resolved if it was."""
    opened = f"since {rfc3339(incident.opened_at)}"
    return (
        opened
        if incident.resolved_at is None
        else f"{opened} until {rfc3339(incident.resolved_at)}"
    )
