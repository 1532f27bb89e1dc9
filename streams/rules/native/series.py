"""Functions over a window that holds histograms: what they make of its samples, one series at a time.

As in Prometheus 3 (promql/functions.go: histogramRate, instantValue, funcSumOverTime and their kin). A window of floats
and histograms has no rate and no sum; functions that know floats only do not see the histograms, elsewhere.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from msgspec.structs import replace

from schemas.histograms import Hint, NativeHistogram
from streams.rules.counters import EXTRAPOLATION_LIMIT
from streams.rules.native.arithmetic import (
    IncompatibleError,
    added,
    at_schema,
    average,
    divided,
    is_reset,
    same,
    scaled,
    total,
)

Value: TypeAlias = float | NativeHistogram


class Points(NamedTuple):
    """The samples of one series in (start_ms, end_ms]: times in ms and values, at least one a histogram."""

    times: list[int]
    values: list[Value]
    start_ms: int
    end_ms: int

    @property
    def histograms(self) -> list[NativeHistogram] | None:
        """The values, if all are histograms."""
        found = [value for value in self.values if isinstance(value, NativeHistogram)]
        return found if len(found) == len(self.values) else None


NativeFunction: TypeAlias = Callable[[Points], Value | None]
"""What becomes of a window with histograms; None for nothing."""


def if_compatible(function: NativeFunction) -> NativeFunction:
    """The same function, with nothing where exponential and custom buckets meet."""

    def call(points: Points) -> Value | None:
        try:
            return function(points)
        except IncompatibleError:
            return None

    return call


@if_compatible
def sum_over_time(points: Points) -> Value | None:
    """Sum of the histograms."""
    found = points.histograms
    return None if found is None else total(found)


@if_compatible
def avg_over_time(points: Points) -> Value | None:
    """Mean of the histograms."""
    found = points.histograms
    return None if found is None else average(found)


def _between(now: Value, before: Value) -> tuple[NativeHistogram, NativeHistogram] | None:
    """Two histograms, None where one of them is a float."""
    if isinstance(now, NativeHistogram) and isinstance(before, NativeHistogram):
        return now, before
    return None


def resets(points: Points) -> Value:
    """How often a counter was reset; a change from float to histogram and back is one."""
    found = 0
    for before, now in pairwise(points.values):
        both = _between(now, before)
        if both is not None:
            found += is_reset(*both)
        elif isinstance(now, float) and isinstance(before, float):
            found += now < before
        else:
            found += 1
    return float(found)


def changes(points: Points) -> Value:
    """How often the value changed; a change from float to histogram and back is one."""
    found = 0
    for before, now in pairwise(points.values):
        both = _between(now, before)
        if both is not None:
            found += not same(*both)
        elif isinstance(now, float) and isinstance(before, float):
            found += now != before and not (now != now and before != before)  # noqa: PLR0124  NaN
        else:
            found += 1
    return float(found)


def _last_two(points: Points, *, is_counter: bool) -> NativeHistogram | float | None:
    if len(points.values) <= 1:
        return None
    before, now = points.values[-2:]
    both = _between(now, before)
    if both is not None:
        step = both[0]
        if not is_counter or not is_reset(*both):
            step = added(*both, sign=-1.0)
        return replace(step, hint=Hint.GAUGE)
    if isinstance(now, float) and isinstance(before, float):
        return now if is_counter and now < before else now - before
    return None


@if_compatible
def idelta(points: Points) -> Value | None:
    """Difference of the last two samples."""
    return _last_two(points, is_counter=False)


@if_compatible
def irate(points: Points) -> Value | None:
    """Rate per second between the last two samples."""
    step = _last_two(points, is_counter=True)
    if step is None:
        return None
    seconds = (points.times[-1] - points.times[-2]) / 1000
    return divided(step, seconds) if isinstance(step, NativeHistogram) else step / seconds


def _increase(found: Sequence[NativeHistogram], *, is_counter: bool) -> NativeHistogram:
    """Last less first, and for a counter what was lost in resets."""
    first, last = found[0], found[-1]
    if is_counter and is_reset(found[1], first):
        # what the first sample held was lost before the second, whatever its buckets were
        first = NativeHistogram(schema=found[1].schema, bounds=found[1].bounds)
    if last.is_custom != first.is_custom:
        raise IncompatibleError("exponential and custom buckets")
    schema = min(last.schema, first.schema)
    if is_counter:
        if any(each.is_custom != first.is_custom for each in found[1:-1]):
            raise IncompatibleError("exponential and custom buckets")
        schema = min([schema, *(each.schema for each in found[1:-1])])
    result = added(at_schema(last, schema), first, sign=-1.0)
    if is_counter:
        before = first
        for now in found[1:]:
            if is_reset(now, before):
                result = added(result, before)
            before = now
    return result


def extrapolated(*, is_counter: bool, per_second: bool) -> NativeFunction:
    """Increase or difference, extrapolated to the edges of the window as that of floats is."""

    @if_compatible
    def call(points: Points) -> Value | None:
        found = points.histograms
        if found is None or len(found) <= 1:
            return None
        result = _increase(found, is_counter=is_counter)
        to_start = (points.times[0] - points.start_ms) / 1000
        to_end = (points.end_ms - points.times[-1]) / 1000
        sampled = (points.times[-1] - points.times[0]) / 1000
        between = sampled / (len(found) - 1)
        limit = between * EXTRAPOLATION_LIMIT
        if to_start >= limit:
            to_start = between / 2
        if is_counter and result.count > 0 and found[0].count >= 0:
            to_start = min(to_start, sampled * (found[0].count / result.count))
        if to_end >= limit:
            to_end = between / 2
        factor = (sampled + to_start + to_end) / sampled
        if per_second:
            factor /= (points.end_ms - points.start_ms) / 1000
        return scaled(replace(result, hint=Hint.GAUGE), factor)

    return call


rate = extrapolated(is_counter=True, per_second=True)
increase = extrapolated(is_counter=True, per_second=False)
delta = extrapolated(is_counter=False, per_second=False)
