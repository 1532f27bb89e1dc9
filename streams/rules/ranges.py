"""Range functions: from the samples in a window of each series to one value a series.

A range function takes windows, none of them empty, and its scalar arguments spread over them; it returns a value
for each and which of them have one. All but `last_over_time` and `first_over_time` take the metric's name away.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from schemas.samples import Float64s
from streams.rules.counters import (
    changes,
    delta,
    deriv,
    idelta,
    increase,
    irate,
    predict_linear,
    rate,
    resets,
)
from streams.rules.node import Moment, ScalarNode, VectorNode
from streams.rules.selectors import RangeSelector
from streams.rules.vector import LabelSpace, Projection, Vector, drop_metadata
from streams.windows.arena import Windows
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

RangeFunction: TypeAlias = Callable[..., tuple[Float64s, Bools]]


class Entry(NamedTuple):
    """How a range function is called: its function, where its range stands, and whether names stay."""

    function: RangeFunction
    range_at: int = 0
    keeps_name: bool = False


def everywhere(windows: Windows) -> Bools:
    """All windows have a value."""
    return np.ones(len(windows.low), np.bool_)


def over_time(reducer: Reducer) -> RangeFunction:
    """Range function of a reduction of the values."""

    def reduce(windows: Windows) -> tuple[Float64s, Bools]:
        values = np.empty(len(windows.low))
        for block in blocks(windows.low, windows.high):
            values[block.members] = reducer(windows.columns.values[block.cells], block)
        return values, everywhere(windows)

    return reduce


def quantile_over_time(windows: Windows, phi: Float64s) -> tuple[Float64s, Bools]:
    """Quantile of the values, `phi` for each window."""
    values = np.empty(len(windows.low))
    for block in blocks(windows.low, windows.high):
        found = windows.columns.values[block.cells]
        values[block.members] = quantile(found, block, phi[block.members])
    return values, everywhere(windows)


def last_over_time(windows: Windows) -> tuple[Float64s, Bools]:
    """The newest value."""
    return windows.columns.values[windows.high - 1], everywhere(windows)


def first_over_time(windows: Windows) -> tuple[Float64s, Bools]:
    """The oldest value."""
    return windows.columns.values[windows.low], everywhere(windows)


RANGE_FUNCTIONS = {
    "avg_over_time": Entry(over_time(mean)),
    "changes": Entry(changes),
    "count_over_time": Entry(over_time(count)),
    "delta": Entry(delta),
    "deriv": Entry(deriv),
    "first_over_time": Entry(first_over_time, keeps_name=True),
    "idelta": Entry(idelta),
    "increase": Entry(increase),
    "irate": Entry(irate),
    "last_over_time": Entry(last_over_time, keeps_name=True),
    "max_over_time": Entry(over_time(greatest)),
    "min_over_time": Entry(over_time(least)),
    "predict_linear": Entry(predict_linear),
    "present_over_time": Entry(over_time(one)),
    "quantile_over_time": Entry(quantile_over_time, range_at=1),
    "rate": Entry(rate),
    "resets": Entry(resets),
    "stddev_over_time": Entry(over_time(deviation)),
    "stdvar_over_time": Entry(over_time(variance)),
    "sum_over_time": Entry(over_time(total)),
}


class RangeCall(VectorNode):
    """A range function of a range selector."""

    def __init__(
        self, entry: Entry, selector: RangeSelector, scalars: Sequence[ScalarNode]
    ) -> None:
        self.children = (selector, *scalars)
        self._entry = entry
        self._selector = selector
        self._scalars = scalars
        self._rename: Projection | None = None
        self.space = selector.space
        if not entry.keeps_name:
            self.space = LabelSpace()
            self.own_spaces = (self.space,)
            self._rename = Projection(selector.space, self.space, drop_metadata)

    def evaluate(self, moment: Moment) -> Vector:
        """The function of every window that is not empty."""
        rows, windows = self._selector.windows(moment)
        spread = [each.spread(moment, self._selector.space, rows) for each in self._scalars]
        values, there = self._entry.function(windows, *spread)
        found = Vector(rows[there], values[there])
        if self._rename is None:
            return found
        return Vector(self._rename.distinct(found.rows), found.values)
