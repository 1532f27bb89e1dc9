"""Suppressor: an incident of which every firing alert is stopped by a gate is not told of now.

It is asked again one `group_interval` later. What stops it is written into its record, and written again only when that
is something else.
"""

from collections.abc import Callable

from schemas.alerts import Alert
from schemas.config import CorrelateConfig
from schemas.decisions import Decision
from schemas.reasons import AnnounceReason, IncidentChange
from streams.correlate.gates import Gates
from streams.correlate.lifecycle import Lifecycle

Write = Callable[[Lifecycle, int, IncidentChange, AnnounceReason | None], None]


class Suppressor:
    """Asks the gates, if there are any."""

    def __init__(self, gates: Gates | None, config: CorrelateConfig) -> None:
        self._gates = gates
        self._pause_ms = max(config.group_interval, 1)

    def note(self, alert: Alert) -> None:
        """Tell the gates of an alert, which may stop others."""
        if self._gates is not None:
            self._gates.note(alert)

    def stops(self, alert: Alert) -> bool:
        """Whether an alert would be stopped at its own time."""
        return self._gates is not None and self._gates.judge(alert, alert.time) is not None

    def stops_all(self, life: Lifecycle, at: int, write: Write) -> bool:
        """Whether each alert that fires is stopped; then that is written where it is news."""
        if self._gates is None or life.summary_of is not None or not life.firing:
            return False
        found: list[Decision] = []
        for fingerprint in sorted(life.firing):
            decision = self._gates.judge(life.alerts[fingerprint].alert, at)
            if decision is None:
                life.stopped_by = ()
                return False
            found.append(decision)
        life.resumed_at = at + self._pause_ms
        why = tuple(sorted({f"{d.alert} {d.gate.value} {d.by}" for d in found}))
        if why != life.stopped_by:
            life.stopped_by = why
            for decision in found:
                life.decide(decision)
            text = "; ".join(sorted({d.text for d in found}))
            life.note(at, IncidentChange.SUPPRESSED, text)
            write(life, at, IncidentChange.SUPPRESSED, None)
        return True
