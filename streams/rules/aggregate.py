"""Aggregation: many elements of a vector to one for each group, `by` some labels or `without` some.

The tenant is part of every group. Members of a group are reduced in the order of the vector, which hangs on label
sets alone; sums are compensated.
"""

from collections.abc import Callable

import numpy as np

from schemas.labels import Labels
from schemas.samples import Float64s, Int64s
from streams.rules.node import Moment, ScalarNode, VectorNode
from streams.rules.vector import LabelSpace, Projection, Vector
from streams.windows.blocks import (
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
    ) -> None:
        self.space = LabelSpace()
        self.own_spaces = (self.space,)
        self.children = (vector,) if phi is None else (vector, phi)
        self._vector = vector
        self._reducer = reducer
        self._phi = phi
        self._groups = Groups(Projection(vector.space, self.space, grouping))

    def evaluate(self, moment: Moment) -> Vector:
        """One element for each group that has members."""
        rows, values = self._vector.evaluate(moment)
        groups = self._groups
        groups.arrange(rows)
        ordered = values[groups.order]
        phi = None if self._phi is None else self._phi.spread(moment, self.space, groups.targets)
        result: Float64s = np.empty(len(groups.targets))
        for block in blocks(groups.low, groups.high):
            found = ordered[block.cells]
            if phi is not None:
                result[block.members] = quantile(found, block, phi[block.members])
            elif self._reducer is not None:
                result[block.members] = self._reducer(found, block)
        return Vector(groups.targets, result)
