"""`timestamp(v)`: when the samples of a selector were, in seconds since the epoch.

Of any other vector it is the time of the evaluation, as in Prometheus.
"""

import numpy as np

from streams.rules.node import Moment, VectorNode
from streams.rules.selectors import InstantSelector
from streams.rules.vector import LabelSpace, Projection, Vector, drop_metadata


class Timestamp(VectorNode):
    """The time of each element."""

    def __init__(self, vector: VectorNode) -> None:
        self.space = LabelSpace()
        self.own_spaces = (self.space,)
        self.children = (vector,)
        self._vector = vector
        self._rename = Projection(vector.space, self.space, drop_metadata)

    def evaluate(self, moment: Moment) -> Vector:
        """Seconds since the epoch."""
        if isinstance(self._vector, InstantSelector):
            rows, values = self._vector.times(moment)
        else:
            rows, _ = self._vector.evaluate(moment)
            values = np.full(len(rows), moment.t_ms / 1000)
        return Vector(self._rename.distinct(rows), values)
