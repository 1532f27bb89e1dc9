"""Aggregation: many elements of a vector to one for each group, `by` some labels or `without` some.

The tenant is part of every group. Members of a group are reduced in the order of the vector, which hangs on label
sets alone; sums are compensated.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from schemas.histograms import NativeHistogram
from schemas.labels import Labels
from schemas.samples import Float64s, Int64s
from streams.rules.native.arithmetic import IncompatibleError, average
from streams.rules.native.arithmetic import total as total_of
from streams.rules.node import Moment, ScalarNode, VectorNode, without_histograms
from streams.rules.vector import LabelSpace, Projection, Vector
from streams.windows.blocks import (
    Bools,
    Reducer,
    blocks,
    count,
    deviation,
    greatest,
    least,
    mean,
    one,
    quantile,
    total,
    variance,
)

AGGREGATIONS: dict[str, Reducer] = {
    "avg": mean,
    "count": count,
    "group": one,
    "max": greatest,
    "min": least,
    "stddev": deviation,
    "stdvar": variance,
    "sum": total,
}


NativeReducer: TypeAlias = Callable[[list[NativeHistogram]], NativeHistogram]

NATIVE_AGGREGATIONS: dict[str, NativeReducer] = {"avg": average, "sum": total_of}
INDIFFERENT = frozenset({"count", "group"})
"""Aggregations that do not look at values. All others than these and those of histograms leave histograms out."""


class Groups:
    """How the rows of a vector fall into groups; kept while the same rows come again."""

    def __init__(self, projection: Projection) -> None:
        self._projection = projection
        self._rows = np.zeros(0, np.int64)
        self._epochs = (-1, -1)
        self.targets = np.zeros(0, np.int64)
        """Row of each group in the target space, in the order of its first member."""
        self.order = np.zeros(0, np.int64)
        """The vector's elements, group by group."""
        self.low = np.zeros(0, np.int64)
        self.high = np.zeros(0, np.int64)
        """Members of group i are `order[low[i]:high[i]]`."""

    def arrange(self, rows: Int64s) -> None:
        """Set the columns for these rows."""
        epochs = (self._projection.source.epoch, self._projection.target.epoch)
        if epochs == self._epochs and np.array_equal(rows, self._rows):
            return
        self._rows, self._epochs = rows, epochs
        found = self._projection.map(rows)
        self.order = np.argsort(found, kind="stable")
        ordered = found[self.order]
        starts = np.flatnonzero(np.diff(ordered, prepend=-1))
        ends = np.append(starts[1:], len(ordered))
        by_first = np.argsort(self.order[starts], kind="stable")
        self.low, self.high = starts[by_first], ends[by_first]
        self.targets = ordered[self.low]


class Aggregation(VectorNode):
    """`sum by (...) (v)` and its kin; `quantile` has a scalar argument."""

    def __init__(
        self,
        reducer: Reducer | None,
        vector: VectorNode,
        grouping: Callable[[Labels], Labels],
        phi: ScalarNode | None = None,
        *,
        native: NativeReducer | None = None,
        floats_only: bool = False,
    ) -> None:
        self.space = LabelSpace()
        self.own_spaces = (self.space,)
        self.children = (vector,) if phi is None else (vector, phi)
        self._vector = vector
        self._reducer = reducer
        self._phi = phi
        self._native = native
        self._floats_only = floats_only
        self._groups = Groups(Projection(vector.space, self.space, grouping))

    def evaluate(self, moment: Moment) -> Vector:
        """One element for each group that has members."""
        found = self._vector.evaluate(moment)
        rows, values = without_histograms(moment, found) if self._floats_only else found
        groups = self._groups
        groups.arrange(rows)
        ordered = values[groups.order]
        phi = None if self._phi is None else self._phi.spread(moment, self.space, groups.targets)
        result: Float64s = np.empty(len(groups.targets))
        for block in blocks(groups.low, groups.high):
            members = ordered[block.cells]
            if phi is not None:
                result[block.members] = quantile(members, block, phi[block.members])
            elif self._reducer is not None:
                result[block.members] = self._reducer(members, block)
        if self._native is None or (mask := moment.bag.mask(ordered)) is None:
            return Vector(groups.targets, result)
        return self._with_histograms(moment, ordered, mask, result)

    def _with_histograms(
        self, moment: Moment, ordered: Float64s, mask: Bools, result: Float64s
    ) -> Vector:
        """The result where some groups have histograms: those of floats too, or of unlike buckets, have none."""
        groups = self._groups
        held = np.concatenate(([0], np.cumsum(mask)))
        inside = held[groups.high] - held[groups.low]
        stays = np.ones(len(result), np.bool_)
        for group in np.flatnonzero(inside).tolist():
            low, high = groups.low[group], groups.high[group]
            stays[group] = inside[group] == high - low
            if stays[group] and self._native is not None:
                try:
                    made = self._native(moment.bag.get(ordered[low:high]))
                    result[group : group + 1] = moment.bag.hold([made])
                except IncompatibleError:
                    stays[group] = False
        return Vector(groups.targets, result).keep(stays)
