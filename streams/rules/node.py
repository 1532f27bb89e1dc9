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
from streams.windows.arena import Windows
from streams.windows.blocks import Bools
from streams.windows.histograms import Bag
from streams.windows.series import SeriesStore


class Moment(NamedTuple):
    """What is evaluated against, and at which event time.

    Attributes:
        store: the series.
        t_ms: the time; within a subquery that of its step.
        tenants: for whom.
        query_ms: the time of the whole evaluation, which `@ start()` and `@ end()` name.
        bag: the histograms that values name.
        met: within a subquery, the rows that each call of a range function has made over the steps so far.

    """

    store: SeriesStore
    t_ms: int
    tenants: tuple[str, ...]
    query_ms: int
    bag: Bag
    met: "dict[MeetingNode, list[Int64s]] | None" = None


class Anchor(NamedTuple):
    """Where in time a selector or a subquery looks.

    Attributes:
        offset_ms: so much before, negative for after.
        at_query: counted from the time of the whole evaluation (`@ start()`, `@ end()`).
        at_ms: counted from this time (`@ 1700000000`).

    """

    offset_ms: int = 0
    at_query: bool = False
    at_ms: int | None = None

    @property
    def moves(self) -> bool:
        """Whether it looks elsewhere than at the moment."""
        return self != HERE

    def time(self, moment: Moment) -> int:
        """The time at which it looks."""
        if self.at_ms is not None:
            return self.at_ms - self.offset_ms
        return (moment.query_ms if self.at_query else moment.t_ms) - self.offset_ms


HERE = Anchor()
"""At the moment itself."""


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
    compared: Vector | None = None
    """Of a comparison: what was compared at the last evaluation, before any of it was left out; rows of `space`."""

    def evaluate(self, moment: Moment) -> Vector:
        """The vector at a moment.

        Raises:
            RuleError: the series at this moment do not allow a result; Prometheus refuses them too.

        """
        raise NotImplementedError

    def arrive(self, store: SeriesStore, samples: Arrival) -> tuple[Int64s, Vector]:
        """The samples that have a result, by index, and their results; rows may repeat."""
        raise NotImplementedError


class RangeNode(Node):
    """Yields the samples in a window of each series; their rows index `space`.

    Attributes:
        edged: whether whoever reads the windows asks for their edges.

    """

    space: LabelSpace
    edged = False

    def windows(self, moment: Moment) -> tuple[Int64s, Windows]:
        """Rows and their windows, empty ones left out. Valid until the next append."""
        raise NotImplementedError

    def in_order(self, rows: Int64s, values: Float64s, there: Bools) -> Vector:
        """What was made of each of the windows of the last call, where there is something, by label set."""
        return Vector(rows[there], values[there])


def without_histograms(moment: Moment, vector: Vector) -> Vector:
    """The elements that are floats."""
    mask = moment.bag.mask(vector.values)
    return vector if mask is None else vector.keep(~mask)


class MeetingNode(VectorNode):
    """A vector node whose results must differ over all steps of a subquery together, not only at each."""

    def refuse_merged(self, met: Sequence[Int64s]) -> None:
        """Raise RuleError where two rows of its source, met at any step, have become one."""
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
        # a space may know tenants of which there is no sample yet: none of the rows are theirs
        columns = np.array([at.get(tenant, 0) for tenant in space.tenants], np.int64)
        return numbers[columns[space.tenant_of(rows)]]
