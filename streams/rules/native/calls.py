"""Functions of one native histogram: `histogram_count`, `_sum`, `_avg`, `_stddev`, `_stdvar`. Floats have none."""

import math
from collections.abc import Callable

import numpy as np

from schemas.histograms import NativeHistogram
from schemas.labels import METRIC
from streams.rules.native.buckets import mean, variance
from streams.rules.node import Moment, VectorNode
from streams.rules.vector import LabelSpace, Projection, Vector, drop_these

HISTOGRAM_FUNCTIONS: dict[str, Callable[[NativeHistogram], float]] = {
    "histogram_avg": mean,
    "histogram_count": lambda histogram: histogram.count,
    "histogram_stddev": lambda histogram: math.sqrt(variance(histogram)),
    "histogram_stdvar": variance,
    "histogram_sum": lambda histogram: histogram.sum,
}


class NativeCall(VectorNode):
    """The function of each histogram of a vector."""

    def __init__(self, function: Callable[[NativeHistogram], float], vector: VectorNode) -> None:
        self.space = LabelSpace()
        self.own_spaces = (self.space,)
        self.children = (vector,)
        self._function = function
        self._vector = vector
        self._rename = Projection(vector.space, self.space, drop_these(frozenset({METRIC})))

    def evaluate(self, moment: Moment) -> Vector:
        """One element for each histogram."""
        found = self._vector.evaluate(moment)
        mask = moment.bag.mask(found.values)
        if mask is None:
            return Vector(np.zeros(0, np.int64), np.zeros(0))
        rows = self._rename.distinct(found.rows[mask])
        numbers = [self._function(each) for each in moment.bag.get(found.values[mask])]
        return Vector(rows, np.array(numbers))
