"""`sort`, `sort_desc`, `sort_by_label`, `sort_by_label_desc`: the elements of a vector in another order.

Order matters to what is printed and to `limitk`; no rule can tell otherwise. NaN comes last in either direction.
"""

import re
from collections.abc import Callable, Sequence
from functools import cmp_to_key
from typing import TypeAlias

import numpy as np

from schemas.labels import Labels, get_label
from schemas.samples import Int64s
from streams.rules.node import Moment, VectorNode, without_histograms
from streams.rules.vector import LabelSpace, Vector

Arrange: TypeAlias = Callable[[LabelSpace, Vector], Int64s]
"""Positions of a vector's elements in their new order."""

_CHUNK = re.compile(r"[0-9]+|[^0-9]+")


def ascending(_: LabelSpace, vector: Vector) -> Int64s:
    """By value, smallest first."""
    return np.argsort(vector.values, kind="stable")


def descending(_: LabelSpace, vector: Vector) -> Int64s:
    """By value, largest first."""
    return np.argsort(-vector.values, kind="stable")


def comes_first(one: str, other: str) -> bool:
    """Whether a text stands before another in natural order: runs of digits compare as numbers (facette/natsort)."""
    left, right = _CHUNK.findall(one), _CHUNK.findall(other)
    for at, (a, b) in enumerate(zip(left, right, strict=False)):
        numbers = a[0].isdigit() and b[0].isdigit()
        if (int(a) == int(b)) if numbers else (a == b):
            if at == len(left) - 1:
                return True
            continue
        return int(a) < int(b) if numbers else a < b
    return False


def by_labels(names: Sequence[str], *, reverse: bool = False) -> Arrange:
    """By the values of these labels in natural order, then by the whole label set."""

    def compare(one: Labels, other: Labels) -> int:
        for name in names:
            left, right = get_label(one, name), get_label(other, name)
            if left != right:
                return -1 if comes_first(left, right) else 1
        return (one > other) - (one < other)

    def arrange(space: LabelSpace, vector: Vector) -> Int64s:
        labels = [space.labels[row] for row in vector.rows.tolist()]
        key = cmp_to_key(compare)
        order = sorted(range(len(labels)), key=lambda at: key(labels[at]), reverse=reverse)
        return np.array(order, np.int64)

    return arrange


class Sort(VectorNode):
    """The elements of a vector, in order."""

    def __init__(self, vector: VectorNode, arrange: Arrange, *, floats_only: bool = True) -> None:
        self.space = vector.space
        self.children = (vector,)
        self._vector = vector
        self._arrange = arrange
        self._floats_only = floats_only

    def evaluate(self, moment: Moment) -> Vector:
        """The same elements."""
        found = self._vector.evaluate(moment)
        if self._floats_only:
            found = without_histograms(moment, found)
        order = self._arrange(self.space, found)
        return Vector(found.rows[order], found.values[order])
