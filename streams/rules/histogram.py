"""`histogram_quantile` of classic histograms: buckets are series with a bound in the label `le`.

Linear interpolation within the bucket in which the rank falls, with Prometheus's corrections (promql/quantile.go,
BucketQuantile): equal bounds are added up, tiny differences of neighbouring buckets are taken for rounding, and
counts that fall from one bucket to the next are raised. A histogram without a bucket `+Inf` has no quantile.
"""

import re

import numpy as np

from schemas.labels import METRIC, Labels, get_label
from schemas.samples import Float64s, Int64s
from streams.rules.node import Moment, ScalarNode, VectorNode
from streams.rules.vector import (
    METADATA,
    LabelSpace,
    Projection,
    Vector,
    drop_these,
    refuse_duplicates,
)
from streams.windows.blocks import blocks, reduce_stretches, total

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


class HistogramQuantile(VectorNode):
    """`histogram_quantile(phi, buckets)`."""

    def __init__(self, phi: ScalarNode, buckets: VectorNode) -> None:
        self.space = LabelSpace()
        self.children = (phi, buckets)
        self._phi = phi
        self._buckets = buckets
        # Histograms of different names stay apart until their quantiles meet in the result.
        histograms = LabelSpace()
        self.own_spaces = (self.space, histograms)
        self._histogram = Projection(buckets.space, histograms, drop_these(frozenset({BUCKET})))
        nameless = drop_these(frozenset({BUCKET, METRIC}) | METADATA)
        self._rename = Projection(histograms, self.space, nameless)
        self._bounds = np.zeros(0)
        self._epoch = -1

    def evaluate(self, moment: Moment) -> Vector:
        """One element for each histogram that has a bucket."""
        rows, values = self._buckets.evaluate(moment)
        bounds = self._bounds_of()[rows]
        is_bucket = ~np.isnan(bounds)
        rows, values, bounds = rows[is_bucket], values[is_bucket], bounds[is_bucket]
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
        found = self._rename.map(histogram[low])
        refuse_duplicates(self.space, found)
        phi = self._phi.spread(moment, self.space, found)
        result = np.empty(len(low))
        for block in blocks(low, high):
            result[block.members] = bucket_quantile(
                phi[block.members],
                bounds[block.cells],
                values[block.cells],
                block.counts,
            )
        return Vector(found, result)

    def _bounds_of(self) -> Float64s:
        """Upper bound of each row of the buckets' space."""
        space = self._buckets.space
        if space.epoch != self._epoch:
            self._epoch, self._bounds = space.epoch, np.zeros(0)
        if len(self._bounds) < len(space):
            more = [upper_bound(labels) for labels in space.labels[len(self._bounds) :]]
            self._bounds = np.concatenate((self._bounds, more))
        return self._bounds
