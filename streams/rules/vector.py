"""Vector, the value of an expression at one time, and the label spaces that its rows index.

A label space numbers the label sets that one node of a plan has ever yielded. A row keeps its number until the
space is cleared, which its `epoch` tells: whoever keeps rows of a space looks at that. A projection maps
rows of one space to rows of another by a function of the label set, and computes it once for each row.

Vectors come in an order that hangs on label sets alone, never on when a series arrived, so sums over them are
the same everywhere.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from schemas.errors import RuleError
from schemas.labels import METRIC, TENANT, Labels, get_label
from schemas.samples import Float64s, Int64s
from streams.windows.blocks import Bools
from streams.windows.label_sets import LabelSets, Origin


class Vector(NamedTuple):
    """Rows of a label space, int64[n], each at most once, and their values, float64[n]."""

    rows: Int64s
    values: Float64s

    def keep(self, mask: Bools) -> "Vector":
        """The elements where the mask is true."""
        return Vector(self.rows[mask], self.values[mask])


class LabelSpace:
    """Numbers label sets.

    Attributes:
        labels: the label set of each row.
        epoch: changes when rows have got other numbers.

    """

    def __init__(self) -> None:
        self.epoch = 0
        self._empty()

    def _empty(self) -> None:
        self.labels = LabelSets()
        self._tenants: dict[str, int] = {}
        self._tenant_of = np.zeros(0, np.int32)

    def __len__(self) -> int:
        return len(self.labels)

    def row(self, labels: Labels) -> int:
        """Row of a label set, a new one if need be."""
        return self.labels.number(labels)

    @property
    def tenants(self) -> list[str]:
        """The tenants that occur."""
        self._look_for_tenants()
        return list(self._tenants)

    def tenant_of(self, rows: Int64s) -> Int64s:
        """For each row the index of its tenant in `tenants`."""
        self._look_for_tenants()
        return self._tenant_of[rows].astype(np.int64)

    def _look_for_tenants(self) -> None:
        # hardly any expression asks
        fresh = [get_label(labels, TENANT) for labels in self.labels[len(self._tenant_of) :]]
        if fresh:
            numbers = [self._tenants.setdefault(name, len(self._tenants)) for name in fresh]
            self._tenant_of = np.concatenate((self._tenant_of, np.array(numbers, np.int32)))

    def clear(self) -> None:
        """Forget all label sets."""
        self.epoch += 1
        self._empty()


class Projection:
    """Maps rows of a space to rows of another by a function of their label sets."""

    def __init__(
        self, source: LabelSpace, target: LabelSpace, transform: Callable[[Labels], Labels]
    ) -> None:
        self.source = source
        self.target = target
        self._transform = transform
        self._origin = Origin(source.labels, transform)
        self._epochs = (source.epoch, target.epoch)
        self._map = np.zeros(0, np.int32)
        self._injective = True

    def map(self, rows: Int64s) -> Int64s:
        """Target rows of source rows."""
        epochs = (self.source.epoch, self.target.epoch)
        if epochs != self._epochs:
            self._epochs = epochs
            self._origin = Origin(self.source.labels, self._transform)
            self._map = np.zeros(0, np.int32)
        if len(self._map) < len(self.source):
            more = np.full(len(self.source) - len(self._map), -1, np.int32)
            self._map = np.concatenate((self._map, more))
        found = self._map.take(rows)
        if len(found) and found.min() < 0:
            new = np.unique(rows[found < 0])
            self._map[new] = self.target.labels.numbers_made(self._origin, new)
            self._injective = not has_repeats(self._known, len(self.target))
            found = self._map.take(rows)
        return found.astype(np.int64)

    @property
    def _known(self) -> Int64s:
        """Target rows of all source rows mapped so far."""
        return self._map[self._map >= 0].astype(np.int64)

    def distinct(self, rows: Int64s) -> Int64s:
        """Target rows of source rows, which must all differ.

        Raises:
            RuleError: two of them have become the same label set.

        """
        found = self.map(rows)
        if not self._injective:
            refuse_duplicates(self.target, found)
        return found

    def refuse_merged(self) -> None:
        """Raise RuleError where two rows mapped so far, now or earlier, have become the same label set."""
        if not self._injective:
            refuse_duplicates(self.target, self._known)


def has_repeats(numbers: Int64s, size: int) -> bool:
    """Whether one of these numbers below `size` occurs twice."""
    seen = np.zeros(size, np.bool_)
    seen[numbers] = True
    return int(np.count_nonzero(seen)) < len(numbers)


def refuse_duplicates(space: LabelSpace, rows: Int64s) -> None:
    """Raise RuleError, in Prometheus's words, where a row occurs twice."""
    if has_repeats(rows, len(space)):
        twice = show_labels(space.labels[int(np.bincount(rows).argmax())])
        raise RuleError(f"vector cannot contain metrics with the same labelset: {twice}")


def show_labels(labels: Labels) -> str:
    """A label set as PromQL writes it, the tenant included."""
    pairs = ", ".join(f'{name}="{value}"' for name, value in labels if name != METRIC)
    return f"{get_label(labels, METRIC)}{{{pairs}}}"


METADATA = frozenset({METRIC, "__type__", "__unit__"})
"""What a function that changes the meaning of a value takes off, as Prometheus 3 does."""


def drop_metadata(labels: Labels) -> Labels:
    """The label set without the metric's name, type and unit."""
    return tuple(pair for pair in labels if pair[0] not in METADATA)


def keep_only(names: frozenset[str]) -> Callable[[Labels], Labels]:
    """Transform of `by` and `on`: these labels and the tenant."""
    kept = names | {TENANT}
    return lambda labels: tuple(pair for pair in labels if pair[0] in kept)


def drop_these(names: frozenset[str]) -> Callable[[Labels], Labels]:
    """Transform of `without` and `ignoring`: all but these labels; the tenant stays in any case."""
    dropped = names - {TENANT}
    return lambda labels: tuple(pair for pair in labels if pair[0] not in dropped)
