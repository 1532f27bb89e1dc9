"""`count_values`: how many members of a group have each value; the value becomes a label."""

from collections.abc import Callable
from decimal import Decimal

import numpy as np

from schemas.handles import is_handle
from schemas.histograms import NativeHistogram
from schemas.labels import METRIC, Labels, make_labels
from schemas.samples import Float64s
from streams.rules.native.buckets import show_buckets
from streams.rules.node import Moment, VectorNode
from streams.rules.vector import LabelSpace, Projection, Vector, drop_these, keep_only
from streams.windows.histograms import Bag


def plain(value: float) -> str:
    """A number without exponent, as short as it can be read back from (Go's FormatFloat 'f', -1)."""
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = format(Decimal(repr(value)), "f")
    return text.removesuffix(".0")


def shown(value: float | NativeHistogram) -> str:
    """A value as a label."""
    return show_buckets(value) if isinstance(value, NativeHistogram) else plain(value)


class CountValues(VectorNode):
    """`count_values by (...) ("label", v)`."""

    def __init__(self, label: str, vector: VectorNode, names: frozenset[str], *, by: bool) -> None:
        self.space = LabelSpace()
        groups = LabelSpace()
        self.own_spaces = (self.space, groups)
        self.children = (vector,)
        self._vector = vector
        self._label = label
        # `without` takes away what it names even where that is the new label
        self._writes = by or label not in names | {METRIC}
        grouping: Callable[[Labels], Labels] = keep_only(names - {label})
        if not by:
            grouping = drop_these(names | {METRIC, label})
        self._group = Projection(vector.space, groups, grouping)

    def evaluate(self, moment: Moment) -> Vector:
        """One element for each group and value, in the order of their first member."""
        rows, values = self._vector.evaluate(moment)
        mask = moment.bag.mask(values)
        if mask is not None:
            values = values.copy()
            values[mask] = self._handles(moment.bag, values[mask])
        plain_nan = np.isnan(values) & ~is_handle(values)
        bits = np.where(plain_nan, np.nan, values).view(np.int64)
        distinct, which = np.unique(bits, return_inverse=True)
        if not self._writes:
            which = np.zeros_like(which)
        pairs = self._group.map(rows) * len(distinct) + which
        found, first, counts = np.unique(pairs, return_index=True, return_counts=True)
        by_first = np.argsort(first, kind="stable")
        numbers = distinct.view(np.float64)
        made = []
        for pair in found[by_first].tolist():
            group, which_number = divmod(pair, len(numbers))
            made.append(self._row(group, moment.bag.value(numbers, which_number)))
        return Vector(np.array(made, np.int64), counts[by_first].astype(np.float64))

    @staticmethod
    def _handles(bag: Bag, handles: Float64s) -> Float64s:
        """One handle for all histograms that are shown alike."""
        first: dict[str, int] = {}
        histograms = bag.get(handles)
        at = [first.setdefault(show_buckets(each), i) for i, each in enumerate(histograms)]
        return handles[np.array(at, np.int64)]

    def _row(self, group: int, value: float | NativeHistogram) -> int:
        labels: Labels = self._group.target.labels[group]
        if self._writes:
            labels = make_labels((*labels, (self._label, shown(value))))
        return self.space.row(labels)
