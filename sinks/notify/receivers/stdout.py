"""The receiver `stdout`: one readable block on the standard output for each announcement.

It is printed whole or not at all, in one write, so that blocks of several workers do not mix.
"""

import sys
from typing import TextIO

from schemas.config.notify import StdoutReceiver
from schemas.errors import DeliveryError
from schemas.incidents import Incident
from schemas.reasons import DeliveryReason, IncidentState
from sinks.notify.attempt import Attempt
from sinks.notify.receivers.base import Kind
from sinks.text import cause_text, clean, labels_text, span_text, view_text

ALERTS_MAX = 5


def render(config: StdoutReceiver, incident: Incident, external_url: str) -> bytes:
    """The block: what, why now, since when, the likeliest cause, the first alerts, the runbook."""
    firing = incident.firing
    resolved = incident.state is IncidentState.RESOLVED
    head = "RESOLVED" if resolved else incident.severity.value.upper()
    why = incident.announce.value if incident.announce else ""
    lines = [
        f"[{head}] {clean(incident.title)} ({why})",
        clean(
            f"  incident {incident.id}, tenant {incident.tenant}, {span_text(incident)}, "
            f"{len(firing)} of {len(incident.alerts)} alerts firing"
        ),
    ]
    if incident.causes:
        lines.append(f"  likely cause: {cause_text(incident.causes[0])}")
    shown = firing or (incident.alerts if config.send_resolved else ())
    for item in shown[:ALERTS_MAX]:
        state = "firing" if item.firing else "resolved"
        parts = (clean(item.alert.name), labels_text(item.alert.labels), view_text(item))
        lines.append(f"  {state}: " + " | ".join(p for p in parts if p))
    if len(shown) > ALERTS_MAX:
        lines.append(f"  and {len(shown) - ALERTS_MAX} more")
    runbooks = {a.alert.annotations.get("runbook_url", "") for a in shown} - {""}
    lines += [f"  runbook: {clean(url)}" for url in sorted(runbooks)[:ALERTS_MAX]]
    if external_url:
        lines.append(f"  more: {clean(external_url)}")
    return ("\n".join(lines) + "\n").encode()


class StdoutSink:
    """Writes to the standard output of this process, or to a stream that is given."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    async def deliver(self, attempt: Attempt) -> None:
        """Print the block.

        Raises:
            DeliveryError: the stream is closed or broken.

        """
        stream = self._stream or sys.stdout
        encoding = stream.encoding or "utf-8"
        try:
            # a terminal that cannot show a character shows a question mark rather than nothing
            stream.write(attempt.body.decode().encode(encoding, "replace").decode(encoding))
            stream.flush()
        except (OSError, ValueError) as error:
            raise DeliveryError(
                DeliveryReason.CONNECTION_FAILED, type(error).__name__, retryable=False
            ) from None

    async def close(self) -> None:
        """Nothing: the stream is not ours."""


def _open(_config: StdoutReceiver) -> StdoutSink:
    return StdoutSink()


KIND = Kind(render, _open)
