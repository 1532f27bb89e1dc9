"""Behaviour: how the values of each series move, and what that says of its metric: counter or gauge.

Whole columns at a time: the samples of a chunk are brought together by series, and the last of each meets the first of
the next chunk. It refuses to know names' meaning beyond Prometheus's suffixes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from schemas.handles import is_handle
from streams.inspect.report import Metric

COUNTER_SUFFIXES = ("_total", "_count", "_sum", "_bucket")
RISES = 5
"""So many rises without a fall, in all series together, make a counter of what only ever rises."""


@dataclass(slots=True)
class _Columns:
    samples: NDArray[np.int64]
    histograms: NDArray[np.int64]
    rises: NDArray[np.int64]
    falls: NDArray[np.int64]
    first_ms: NDArray[np.int64]
    last_ms: NDArray[np.int64]
    last: NDArray[np.float64]
    least: NDArray[np.float64]
    most: NDArray[np.float64]


class Behaviour:
    """What is known of each series, by dense id."""

    def __init__(self) -> None:
        self._columns = _empty(0)

    def add(
        self, ids: NDArray[np.intp], times: NDArray[np.int64], values: NDArray[np.float64]
    ) -> None:
        """Take in samples in the order in which they came; times in ms."""
        if not len(ids):
            return
        self._grow(int(ids.max()) + 1)
        columns = self._columns
        handles = is_handle(values)
        np.add.at(columns.histograms, ids[handles], 1)
        np.add.at(columns.samples, ids, 1)
        np.minimum.at(columns.first_ms, ids, times)
        np.maximum.at(columns.last_ms, ids, times)
        numbers = np.isfinite(values)
        order = np.flatnonzero(numbers)[np.argsort(ids[numbers], kind="stable")]
        ids, values = ids[order], values[order]
        np.minimum.at(columns.least, ids, values)
        np.maximum.at(columns.most, ids, values)
        begins = np.diff(ids, prepend=-1) != 0
        before = np.concatenate(([np.nan], values[:-1]))
        before[begins] = columns.last[ids[begins]]
        np.add.at(columns.rises, ids, values > before)
        np.add.at(columns.falls, ids, values < before)
        columns.last[ids] = values  # of several the one that is written last stays

    def _grow(self, size: int) -> None:
        have = len(self._columns.samples)
        if size > have:
            more = _empty(max(size, 2 * have) - have)
            self._columns = _Columns(
                *(
                    np.concatenate((getattr(self._columns, f.name), getattr(more, f.name)))
                    for f in fields(_Columns)
                )
            )

    def metric(self, name: str, ids: Sequence[int]) -> Metric:
        """What the series with these ids, all of one metric, say of it; some may have no samples."""
        self._grow(max(ids) + 1)
        at = np.array(ids, np.intp)
        columns = self._columns
        samples = columns.samples[at]
        several = samples > 1
        apart = (columns.last_ms[at] - columns.first_ms[at])[several] / (samples[several] - 1)
        least, most = float(columns.least[at].min()), float(columns.most[at].max())
        kind, why = self._kind(name, at)
        return Metric(
            name=name,
            kind=kind,
            why=why,
            series=len(at),
            samples=int(samples.sum()),
            every_seconds=float(np.median(apart)) / 1000 if len(apart) else None,
            least=least if np.isfinite(least) else None,
            most=most if np.isfinite(most) else None,
        )

    def _kind(self, name: str, at: NDArray[np.intp]) -> tuple[str, str]:
        columns = self._columns
        rises, falls = int(columns.rises[at].sum()), int(columns.falls[at].sum())
        if columns.histograms[at].any():
            return "histogram", "native histograms"
        suffix = next((s for s in COUNTER_SUFFIXES if name.endswith(s)), "")
        if suffix:
            return "counter", f"its name ends with {suffix}"
        if falls:
            return "gauge", f"falls {falls} times, rises {rises} times"
        if rises >= RISES:
            return "counter", f"rises {rises} times and never falls"
        return "unknown", "too few changes to say"


def _empty(size: int) -> _Columns:
    return _Columns(
        samples=np.zeros(size, np.int64),
        histograms=np.zeros(size, np.int64),
        rises=np.zeros(size, np.int64),
        falls=np.zeros(size, np.int64),
        first_ms=np.full(size, np.iinfo(np.int64).max),
        last_ms=np.full(size, np.iinfo(np.int64).min),
        last=np.full(size, np.nan),
        least=np.full(size, np.inf),
        most=np.full(size, -np.inf),
    )
