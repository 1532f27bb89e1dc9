"""Finding: what the metrics of one node say about an incident, taken together."""

from dataclasses import dataclass

import numpy as np

from detectors.base import FloatArray
from streams.rank.deviation import ABNORMAL, Deviations
from streams.rank.onset import onset_row
from streams.rank.table import Column, Table

OTHER_METRIC = 0.5
"""Evidence in a metric of another kind than the symptom's: it supports and does not lead."""


@dataclass(frozen=True)
class Finding:
    """One node.

    Attributes:
        best: number of the column with most evidence.
        evidence: of that column, see `deviation`.
        deviation: of that column, in spreads.
        onset: first row of its abnormal run; None if it is not abnormal.
        also: number and deviation of its other abnormal columns, the largest first.
        rise: mean deviation in the symptom's metric, in its units; None without that metric.
        same: largest deviation in the symptom's metric and direction, in spreads; None without that metric.

    """

    best: int
    evidence: float
    deviation: float
    onset: int | None
    also: tuple[tuple[int, float], ...] = ()
    rise: float | None = None
    same: float | None = None


def findings(table: Table, found: Deviations, symptom: Column | None) -> dict[str, Finding]:
    """What is known of each node that has a metric with a known spread."""
    peak, evidence = found.peak, found.evidence.copy()
    rises, alike = np.full(len(peak), np.nan), np.zeros(len(peak), dtype=bool)
    deviation = peak.copy()
    if symptom is not None:
        alike = np.array([column.metric == symptom.metric for column in table.columns])
        towards, peaks = _direction(table, found, symptom)
        deviation[alike] = peaks[alike]
        evidence[alike] = found.over_habit(peaks)[alike]
        evidence[~alike] *= OTHER_METRIC
        rises = _mean(towards[found.first :]) * found.spread
    known: dict[str, list[int]] = {}
    for number in np.flatnonzero(np.isfinite(found.spread)).tolist():
        known.setdefault(table.columns[number].node, []).append(number)
    abnormal = found.abnormal
    nodes = {}
    for node, numbers in known.items():
        best = max(numbers, key=lambda n: (evidence[n], deviation[n], -n))
        also = sorted(((n, float(peak[n])) for n in numbers if n != best), key=lambda p: -p[1])
        shown = next((n for n in numbers if alike[n]), None)
        nodes[node] = Finding(
            best=best,
            evidence=float(evidence[best]),
            deviation=float(deviation[best]),
            onset=onset_row(abnormal[:, best], found.first),
            also=tuple(pair for pair in also if pair[1] >= ABNORMAL),
            rise=None if shown is None else float(np.nan_to_num(rises[shown])),
            same=None if shown is None else float(deviation[shown]),
        )
    return nodes


def _direction(table: Table, found: Deviations, symptom: Column) -> tuple[FloatArray, FloatArray]:
    """Deviations in the symptom's direction, and their peaks; both directions where the symptom shows none."""
    up, down = found.peak_up, found.peak_down
    number = table.columns.index(symptom)
    if max(up[number], down[number]) < ABNORMAL:
        return np.fmax(found.up, found.down), found.peak
    return (found.up, up) if up[number] >= down[number] else (found.down, down)


def _mean(rows: FloatArray) -> FloatArray:
    """Mean of the values that there are, 0 without any."""
    there = np.isfinite(rows)
    found: FloatArray = np.nan_to_num(rows).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    return found
