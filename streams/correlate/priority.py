"""Priority: how urgent an incident is for people, from a table of matchers over the labels of its alerts."""

from collections.abc import Iterable, Sequence

from schemas.alerts import Alert
from schemas.config.lifecycle import PriorityConfig
from schemas.labels import Matcher
from schemas.matchers import fulfils
from schemas.reasons import Priority

CACHE_MAX = 10_000


class Priorities:
    """The table with its matchers parsed; remembers what alike alerts got, at most `CACHE_MAX` of them."""

    def __init__(self, rows: Sequence[PriorityConfig]) -> None:
        self._rows: list[tuple[Priority, tuple[Matcher, ...]]] = [
            (row.priority, row.parsed) for row in rows
        ]
        self._asked = sorted({m.name for _, matchers in self._rows for m in matchers})
        self._known: dict[tuple[str | None, ...], Priority] = {}

    def of_alert(self, alert: Alert) -> Priority:
        """The priority that the first row that holds gives; the least urgent where none does."""
        asked = (alert.tenant, alert.severity, *map(alert.labels.get, self._asked))
        found = self._known.get(asked)
        if found is None:
            labels = {**alert.labels, "severity": alert.severity.value, "tenant": alert.tenant}
            rows = (priority for priority, matchers in self._rows if fulfils(labels, matchers))
            if len(self._known) >= CACHE_MAX:
                self._known.clear()
            found = self._known[asked] = next(rows, Priority.P3)
        return found

    def of_alerts(self, alerts: Iterable[Alert]) -> Priority:
        """The most urgent of these."""
        return min(map(self.of_alert, alerts), default=Priority.P3)
