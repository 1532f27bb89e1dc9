"""Priority: how urgent an incident is for people, from a table of matchers over the labels of its alerts."""

from collections.abc import Iterable, Sequence

from schemas.alerts import Alert
from schemas.config.lifecycle import PriorityConfig
from schemas.labels import Matcher, make_labels
from schemas.reasons import Priority

CACHE_MAX = 10_000


class Priorities:
    """The table with its matchers parsed; what was decided for an alert is kept for the last `CACHE_MAX` alerts."""

    def __init__(self, rows: Sequence[PriorityConfig]) -> None:
        self._rows: list[tuple[Priority, tuple[Matcher, ...]]] = [
            (row.priority, row.parsed) for row in rows
        ]
        self._known: dict[tuple[str, str], Priority] = {}

    def of_alert(self, alert: Alert) -> Priority:
        """The priority that the first row that holds gives; the least urgent where none does."""
        key = (alert.tenant, alert.fingerprint)
        found = self._known.get(key)
        if found is None:
            found = self._judge(alert)
            if len(self._known) >= CACHE_MAX:
                del self._known[next(iter(self._known))]
            self._known[key] = found
        return found

    def _judge(self, alert: Alert) -> Priority:
        labels = make_labels(
            {**alert.labels, "severity": alert.severity.value, "tenant": alert.tenant}
        )
        for priority, matchers in self._rows:
            if all(matcher.matches(labels) for matcher in matchers):
                return priority
        return Priority.P3

    def of_alerts(self, alerts: Iterable[Alert]) -> Priority:
        """The most urgent of these."""
        return min(map(self.of_alert, alerts), default=Priority.P3)
