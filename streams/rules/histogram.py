"""`histogram_quantile` and `histogram_fraction`; of classic histograms, whose buckets are series with a label `le`.

Linear interpolation within the bucket in which the rank falls, with Prometheus's corrections (promql/quantile.go,
BucketQuantile): equal bounds are added up, tiny differences of neighbouring buckets are taken for rounding, and
counts that fall from one bucket to the next are raised. A histogram without a bucket `+Inf` has no quantile.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from schemas.labels import METRIC, Labels, get_label
from schemas.samples import Float64s, Int64s
from streams.rules.native import buckets
from streams.rules.node import Moment, ScalarNode, VectorNode
from streams.rules.vector import (
    METADATA,
    LabelSpace,
    Projection,
    Vector,
    drop_these,
    refuse_duplicates,
)
from streams.windows.blocks import Bools, blocks, reduce_stretches, total

BUCKET = "le"
SMALL_DELTA = 1e-12
LEAST_NORMAL = float(np.finfo(np.float64).tiny)
_NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|infinity)", re.IGNORECASE)


def upper_bound(labels: Labels) -> float:
    """Bound of a bucket; NaN where `le` is missing or no number, and the series is no bucket."""
    text = get_label(labels, BUCKET)
    return float(text) if _NUMBER.fullmatch(text) else np.nan


def raise_falls(counts: Float64s) -> None:
    """Make the counts of each row grow from bucket to bucket, in place; ignore differences of rounding."""
    before = counts[:, 0].copy()
    for column in range(1, counts.shape[1]):
        now = counts[:, column]
        size, apart = np.abs(before) + np.abs(now), np.abs(before - now)
        tiny = (before == 0) | (now == 0) | (size < LEAST_NORMAL)
        scale = np.where(tiny, LEAST_NORMAL, np.minimum(size, np.finfo(np.float64).max))
        same = (apart / scale < SMALL_DELTA) | (now < before)
        counts[:, column] = np.where(same, before, now)
        before = counts[:, column].copy()


def bucket_quantile(phi: Float64s, bounds: Float64s, counts: Float64s, widths: Int64s) -> Float64s:
    """Quantile of each histogram.

    `bounds` and `counts` are float64[k, w], bounds ascending and distinct in each row; the first `widths[i]`
    of row i are its buckets, the rest repeats the last one.
    """
    raise_falls(counts)
    each = np.arange(len(counts))
    last = widths - 1
    observations = counts[each, last]
    rank = np.clip(np.nan_to_num(phi), 0.0, 1.0) * observations
    reached = counts >= rank[:, None]
    reached[each, last] = True
    at = np.minimum(reached.argmax(axis=1), last)
    before = np.maximum(at - 1, 0)
    start = np.where(at > 0, bounds[each, before], 0.0)
    below = np.where(at > 0, counts[each, before], 0.0)
    end = bounds[each, at]
    inside = start + (end - start) * ((rank - below) / (counts[each, at] - below))
    result = np.where((at == 0) & (end <= 0), end, inside)
    result = np.where(at == last, bounds[each, np.maximum(last - 1, 0)], result)
    usable = np.isposinf(bounds[each, last]) & (last > 0) & (observations != 0)
    result = np.where(usable, result, np.nan)
    result = np.where(phi < 0, -np.inf, np.where(phi > 1, np.inf, result))
    return np.where(np.isnan(phi), np.nan, result)


def bucket_fraction(
    lower: Float64s, upper: Float64s, bounds: Float64s, counts: Float64s, widths: Int64s
) -> Float64s:
    """Share of the observations of each histogram between two values; arrays as in `bucket_quantile`.

    promql/quantile.go, BucketFraction: linear within a bucket, nothing within one that is infinitely wide.
    """
    each, last = np.arange(len(counts)), widths - 1
    observations = counts[each, last]
    high, low = (_below(value, bounds, counts, widths) for value in (upper, lower))
    result = np.where(lower >= upper, 0.0, (high - low) / observations)
    usable = np.isposinf(bounds[each, last]) & (observations != 0)
    return np.where(usable & ~np.isnan(lower) & ~np.isnan(upper), result, np.nan)


def _below(value: Float64s, bounds: Float64s, counts: Float64s, widths: Int64s) -> Float64s:
    """Observations of each histogram up to a value."""
    each, last = np.arange(len(counts)), widths - 1
    inside = np.arange(bounds.shape[1]) < widths[:, None]
    at = ((bounds <= value[:, None]) & inside).sum(axis=1)
    bucket = np.minimum(at, last)
    before = np.maximum(bucket - 1, 0)
    first = np.where(bounds[:, 0] > 0, 0.0, -np.inf)
    start = np.where(bucket > 0, bounds[each, before], first)
    rank = np.where(bucket > 0, counts[each, before], 0.0)
    now, end = counts[each, bucket], bounds[each, bucket]
    found = np.where(np.isneginf(start), now, rank + (now - rank) * (value - start) / (end - start))
    found = np.where(start >= value, rank, found)
    observations = counts[each, last]
    return np.where(at > last, observations, np.minimum(found, observations))


class Classic(NamedTuple):
    """Classic histograms: numbers of their label sets, and the stretches of bounds and counts that each has."""

    histograms: Int64s
    low: Int64s
    high: Int64s
    bounds: Float64s
    counts: Float64s

    def keep(self, mask: Bools) -> "Classic":
        """The histograms where the mask is true."""
        return self._replace(
            histograms=self.histograms[mask], low=self.low[mask], high=self.high[mask]
        )


class Estimate(NamedTuple):
    """How something is estimated from classic histograms, as `bucket_quantile` is, and from a native one."""

    classic: Callable[..., Float64s]
    native: Callable[..., float]


ESTIMATES = {
    "histogram_fraction": Estimate(bucket_fraction, buckets.fraction),
    "histogram_quantile": Estimate(bucket_quantile, buckets.quantile),
}


class HistogramCall(VectorNode):
    """`histogram_quantile(phi, v)` and `histogram_fraction(lower, upper, v)`."""

    def __init__(
        self, estimate: Estimate, scalars: Sequence[ScalarNode], vector: VectorNode
    ) -> None:
        self.space = LabelSpace()
        self.children = (*scalars, vector)
        self._estimate = estimate
        self._scalars = scalars
        self._buckets = vector
        # Histograms of different names stay apart until their results meet.
        histograms = LabelSpace()
        self.own_spaces = (self.space, histograms)
        self._histogram = Projection(vector.space, histograms, drop_these(frozenset({BUCKET})))
        nameless = drop_these(frozenset({BUCKET, METRIC}) | METADATA)
        self._rename = Projection(histograms, self.space, nameless)
        self._bounds = np.zeros(0)
        self._epoch = -1

    def evaluate(self, moment: Moment) -> Vector:
        """One element for each histogram, those of classic ones last; none for one that is both."""
        found = self._buckets.evaluate(moment)
        mask = moment.bag.mask(found.values)
        native = Vector(np.zeros(0, np.int64), np.zeros(0))
        if mask is not None:
            native, found = found.keep(mask), found.keep(~mask)
            native = Vector(self._histogram.map(native.rows), native.values)
        classic = self._gather(found)
        if len(native.rows) and len(classic.histograms):
            both = np.intersect1d(native.rows, classic.histograms)
            native = native.keep(~np.isin(native.rows, both))
            classic = classic.keep(~np.isin(classic.histograms, both))
        rows = self._rename.map(np.concatenate((native.rows, classic.histograms)))
        refuse_duplicates(self.space, rows)
        numbers = [each.spread(moment, self.space, rows) for each in self._scalars]
        result = np.empty(len(rows))
        for at, histogram in enumerate(moment.bag.get(native.values)):
            arguments = [float(each[at]) for each in numbers]
            result[at] = self._estimate.native(*arguments, histogram)
        ahead = len(native.rows)
        for block in blocks(classic.low, classic.high):
            members = block.members + ahead
            result[members] = self._estimate.classic(
                *(each[members] for each in numbers),
                classic.bounds[block.cells],
                classic.counts[block.cells],
                block.counts,
            )
        return Vector(rows, result)

    def _gather(self, found: Vector) -> "Classic":
        """The buckets of the vector, histogram by histogram, in the order of the vector."""
        bounds = self._bounds_of()[found.rows]
        is_bucket = ~np.isnan(bounds)
        (rows, values), bounds = found.keep(is_bucket), bounds[is_bucket]
        histogram = self._histogram.map(rows)
        order = np.lexsort((bounds, histogram))
        histogram, bounds, values = histogram[order], bounds[order], values[order]

        first = np.ones(len(order), np.bool_)
        first[1:] = (histogram[1:] != histogram[:-1]) | (bounds[1:] != bounds[:-1])
        starts = np.flatnonzero(first)
        ends = np.append(starts[1:], len(order))
        if len(starts) < len(order):
            values = reduce_stretches(values, starts, ends, total)
        histogram, bounds = histogram[starts], bounds[starts]
        earliest = np.minimum.reduceat(order, starts) if len(starts) else order

        low = np.flatnonzero(np.diff(histogram, prepend=-1))
        high = np.append(low[1:], len(histogram))[: len(low)]
        if len(low):
            # The order of the vector, not of the numbers that histograms happened to get.
            by_first = np.argsort(np.minimum.reduceat(earliest, low), kind="stable")
            low, high = low[by_first], high[by_first]
        return Classic(histogram[low], low, high, bounds, values)

    def _bounds_of(self) -> Float64s:
        """Upper bound of each row of the buckets' space."""
        space = self._buckets.space
        if space.epoch != self._epoch:
            self._epoch, self._bounds = space.epoch, np.zeros(0)
        if len(self._bounds) < len(space):
            more = [upper_bound(labels) for labels in space.labels[len(self._bounds) :]]
            self._bounds = np.concatenate((self._bounds, more))
        return self._bounds
