"""Table: metrics of many nodes, one row a time, one column a node and metric.

Rows are in ascending order of time and no time comes twice; a missing value is NaN. It refuses to fill gaps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from detectors.base import FloatArray, IntArray


class Column(NamedTuple):
    """What a column holds; the same kind of metric has the same name on every node."""

    node: str
    metric: str


@dataclass(frozen=True)
class Table:
    """Rows x columns; `times` are event times, ms.

    Raises:
        ValueError: the shapes do not fit, the times do not ascend, or a column comes twice.

    """

    times: IntArray
    values: FloatArray
    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.times), len(self.columns)):
            raise ValueError(f"values have the shape {self.values.shape}, not rows x columns")
        if (np.diff(self.times) <= 0).any():
            raise ValueError("times do not ascend")
        if len(set(self.columns)) < len(self.columns):
            raise ValueError("a node and metric has two columns")

    @cached_property
    def step(self) -> int:
        """The usual distance of two rows, ms; 0 with fewer than two."""
        return int(np.median(np.diff(self.times))) if len(self.times) > 1 else 0

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        """Every node once, in order of name."""
        return tuple(sorted({column.node for column in self.columns}))

    def until(self, time: int) -> "Table":
        """The rows up to and including a time."""
        end = int(np.searchsorted(self.times, time, side="right"))
        return Table(self.times[:end], self.values[:end], self.columns)

    def since(self, time: int, samples: int) -> int:
        """The first row that lies no more than so many samples before a time."""
        return int(np.searchsorted(self.times, time - samples * self.step))


def columns_of(names: Sequence[str]) -> tuple[Column, ...]:
    """Columns from names `node|metric`, or `node` alone; the metric is what stands behind the first bar."""
    parts = (name.partition("|") for name in names)
    return tuple(Column(node.strip(), metric.strip().rstrip("|")) for node, _, metric in parts)
