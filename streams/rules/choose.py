"""Aggregations that choose among the members of a group: `topk`, `bottomk`, `limitk`, `limit_ratio`.

What is chosen keeps its label set. Where equal values compete for the last places, Prometheus's answer hangs on
the heap of Go's library (container/heap); groups with such a tie are decided by that very algorithm, all
others by one sort. `limitk` takes the first in the order of the vector, which for a selector is that of the label sets.
"""

from collections.abc import Callable
from math import isnan
from typing import NamedTuple, TypeAlias

import numpy as np
from xxhash import xxh64_intdigest

from schemas.errors import RuleError
from schemas.labels import TENANT, Labels, without
from schemas.samples import Float64s, Int64s
from streams.rules.aggregate import Groups
from streams.rules.node import Moment, ScalarNode, VectorNode, without_histograms
from streams.rules.vector import LabelSpace, Projection, Vector

HASHES = float(2**64 - 1)


Chooser: TypeAlias = Callable[[LabelSpace, Vector, "Members", Float64s], Int64s]
"""Which elements of a vector stay, by position, given its groups and a number for each of them."""


class Members(NamedTuple):
    """The elements of a vector group by group.

    Attributes:
        at: their positions in the vector.
        sizes: how many each group has.
        starts: where each group begins in `at`.
        rank: position within its group of each of `at`.

    """

    at: Int64s
    sizes: Int64s
    starts: Int64s
    rank: Int64s


def members_of(groups: Groups) -> Members:
    """The members of all groups."""
    sizes = groups.high - groups.low
    starts = np.cumsum(sizes) - sizes
    rank = np.arange(int(sizes.sum())) - np.repeat(starts, sizes)
    return Members(groups.order[np.repeat(groups.low, sizes) + rank], sizes, starts, rank)


def counted(numbers: Float64s) -> Float64s:
    """Whole numbers of elements, not below 0.

    Raises:
        RuleError: one is NaN or does not fit 64 bits, in Prometheus's words.

    """
    if len(numbers) and numbers.max() < 1:
        return np.zeros(len(numbers))
    if np.isnan(numbers).any():
        raise RuleError("Parameter value is NaN")
    if len(numbers) and numbers.min() <= -(2.0**63):
        raise RuleError(f"Scalar value {numbers.min()} underflows int64")
    if len(numbers) and numbers.max() >= 2.0**63:
        raise RuleError(f"Scalar value {numbers.max()} overflows int64")
    return np.maximum(np.trunc(numbers), 0.0)


def ratios(numbers: Float64s) -> Float64s:
    """Shares between -1 and 1.

    Raises:
        RuleError: one is NaN.

    """
    if np.isnan(numbers).any():
        raise RuleError("Ratio value is NaN")
    return np.clip(numbers, -1.0, 1.0)


def extreme(sign: float, *, firm: bool = False) -> Chooser:
    """The k largest of each group for sign 1, the k smallest for -1; NaN only where there is nothing else.

    With `firm`, of equal values the first in the order of the vector stay, whatever else is in the group.
    """

    def choose(_: LabelSpace, vector: Vector, members: Members, numbers: Float64s) -> Int64s:
        at, sizes, starts, rank = members
        wanted = np.minimum(numbers, sizes).astype(np.int64)
        keys = sign * vector.values[at]
        order = np.lexsort((-keys, np.isnan(keys), np.repeat(np.arange(len(sizes)), sizes)))
        contested = np.flatnonzero((wanted > 0) & (wanted < sizes))
        border = starts[contested] + wanted[contested]
        last, left_out = keys[order[border - 1]], keys[order[border]]
        same = (last == left_out) | (np.isnan(last) & np.isnan(left_out))
        chosen = rank < np.repeat(wanted, sizes)
        for group in [] if firm else contested[same].tolist():
            inside = slice(starts[group], starts[group] + sizes[group])
            kept = heap_choice(keys[inside].tolist(), int(wanted[group]))
            chosen[inside] = np.isin(order[inside] - starts[group], kept)
        positions: Int64s = at[order[chosen]]
        return positions

    return choose


def first(_: LabelSpace, __: Vector, members: Members, numbers: Float64s) -> Int64s:
    """The first k of each group."""
    positions: Int64s = members.at[members.rank < np.repeat(numbers, members.sizes)]
    return positions


def share(space: LabelSpace, vector: Vector, members: Members, numbers: Float64s) -> Int64s:
    """Of each group those whose hash lies in the lower share of all hashes, or the upper one for negative shares."""
    ratio = np.repeat(numbers, members.sizes)
    labels = [space.labels[row] for row in vector.rows[members.at].tolist()]
    place = np.array([prometheus_hash(each) / HASHES for each in labels])
    chosen = ((ratio >= 0) & (place < ratio)) | ((ratio < 0) & (place >= 1.0 + ratio))
    positions: Int64s = members.at[chosen]
    return positions


def prometheus_hash(labels: Labels) -> int:
    """Hash of a label set as Prometheus 3 keeps it in memory (model/labels, stringlabels), the tenant left out."""
    parts = [part.encode() for pair in without(labels, TENANT) for part in pair]
    return xxh64_intdigest(b"".join(_length(len(part)) + part for part in parts))


def _length(size: int) -> bytes:
    return bytes([size]) if size < 255 else b"\xff" + size.to_bytes(3, "little")


def heap_choice(values: list[float], wanted: int) -> list[int]:
    """Positions of the largest values as a heap of that size keeps them (promql/engine.go, aggregationK)."""
    heap: list[int] = []
    for position, value in enumerate(values):
        if len(heap) < wanted:
            heap.append(position)
            _rise(heap, values)
        elif values[heap[0]] < value or (isnan(values[heap[0]]) and not isnan(value)):
            heap[0] = position
            _sink(heap, values)
    return heap


def _less(one: float, other: float) -> bool:
    return isnan(one) or one < other


def _rise(heap: list[int], values: list[float]) -> None:
    at = len(heap) - 1
    while at and _less(values[heap[at]], values[heap[(at - 1) // 2]]):
        above = (at - 1) // 2
        heap[at], heap[above] = heap[above], heap[at]
        at = above


def _sink(heap: list[int], values: list[float]) -> None:
    at = 0
    while (child := 2 * at + 1) < len(heap):
        if child + 1 < len(heap) and _less(values[heap[child + 1]], values[heap[child]]):
            child += 1
        if not _less(values[heap[child]], values[heap[at]]):
            return
        heap[at], heap[child] = heap[child], heap[at]
        at = child


class Entry(NamedTuple):
    """How one of the aggregations chooses, after its numbers were checked."""

    choose: Chooser
    check: Callable[[Float64s], Float64s] = counted
    floats_only: bool = False


CHOOSERS: dict[str, Entry] = {
    "bottomk": Entry(extreme(-1.0), floats_only=True),
    "limitk": Entry(first),
    "limit_ratio": Entry(share, ratios),
    "topk": Entry(extreme(1.0), floats_only=True),
}

FIRM_CHOOSERS: dict[str, Entry] = {
    "bottomk": Entry(extreme(-1.0, firm=True), floats_only=True),
    "limitk": CHOOSERS["limitk"],
    "limit_ratio": CHOOSERS["limit_ratio"],
    "topk": Entry(extreme(1.0, firm=True), floats_only=True),
}
"""The same, but such that what is chosen of all is chosen of any part of it that holds it."""


class Choice(VectorNode):
    """Some elements of each group of a vector."""

    def __init__(
        self,
        entry: Entry,
        vector: VectorNode,
        grouping: Callable[[Labels], Labels],
        number: ScalarNode,
    ) -> None:
        groups = LabelSpace()
        self.space = vector.space
        self.own_spaces = (groups,)
        self.children = (vector, number)
        self._entry = entry
        self._vector = vector
        self._number = number
        self._group_space = groups
        self._groups = Groups(Projection(vector.space, groups, grouping))

    def evaluate(self, moment: Moment) -> Vector:
        """The chosen ones, group by group."""
        found = self._vector.evaluate(moment)
        if self._entry.floats_only:
            found = without_histograms(moment, found)
        self._groups.arrange(found.rows)
        numbers = self._number.evaluate(moment)
        if len(numbers) == 1:
            # a wrong number is an error even where there is nothing to choose from
            self._entry.check(numbers)
        numbers = self._number.spread(moment, self._group_space, self._groups.targets)
        chosen = self._entry.choose(
            self.space, found, members_of(self._groups), self._entry.check(numbers)
        )
        return Vector(found.rows[chosen], found.values[chosen])
