"""Preview: what a silence would have kept from being told, had it stood for all of a past span.

It reads incidents of the history in their last record. It judges each alert at the time at which it began to fire, so
for a silence that names a time interval that moment counts.
"""

from collections.abc import Iterable
from typing import NamedTuple

from schemas.incidents import Incident, IncidentAlert
from schemas.matchers import fulfils, parse_all
from schemas.silences import Silence
from streams.time.intervals import Intervals


class Foreseen(NamedTuple):
    """Alerts of an incident that would have been silenced, and whether those are all of it."""

    incident: Incident
    alerts: tuple[IncidentAlert, ...]

    @property
    def whole(self) -> bool:
        """Nobody would have been told of the incident."""
        return len(self.alerts) == len(self.incident.alerts) and not self.incident.omitted


def preview(
    silence: Silence, incidents: Iterable[Incident], intervals: Intervals
) -> list[Foreseen]:
    """The incidents of the silence's tenant with alerts in its span that it is about, in the order given.

    Raises:
        ValueError: a text of the silence is no matcher.

    """
    sets = [parse_all(texts) for texts in silence.matchers]
    found = []
    for incident in incidents:
        if incident.tenant != silence.tenant:
            continue
        alerts = tuple(
            item
            for item in incident.alerts
            if silence.starts_at <= item.first_at < silence.ends_at
            and (not silence.interval or intervals.contains(silence.interval, item.first_at))
            and any(fulfils(item.alert.labels, each) for each in sets)
        )
        if alerts:
            found.append(Foreseen(incident, alerts))
    return found
