"""How fast and how often a value moves: rate, increase and their kin, changes, resets, regression.

Formulas as in Prometheus 3 (promql/functions.go: extrapolatedRate, instantValue, linearRegression).
"""

import numpy as np

from schemas.samples import Float64s, Int64s
from streams.windows.arena import Windows
from streams.windows.blocks import Block, Bools, blocks, compensated_sum, reduce_stretches

PIECE = 16384
"""Windows at a time: what is computed of them stays in the cache of a core."""
COLUMNS = 6
"""So many columns hold all that is computed of a piece."""
EXTRAPOLATION_LIMIT = 1.1
"""A window's edge nearer than 1.1 mean distances of samples is taken to be within the series."""


def rate(windows: Windows) -> tuple[Float64s, Bools]:
    """Increase per second of a counter, extrapolated to the edges of the window."""
    return _extrapolated(windows, is_counter=True, per_seconds=windows.span_ms / 1000)


def increase(windows: Windows) -> tuple[Float64s, Bools]:
    """Increase of a counter, falls taken as resets to zero, extrapolated to the edges of the window."""
    return _extrapolated(windows, is_counter=True)


def delta(windows: Windows) -> tuple[Float64s, Bools]:
    """Difference of a gauge, extrapolated to the edges of the window."""
    return _extrapolated(windows, is_counter=False)


def _extrapolated(
    windows: Windows, *, is_counter: bool, per_seconds: float = 1.0
) -> tuple[Float64s, Bools]:
    result = np.empty(len(windows.low))
    counts = windows.high - windows.low
    scratch = np.empty((COLUMNS, min(PIECE, len(result))))
    for start in range(0, len(result), PIECE):
        stretch = slice(start, start + PIECE)
        piece, made = windows.part(stretch), result[stretch]
        made[:] = _extrapolate(
            piece,
            counts[stretch],
            scratch[:, : len(made)],
            is_counter=is_counter,
            per_seconds=per_seconds,
        )
    return result, counts > 1


def _extrapolate(
    windows: Windows, counts: Int64s, scratch: Float64s, *, is_counter: bool, per_seconds: float
) -> Float64s:
    """Increase of each window. It lies in `scratch`, written over from piece to piece: it stays in the cache."""
    values, low = windows.columns.values, windows.low
    result: Float64s
    result, to_start, to_end, sampled, average, other = scratch
    whole, mask = other.view(np.int64), np.empty(len(low), np.bool_)
    first_value = values.take(low)
    if windows.edges is None:
        times, last = windows.columns.times, windows.high - 1
        first_ms, last_ms, last_value = times[low], times[last], values[last]
    else:
        first_ms, last_ms, last_value, *_ = windows.edges
    np.subtract(last_value, first_value, out=result)
    if is_counter:
        falls = _falling(windows)
        if falls.any():
            fallen = np.flatnonzero(falls)
            result[fallen] += _lost_in_resets(values, low[fallen], windows.high[fallen])

    # all in ms, for only their ratio counts
    to_start[:] = np.subtract(first_ms, windows.start_ms, out=whole)
    to_end[:] = np.subtract(windows.end_ms, last_ms, out=whole)
    sampled[:] = np.subtract(last_ms, first_ms, out=whole)
    average[:] = np.subtract(counts, 1, out=whole)
    np.divide(sampled, average, out=average)
    limit = np.multiply(average, EXTRAPOLATION_LIMIT, out=other)
    half = np.multiply(average, 0.5, out=average)
    for edge in (to_start, to_end):
        if np.greater_equal(edge, limit, out=mask).any():
            np.copyto(edge, half, where=mask)
    if is_counter:
        # A counter is not below zero: it cannot have begun before the line through it meets zero.
        to_zero = np.divide(first_value, result, out=other)
        to_zero *= sampled
        if np.less(to_zero, to_start, out=mask).any():
            mask &= result > 0
            mask &= first_value >= 0
            np.copyto(to_start, to_zero, where=mask)
    to_start += sampled
    to_start += to_end
    sampled *= per_seconds
    to_start /= sampled
    result *= to_start
    return result


def _falling(windows: Windows) -> Bools:
    """In which windows a value falls."""
    return _falls(windows) > 0 if windows.edges is None else windows.edges.falls


def _falls(windows: Windows) -> Int64s:
    running = windows.columns.resets
    return running[windows.high - 1] - running[windows.low]


def _lost_in_resets(values: Float64s, low: Int64s, high: Int64s) -> Float64s:
    """Sum of the values from which a counter fell."""

    def lost(found: Float64s, block: Block) -> Float64s:
        dropped = np.zeros_like(found)
        falls = (found[:, 1:] < found[:, :-1]) & block.inside[:, 1:]
        dropped[:, :-1] = np.where(falls, found[:, :-1], 0.0)
        return compensated_sum(dropped)

    return reduce_stretches(values, low, high, lost)


def resets(windows: Windows) -> tuple[Float64s, Bools]:
    """How often the value fell."""
    return _falls(windows).astype(np.float64), np.ones(len(windows.low), np.bool_)


def changes(windows: Windows) -> tuple[Float64s, Bools]:
    """How often the value changed; one NaN is like another."""

    def changed(found: Float64s, block: Block) -> Float64s:
        left, right = found[:, :-1], found[:, 1:]
        differ = (left != right) & ~(np.isnan(left) & np.isnan(right)) & block.inside[:, 1:]
        often: Float64s = np.count_nonzero(differ, axis=1).astype(np.float64)
        return often

    values = reduce_stretches(windows.columns.values, windows.low, windows.high, changed)
    return values, np.ones(len(values), np.bool_)


def irate(windows: Windows) -> tuple[Float64s, Bools]:
    """Rate per second between the last two samples of a counter."""
    step, there = _last_two(windows, is_counter=True)
    last, older = _last_pair(windows)
    times = windows.columns.times
    return step / ((times[last] - times[older]) / 1000), there


def idelta(windows: Windows) -> tuple[Float64s, Bools]:
    """Difference of the last two samples of a gauge."""
    return _last_two(windows, is_counter=False)


def _last_two(windows: Windows, *, is_counter: bool) -> tuple[Float64s, Bools]:
    there = windows.high - windows.low > 1
    newer, older = (windows.columns.values[at] for at in _last_pair(windows))
    if is_counter:
        return np.where(newer < older, newer, newer - older), there
    return newer - older, there


def _last_pair(windows: Windows) -> tuple[Int64s, Int64s]:
    """Where the last two samples of each window are; twice the same where there is only one."""
    last = windows.high - 1
    return last, np.maximum(last - 1, windows.low)


def deriv(windows: Windows) -> tuple[Float64s, Bools]:
    """Slope per second of the line of least squares."""
    origin = windows.columns.times[windows.low]
    slope, _ = _regression(windows, origin)
    return slope, windows.high - windows.low > 1


def predict_linear(windows: Windows, ahead_seconds: Float64s) -> tuple[Float64s, Bools]:
    """Value of the line of least squares so many seconds after the time of the evaluation."""
    origin = np.full(len(windows.low), windows.t_ms)
    slope, intercept = _regression(windows, origin)
    return slope * ahead_seconds + intercept, windows.high - windows.low > 1


def _regression(windows: Windows, origin_ms: Int64s) -> tuple[Float64s, Float64s]:
    """Slope per second and value at the origin of the line of least squares through each window."""
    slope, intercept = np.empty(len(windows.low)), np.empty(len(windows.low))
    for block in blocks(windows.low, windows.high):
        inside, n = block.inside, block.counts
        y = np.where(inside, windows.columns.values[block.cells], 0.0)
        since = windows.columns.times[block.cells] - origin_ms[block.members, None]
        x = np.where(inside, since / 1000, 0.0)
        sum_x, sum_y = compensated_sum(x), compensated_sum(y)
        slopes = (compensated_sum(x * y) - sum_x * sum_y / n) / (
            compensated_sum(x * x) - sum_x * sum_x / n
        )
        intercepts = sum_y / n - slopes * sum_x / n
        first = y[:, :1]
        constant = ((y == first) | ~inside).all(axis=1)
        level = np.where(np.isinf(first[:, 0]), np.nan, first[:, 0])
        slope[block.members] = np.where(constant, level * 0.0, slopes)
        intercept[block.members] = np.where(constant, level, intercepts)
    return slope, intercept
