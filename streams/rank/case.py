"""Case: all that is known of one incident when its causes are ranked and when the reasons are put into words."""

from collections.abc import Mapping
from dataclasses import dataclass

from streams.correlate.topology import Topology
from streams.rank.blame import Walk
from streams.rank.deviation import Deviations
from streams.rank.finding import Finding
from streams.rank.table import Column, Table


@dataclass(frozen=True)
class Case:
    """One incident.

    Attributes:
        nodes: what is known of each node with metrics.
        symptom: the column that raised the alarm, None if nobody said.
        followed: the column that correlations are with; None where nothing is abnormal.
        correlations: of each abnormal node, how strong, and how many rows ahead.
        walk: the blame's way from the symptom; None without a graph or a symptom.

    """

    table: Table
    found: Deviations
    nodes: Mapping[str, Finding]
    graph: Topology | None
    symptom: Column | None
    followed: Column | None
    correlations: Mapping[str, tuple[float, int]]
    walk: Walk | None

    def time(self, row: int) -> int:
        """Event time of a row, ms."""
        return int(self.table.times[row])

    @property
    def abnormal(self) -> tuple[str, ...]:
        """The nodes with an abnormal metric, in order of name."""
        return tuple(sorted(n for n, f in self.nodes.items() if f.onset is not None))
