"""Range functions that look at the samples of a window one after the other or more than once.

Double exponential smoothing, the median absolute deviation, and when the extremes were; formulas as in Prometheus 3
(promql/functions.go).
"""

from collections.abc import Callable

import numpy as np

from schemas.errors import RuleError
from schemas.samples import Float64s
from streams.windows.arena import Windows
from streams.windows.blocks import Bools, blocks, quantile


def double_exponential_smoothing(
    windows: Windows, smoothing: Float64s, trend: Float64s
) -> tuple[Float64s, Bools]:
    """Level after the last sample; both factors lie between 0 and 1.

    Raises:
        RuleError: a factor does not.

    """
    for name, factors in (("smoothing", smoothing), ("trend", trend)):
        outside = factors[(factors <= 0) | (factors >= 1)]
        if len(outside):
            raise RuleError(
                f"invalid {name} factor. Expected: 0 < {name[0]}f < 1, got: {outside[0]:f}"
            )
    result = np.full(len(windows.low), np.nan)
    for block in blocks(windows.low, windows.high):
        values = windows.columns.values[block.cells]
        level_factor, trend_factor = smoothing[block.members], trend[block.members]
        before, level = np.zeros(len(values)), values[:, 0]
        slope = values[:, min(1, values.shape[1] - 1)] - values[:, 0]
        for at in range(1, values.shape[1]):
            if at > 1:
                slope = trend_factor * (level - before) + (1 - trend_factor) * slope
            new = level_factor * values[:, at] + (1 - level_factor) * (level + slope)
            inside = block.inside[:, at]
            before, level = np.where(inside, level, before), np.where(inside, new, level)
        result[block.members] = level
    return result, windows.high - windows.low > 1


def mad_over_time(windows: Windows) -> tuple[Float64s, Bools]:
    """Median distance from the median; NaN where a value is."""
    result = np.empty(len(windows.low))
    for block in blocks(windows.low, windows.high):
        values = windows.columns.values[block.cells]
        half = np.full(len(values), 0.5)
        median = quantile(values, block, half)
        apart = quantile(np.abs(values - median[:, None]), block, half)
        result[block.members] = np.where(np.isnan(values).any(axis=1), np.nan, apart)
    return result, np.ones(len(result), np.bool_)


def time_of(
    extreme: Callable[[Float64s], Float64s],
) -> Callable[[Windows], tuple[Float64s, Bools]]:
    """Range function: seconds since the epoch of the last of the extreme values, or of the last NaN."""

    def find(windows: Windows) -> tuple[Float64s, Bools]:
        result = np.empty(len(windows.low))
        for block in blocks(windows.low, windows.high):
            values = windows.columns.values[block.cells]
            goal = extreme(np.where(block.inside, values, np.nan))[:, None]
            there = ((values == goal) | np.isnan(goal)) & block.inside
            last = values.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
            cells = block.cells[np.arange(len(values)), last]
            result[block.members] = windows.columns.times[cells] / 1000
        return result, np.ones(len(result), np.bool_)

    return find


ts_of_max_over_time = time_of(lambda values: np.fmax.reduce(values, axis=1))
ts_of_min_over_time = time_of(lambda values: np.fmin.reduce(values, axis=1))


def ts_of_last_over_time(windows: Windows) -> tuple[Float64s, Bools]:
    """Seconds since the epoch of the newest sample; not before it, as in Prometheus."""
    times = np.maximum(windows.columns.times[windows.high - 1], 0)
    return times / 1000, np.ones(len(windows.low), np.bool_)


def ts_of_first_over_time(windows: Windows) -> tuple[Float64s, Bools]:
    """Seconds since the epoch of the oldest sample."""
    return windows.columns.times[windows.low] / 1000, np.ones(len(windows.low), np.bool_)
