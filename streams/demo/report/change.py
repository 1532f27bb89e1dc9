"""Change: how far a chart moved while something lasted, to show first what tells most.

The measure is the distance of the median while it lasted from the median before, in robust standard deviations
of the time before (1.4826 times the median absolute deviation, the factor for normal noise; Rousseeuw and Croux,
1993). Silence, where there was none before, is the greatest change of all.
Refuses to decide: the number only puts charts in order.
"""

from math import inf

import numpy as np
from numpy.typing import NDArray

from streams.demo.report.contents import Chart

NORMAL = 1.4826
LEAST_SPREAD_RATIO = 0.02
"""Of the usual value: less noise than this is not to make a small step great."""


def change(chart: Chart, start_ms: int, end_ms: int, before_ms: int) -> float:
    """How far it moved in [start_ms, end_ms) from what it was in the `before_ms` before; 0 when nothing is known."""
    times = np.asarray(chart.times, dtype=np.int64)
    values = np.asarray([np.nan if v is None else v for v in chart.values], dtype=np.float64)
    heard = np.isfinite(values)
    before = values[heard & (times >= start_ms - before_ms) & (times < start_ms)]
    during = values[heard & (times >= start_ms) & (times < end_ms)]
    if not before.size:
        return 0.0
    if not during.size:
        return inf
    usual = _median(before)
    spread = max(NORMAL * _median(np.abs(before - usual)), LEAST_SPREAD_RATIO * abs(usual))
    moved = abs(_median(during) - usual)
    return moved / spread if spread else (inf if moved else 0.0)


def _median(values: NDArray[np.float64]) -> float:
    return float(np.median(values))
