"""Subquery: the results of an expression at the multiples of a step in a window open at the left.

The steps are multiples of the step since the epoch, so two evaluations ask for the same ones. Every step is evaluated
against the store; nothing is kept between evaluations.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec.structs import replace

from schemas.histograms import Hint
from schemas.samples import Float64s, Int64s
from streams.rules.node import Anchor, Moment, RangeNode, VectorNode
from streams.rules.vector import Vector
from streams.windows.arena import Columns, Windows
from streams.windows.histograms import Bag

MOST_STEPS = 11_000
"""As many points as Prometheus's API lets a query have; more would hold up the other rules."""


def steps(start_ms: int, end_ms: int, step_ms: int) -> range:
    """Multiples of the step in (start_ms, end_ms]."""
    return range((start_ms // step_ms + 1) * step_ms, end_ms + 1, step_ms)


class Subquery(RangeNode):
    """`expression[range:step]`."""

    def __init__(self, vector: VectorNode, range_ms: int, step_ms: int, anchor: Anchor) -> None:
        self.space = vector.space
        self.children = (vector,)
        self.most_steps = max(1, range_ms // step_ms)
        """So often its expression is evaluated at each moment."""
        self._vector = vector
        self._range_ms = range_ms
        self._step_ms = step_ms
        self._anchor = anchor

    def windows(self, moment: Moment) -> tuple[Int64s, Windows]:
        """Rows of all steps, in the order in which they come up first, and their results as samples."""
        end_ms = self._anchor.time(moment)
        start_ms = end_ms - self._range_ms
        times = steps(start_ms, end_ms, self._step_ms)
        outermost = moment.met is None
        if outermost:
            moment = moment._replace(met={})
        found = list(self._evaluate(moment, times))
        if outermost and moment.met:
            for node, met in moment.met.items():
                node.refuse_merged(met)
        distinct, rank = _in_order(found, len(self.space))
        counts = np.zeros(len(distinct), np.int64)
        for each in found:
            counts[rank[each.rows]] += 1
        ends = np.cumsum(counts)
        low = ends - counts
        columns = _columns(found, times, rank, low.copy())
        return distinct, Windows(columns, low, ends, start_ms, end_ms, moment.t_ms)

    def _evaluate(self, moment: Moment, times: range) -> Iterator[Vector]:
        for t_ms in times:
            found = self._vector.evaluate(moment._replace(t_ms=t_ms))
            yield Vector(found.rows, _unhinted(moment.bag, found.values))


def _in_order(found: Sequence[Vector], size: int) -> tuple[Int64s, Int64s]:
    """Distinct rows in the order in which they come up first, and for each row of the space its place among them."""
    rank = np.full(size, -1)
    distinct = [np.zeros(0, np.int64)]
    count = 0
    for each in found:
        new = each.rows[rank[each.rows] < 0]
        rank[new] = np.arange(count, count + len(new))
        count += len(new)
        distinct.append(new)
    return np.concatenate(distinct), rank


def _unhinted(bag: Bag, values: Float64s) -> Float64s:
    """Histograms without a verdict on resets: the samples between two steps are not seen."""
    mask = bag.mask(values)
    if mask is None:
        return values
    known = (Hint.RESET, Hint.NOT_RESET)
    plain = [
        replace(each, hint=Hint.UNKNOWN) if each.hint in known else each
        for each in bag.get(values[mask])
    ]
    result = values.copy()
    result[mask] = bag.hold(plain)
    return result


def _columns(found: Sequence[Vector], times: range, rank: Int64s, free: Int64s) -> Columns:
    """The results as samples, series by series; `free` says where each begins, and is used up."""
    columns = Columns(sum(len(each.rows) for each in found))
    for t_ms, each in zip(times, found, strict=True):
        place = rank[each.rows]
        at = free[place]
        columns.times[at], columns.values[at] = t_ms, each.values
        free[place] = at + 1
    return columns
