"""What every peer must come to: the checksums of the very messages that were written, computed by numpy.

A way of its own to the same figures, over columns: a fault in job.py, or in its Java form, would show.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from benchmarks import workload
from benchmarks.peers.job import LIMIT, SCORED_FROM, WARM_UP_SAMPLES, WINDOW_MS

EXACT = ("samples", "alerts", "windows")
SUMS = ("scores", "means")
TOLERANCE = 1e-6
"""Of a sum, for rounding; and one more, for the sums are told as whole numbers."""


class Written:
    """Takes the messages in passing, on their way to the broker."""

    def __init__(self) -> None:
        self._rows: dict[bytes, int] = {}
        self._series, self._times, self._values = array("q"), array("q"), array("d")

    def watch(self, messages: Iterable[workload.Message]) -> Iterator[workload.Message]:
        """The same messages."""
        rows = self._rows
        for message in messages:
            text = message.value
            start = text.index(b'"value":') + 8
            self._values.append(float(text[start : text.index(b",", start)]))
            self._series.append(rows.setdefault(message.key, len(rows)))
            self._times.append(message.time_ms)
            yield message

    def checksums(self) -> dict[str, int]:
        """As `Totals.notes` has them."""
        series = np.frombuffer(self._series, np.int64)
        order = np.argsort(series, kind="stable")
        series = series[order]
        first = np.flatnonzero(np.diff(series, prepend=-1))
        lengths = np.diff(first, append=series.size)
        values = np.frombuffer(self._values, np.float64)[order]
        ranks = np.arange(series.size) - np.repeat(first, lengths)
        windows = np.frombuffer(self._times, np.int64)[order] // WINDOW_MS
        closed, means = _windows(series, windows, values)
        scores = _scores(first, lengths, values)
        told = np.abs(scores[ranks >= SCORED_FROM])
        return {
            "samples": series.size,
            "alerts": int(np.count_nonzero(np.abs(scores[ranks >= WARM_UP_SAMPLES]) >= LIMIT)),
            "scores": round(float(told.sum())),
            "windows": closed,
            "means": round(means),
        }


def _scores(
    first: NDArray[np.int64],
    lengths: NDArray[np.int64],
    values: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Of each sample, series after series; one round for all first samples, one for all second ones, and so on."""
    scores = np.zeros(values.size)
    mean, squares = np.zeros(first.size), np.zeros(first.size)
    for rank in range(int(lengths.max(initial=0))):
        alive = np.flatnonzero(lengths > rank)
        at = first[alive] + rank
        delta = values[at] - mean[alive]
        spread = squares[alive]
        known = spread > 0.0
        scores[at[known]] = delta[known] / np.sqrt(spread[known] / (max(rank - 1, 1)))
        mean[alive] += delta / (rank + 1)
        squares[alive] += delta * (values[at] - mean[alive])
    return scores


def _windows(
    series: NDArray[np.int64],
    windows: NDArray[np.int64],
    values: NDArray[np.float64],
) -> tuple[int, float]:
    """How many windows closed, and the sum of their means; the last window of each series is open still."""
    begins = (np.diff(series, prepend=-1) != 0) | (np.diff(windows, prepend=-1) != 0)
    starts = np.flatnonzero(begins)
    if not starts.size:
        return 0, 0.0
    sums = np.add.reduceat(values, starts)
    counts = np.diff(starts, append=values.size)
    closed = np.append(series[starts][1:] == series[starts][:-1], False)
    return int(np.count_nonzero(closed)), float((sums / counts)[closed].sum())


def differences(expected: Mapping[str, int], found: Mapping[str, int]) -> list[str]:
    """Which checksums are others, as text; empty where it was the same job."""
    wrong = [name for name in EXACT if found[name] != expected[name]]
    wrong += [
        name
        for name in SUMS
        if abs(found[name] - expected[name]) > 1 + TOLERANCE * abs(expected[name])
    ]
    return [f"{name} {found[name]} instead of {expected[name]}" for name in wrong]
