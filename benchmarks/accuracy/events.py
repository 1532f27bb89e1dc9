"""Events: F1 over events with a limit to the delay, which papers' point-adjusted F1 is not.

An event is found when an alert falls on one of its first k + 1 rows. Rows outside of events are cut into slots of k + 1
rows, and a slot with an alert is one false alarm. Precision is found / (found + false slots), recall found / events.

Refuses to merge neighbouring alerts without a limit: what fires always would score high.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.kinds import Series
from detectors.base import BoolArray, FloatArray


@dataclass(frozen=True)
class EventScore:
    """F1 at one threshold, and what it is made of; `rows` are those outside of events."""

    f1: float
    precision: float
    recall: float
    threshold: float
    found: int
    events: int
    false: int
    rows: int

    @property
    def false_per_10k(self) -> float:
        """False alarms in 10,000 rows outside of events."""
        return 1e4 * self.false / self.rows if self.rows else 0.0


def heights(series: Series, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The largest score on the first k + 1 rows of each event, and of each slot outside."""
    told = np.nan_to_num(np.asarray(scores, np.float64), nan=-np.inf)
    width = series.limit + 1
    found = np.array([told[a : min(b + 1, a + width)].max() for a, b in series.events])
    slots = []
    for first, last in gaps(series):
        cuts = np.arange(first, last, width)
        if cuts.size:
            slots.append(np.maximum.reduceat(told[:last], cuts))
    return found, np.concatenate(slots) if slots else np.zeros(0)


def gaps(series: Series) -> list[tuple[int, int]]:
    """First row of each stretch outside of events, and the row behind its last."""
    firsts = [0, *(last + 1 for _, last in series.events)]
    lasts = [*(first for first, _ in series.events), series.times.size]
    return list(zip(firsts, lasts, strict=True))


def outside(series: Series) -> BoolArray:
    """Which rows are in no event."""
    out = np.ones(series.times.size, np.bool_)
    for first, last in series.events:
        out[first : last + 1] = False
    return out


def tally(series: Series, scores: FloatArray, thresholds: FloatArray) -> FloatArray:
    """Events found, false slots and events at each threshold, [thresholds, 3]; F1 is 2 found / the sum of all."""
    found, false = (np.sort(part) for part in heights(series, scores))
    hits = found.size - np.searchsorted(found, thresholds)
    misses = false.size - np.searchsorted(false, thresholds)
    return np.stack([hits, misses, np.full(hits.size, found.size)], axis=1).astype(np.float64)


def judge(
    corpus: Sequence[Series], scores: Mapping[str, FloatArray], threshold: float | None = None
) -> EventScore:
    """F1 at a threshold; without one, at the best. NaN never fires."""
    parts = [heights(series, scores[series.name]) for series in corpus]
    found = np.sort(np.concatenate([part[0] for part in parts]))
    false = np.sort(np.concatenate([part[1] for part in parts]))
    at = np.unique(found[np.isfinite(found)]) if threshold is None else np.array([threshold])
    if not at.size:
        at = np.array([np.inf])
    hits = found.size - np.searchsorted(found, at)
    misses = false.size - np.searchsorted(false, at)
    with np.errstate(invalid="ignore"):
        f1 = np.nan_to_num(2 * hits / (hits + misses + found.size))
    best = int(np.argmax(f1))
    rows = int(sum(outside(series).sum() for series in corpus))
    hit, miss = int(hits[best]), int(misses[best])
    return EventScore(
        float(f1[best]),
        hit / max(hit + miss, 1),
        hit / max(found.size, 1),
        float(at[best]),
        hit,
        found.size,
        miss,
        rows,
    )
