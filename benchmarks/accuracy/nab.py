"""NAB: the score of the Numenta Anomaly Benchmark, standard profile, written from its published description.

Source: Lavin and Ahmad 2015 (arXiv:1510.03336). A detection is a row whose score reaches the threshold. The first 15 %
of a file, at most 750 rows, are not scored. In a window only the earliest detection counts, for S(p) / S(-1) with
S(p) = 2 / (1 + e^(5p)) - 1 and p from -1 at the left edge to about 0 at the right one; a window without one costs 1; a
detection outside costs 0.11 |S(p)|, p the distance to the window before, in window widths, and S = -1 from 3 on or
without one. 100 (raw - null) / (perfect - null): a detector that never fires has 0, one that fires at the first row of
every window 100.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.kinds import Series
from detectors.base import FloatArray, IntArray

PROBATION_SHARE, PROBATION_ROWS = 0.15, 750
FALSE_COST = 0.11
FAR = 3.0


@dataclass(frozen=True)
class NabScore:
    """A score at one threshold, with the windows found and the rows that were false."""

    score: float
    threshold: float
    found: int
    windows: int
    false_rows: int


def probation(rows: int) -> int:
    """How many rows at the beginning of a file are not scored."""
    return min(int(PROBATION_SHARE * rows), PROBATION_ROWS)


def sigmoid(position: FloatArray) -> FloatArray:
    """S(p), and -1 beyond 3."""
    near = np.minimum(position, FAR)
    return np.where(position > FAR, -1.0, 2.0 / (1.0 + np.exp(5.0 * near)) - 1.0)


def worth(series: Series) -> tuple[FloatArray, IntArray]:
    """What a detection at each row is worth, and the number of the row's window or -1."""
    size = series.times.size
    value, window = np.full(size, -1.0), np.full(size, -1)
    left = float(sigmoid(np.array(-1.0)))
    ends = [*(first for first, _ in series.events), size][1:]
    for number, ((first, last), end) in enumerate(zip(series.events, ends, strict=True)):
        width = last - first + 1
        rows = np.arange(first, last + 1)
        value[rows] = sigmoid((rows - last - 1) / width) / left
        window[rows] = number
        after = np.arange(last + 1, end)
        value[after] = sigmoid((after - last) / (width - 1))
    return value, window


def tally(series: Series, scores: FloatArray, thresholds: FloatArray) -> FloatArray:
    """At each threshold what windows bring, what false rows cost, and the number of windows, [thresholds, 3]."""
    value, window = worth(series)
    kept = slice(probation(series.times.size), None)
    value, window, told = value[kept], window[kept], np.asarray(scores, np.float64)[kept]
    out = np.zeros((len(thresholds), 3))
    out[:, 2] = len(series.events)
    for number, threshold in enumerate(thresholds.tolist()):
        loud = told >= threshold
        best = np.full(len(series.events), -1.0)
        inside = loud & (window >= 0)
        np.maximum.at(best, window[inside], value[inside])
        out[number, 0] = best.sum()
        out[number, 1] = FALSE_COST * value[loud & (window < 0)].sum()
    return out


def judge(
    corpus: Sequence[Series], scores: Mapping[str, FloatArray], threshold: float | None = None
) -> NabScore:
    """The score of the corpus at a threshold; without one, at the best.

    `scores` has one number for each row of each series, by name; NaN never fires.
    """
    values, windows, flat = [], [], []
    count = 0
    for series in corpus:
        value, window = worth(series)
        kept = slice(probation(series.times.size), None)
        values.append(value[kept])
        windows.append(np.where(window >= 0, window + count, -1)[kept])
        flat.append(np.asarray(scores[series.name], np.float64)[kept])
        count += len(series.events)
    value, window = np.concatenate(values), np.concatenate(windows)
    told = np.nan_to_num(np.concatenate(flat), nan=-np.inf)
    if threshold is not None:
        loud = told >= threshold
        value, window, told = value[loud], window[loud], told[loud]
    thresholds, raw, found, false = _sweep(value, window, told, count)
    best = int(np.argmax(raw)) if threshold is None else raw.size - 1
    # Never firing is -1 a window, perfect is +1.
    return NabScore(
        float(50.0 * (raw[best] + count) / count),
        float(thresholds[best]) if threshold is None else threshold,
        int(found[best]),
        count,
        int(false[best]),
    )


def _sweep(
    value: FloatArray, window: IntArray, told: FloatArray, count: int
) -> tuple[FloatArray, FloatArray, IntArray, IntArray]:
    """Raw score, windows found and false rows at every threshold, the highest first; entry 0 never fires."""
    order = np.argsort(-told, kind="stable")
    value, window, told = value[order], window[order], told[order]
    gain = np.where(window < 0, FALSE_COST * value, 0.0)
    new = np.zeros(told.size, np.int64)
    inside = np.flatnonzero(window >= 0)
    inside = inside[np.argsort(window[inside], kind="stable")]
    for rows in np.split(inside, np.flatnonzero(np.diff(window[inside])) + 1):
        if rows.size:
            gain[rows] = np.diff(np.maximum.accumulate(value[rows]), prepend=-1.0)
            new[rows[0]] = 1
    last = np.flatnonzero(np.append(np.diff(told) != 0, True)) if told.size else np.zeros(0, int)
    return (
        np.append(np.inf, told[last]),
        np.append(-count, -count + np.cumsum(gain)[last]),
        np.append(0, np.cumsum(new)[last]),
        np.append(0, np.cumsum(window < 0)[last]),
    )
