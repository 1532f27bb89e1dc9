"""Trial: one incident of a public set with its known cause, and how a ranking of it is judged.

AC@k is the share of trials whose cause is among the first k; Avg@5 the mean of AC@1 to AC@5. A trial without an
alarm counts as missed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from streams.correlate.topology import Topology
from streams.rank import Column, Table, rank

DEPTH = 5


@dataclass(frozen=True)
class Trial:
    """One incident.

    Attributes:
        name: of the set's own.
        table: history and incident, the later rows too.
        graph: who calls whom.
        cause: the node that was made to fail.
        symptom: the column that the set names, None where it names none.
        alarm: when our own alarm came, ms; None if it did not.
        begun: when the fault began, ms.
        known: with the true time, the last row that is looked at, ms.
        kind: what the results are also given apart for.

    """

    name: str
    table: Table
    graph: Topology
    cause: str
    symptom: Column | None
    alarm: int | None
    begun: int
    known: int
    kind: str

    def place(self, *, own_alarm: bool, graph: bool, symptom: bool) -> int | None:
        """At which place, from 1, the cause is named; None if it is not."""
        at, until = (self.alarm, self.alarm) if own_alarm else (self.begun, self.known)
        if at is None or until is None:
            return None
        causes = rank(
            self.table.until(until),
            at,
            self.graph if graph else None,
            self.symptom if symptom else None,
        )
        named = [cause.entity for cause in causes]
        return named.index(self.cause) + 1 if self.cause in named else None


@dataclass(frozen=True)
class Score:
    """How well causes were found in some trials."""

    ac1: float
    ac3: float
    avg5: float
    trials: int

    def __str__(self) -> str:
        return f"{self.ac1:.2f} {self.ac3:.2f} {self.avg5:.2f}"


def score(places: Sequence[int | None]) -> Score:
    """The score of places, from 1, None for a miss."""
    found = np.array([DEPTH + 1 if place is None else place for place in places])
    hits = [float(np.mean(found <= k)) for k in range(1, DEPTH + 1)]
    return Score(hits[0], hits[2], float(np.mean(hits)), len(places))


def spread_over_halves(places: Sequence[int | None], halves: int = 200) -> tuple[float, float]:
    """The 5 and 95 % quantiles of Avg@5 over random halves, from a fixed seed: what other trials would give."""
    draw = np.random.default_rng(0)
    found = [
        score([places[i] for i in draw.permutation(len(places))[: max(1, len(places) // 2)]]).avg5
        for _ in range(halves)
    ]
    low, high = np.quantile(found, [0.05, 0.95])
    return float(low), float(high)
