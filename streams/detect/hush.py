"""Hush: after an outage nobody is told of time until what was missed is nearly caught up with.

A stage that goes on from a snapshot knows how long ago that was written: the end of the backlog lies as far behind
the last record that it had read. Until it is within `page_horizon` of that end it sends alerts but no ticks, and none
as urgent. Then the first tick passes all of it at once, and says when: so the correlator sees which alerts had ended
before they became known, records those as historical, and tells of what still holds once.

What is told of the outage stands in the ticks, so the correlator's output is a function of its log as ever; a replay
that knows of no outage tells of everything. It refuses to be silent for ever: where nothing comes any more, the idle
verdict of the source takes event time past the end.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from schemas.alerts import Alert, Found, Tick
from streams.time.watermark import BEFORE_ALL


class Hush:
    """What one detect partition keeps to itself.

    Attributes:
        end: record time at which the backlog ends, ms; before all time where there is none.

    """

    def __init__(self, horizon_ms: int) -> None:
        self._horizon_ms = horizon_ms
        self.end = BEFORE_ALL

    def resumed(self, record_time: int, away_ms: int) -> None:
        """Work goes on behind this record time after so long; a shorter absence does not end a longer one."""
        if away_ms > self._horizon_ms and record_time > BEFORE_ALL:
            self.end = max(self.end, record_time + away_ms)

    def over(self, found: Iterable[Found]) -> list[Found]:
        """What of these is to be told, and how."""
        until = self.end - self._horizon_ms
        told: list[Found] = []
        for each in found:
            if isinstance(each, Tick):
                if each.time < until:
                    continue
                told.append(replace(each, record_time=max(each.record_time, self.end)))
            elif isinstance(each, Alert) and each.urgent and each.time < until:
                told.append(replace(each, urgent=False))
            else:
                told.append(each)
        return told
