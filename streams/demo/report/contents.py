"""Contents: everything a report is made of, as plain data.

All times are event times in ms since the epoch. Lists of one chart have the same length.
Refuses a chart whose lists differ in length: it would be drawn shifted, and nobody would see.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.alerts import Alert
from schemas.incidents import Incident
from schemas.remediations import Remediation
from streams.demo.verdict import Verdict


@dataclass(frozen=True)
class Chart:
    """One series as a line, and what a detector expected of it where one was asked.

    Attributes:
        unit: `s`, `bytes` and `ratio` are written for people; anything else is put behind the number.
        service: the entity that it is about, as alerts and causes name it.
        times: event times, ms, ascending.
        values: None where nothing was heard; the line has a gap there.
        expected, low, high: what was thought normal and its band; None where it is not known.

    Raises:
        ValueError: the lists differ in length.

    """

    title: str
    unit: str
    tenant: str
    service: str
    times: Sequence[int]
    values: Sequence[float | None]
    expected: Sequence[float | None] | None = None
    low: Sequence[float | None] | None = None
    high: Sequence[float | None] | None = None

    def __post_init__(self) -> None:
        columns = (self.values, self.expected, self.low, self.high)
        if any(column is not None and len(column) != len(self.times) for column in columns):
            raise ValueError(f"chart {self.title!r}: its lists differ in length")


@dataclass(frozen=True)
class ReportData:
    """A whole demo.

    Attributes:
        edges: the call graph, caller to callees.
        incidents: the latest record of each.
        alerts: transitions, in any order.
        remediations: intents and results, in any order.
        facts: what else there is to tell, such as the number of samples; shown as it is.

    """

    title: str
    seed: int
    start_ms: int
    end_ms: int
    edges: Mapping[str, tuple[str, ...]]
    verdict: Verdict
    incidents: Sequence[Incident]
    alerts: Sequence[Alert]
    remediations: Sequence[Remediation]
    charts: Sequence[Chart]
    facts: Mapping[str, str]
