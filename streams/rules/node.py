"""Node: what an expression is made of. A vector node yields a vector at a moment, a scalar node a number.

Everything is evaluated as if each tenant had an evaluation of its own. So a scalar that comes from samples is one
number a tenant, and what stands for "the" result of an expression without series (`vector(1)`, `absent(x)`) is one
element a tenant. Nodes keep caches of label work only: which rows a selector matches, which row becomes which.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from schemas.samples import Float64s, Int64s
from streams.rules.vector import LabelSpace, Vector
from streams.windows.series import SeriesStore


class Moment(NamedTuple):
    """What is evaluated against, and at which event time."""

    store: SeriesStore
    t_ms: int
    tenants: tuple[str, ...]


class Arrival(NamedTuple):
    """Samples that have just arrived: store rows, times in ms and values, sorted by (row, time)."""

    rows: Int64s
    times: Int64s
    values: Float64s


class Node:
    """Part of an expression."""

    children: Sequence["Node"] = ()
    own_spaces: Sequence[LabelSpace] = ()
    """Label spaces that this node fills and may have to have cleared."""

    def walk(self) -> Iterator["Node"]:
        """This node and all below."""
        yield self
        for child in self.children:
            yield from child.walk()


class VectorNode(Node):
    """Yields a vector whose rows index `space`."""

    space: LabelSpace
    per_series = False
    """Whether it is a function of single samples of one selector, so that `arrive` works."""

    def evaluate(self, moment: Moment) -> Vector:
        """The vector at a moment.

        Raises:
            RuleError: the series at this moment do not allow a result; Prometheus refuses them too.

        """
        raise NotImplementedError

    def arrive(self, store: SeriesStore, samples: Arrival) -> tuple[Int64s, Vector]:
        """The samples that have a result, by index, and their results; rows may repeat."""
        raise NotImplementedError


class ScalarNode(Node):
    """Yields one number for all, float64[1], or one for each tenant of the moment, float64[tenants]."""

    by_tenant = False
    constant = False
    """Whether it is the same at every moment."""

    def evaluate(self, moment: Moment) -> Float64s:
        """The number or numbers at a moment."""
        raise NotImplementedError

    def spread(self, moment: Moment, space: LabelSpace, rows: Int64s) -> Float64s:
        """The number for each row of a space: of its tenant where tenants differ."""
        numbers = self.evaluate(moment)
        if not self.by_tenant:
            return np.broadcast_to(numbers, len(rows))
        at = {tenant: index for index, tenant in enumerate(moment.tenants)}
        columns = np.array([at[tenant] for tenant in space.tenants], np.int64)
        return numbers[columns[space.tenant_of(rows)]]
