"""Scalars: numbers, time, and the ways from a scalar to a vector and back."""

from collections.abc import Callable

import numpy as np

from schemas.labels import TENANT, make_labels
from schemas.samples import Float64s
from streams.rules.node import Moment, ScalarNode, VectorNode, without_histograms
from streams.rules.vector import LabelSpace, Vector


class Number(ScalarNode):
    """A literal."""

    constant = True

    def __init__(self, value: float) -> None:
        self.value = np.array([value])

    def evaluate(self, moment: Moment) -> Float64s:  # noqa: ARG002  the same at every moment
        """The number."""
        return self.value


class Time(ScalarNode):
    """`time()`: the moment in seconds since the epoch."""

    def evaluate(self, moment: Moment) -> Float64s:
        """Seconds since the epoch."""
        return np.array([moment.t_ms / 1000])


class ScalarOf(ScalarNode):
    """`scalar(v)`: the value of the only element of a tenant, NaN where there are none or several."""

    by_tenant = True

    def __init__(self, vector: VectorNode) -> None:
        self.children = (vector,)
        self._vector = vector

    def evaluate(self, moment: Moment) -> Float64s:
        """One number for each tenant of the moment."""
        space = self._vector.space
        rows, values = without_histograms(moment, self._vector.evaluate(moment))
        tenant = space.tenant_of(rows)
        single = np.bincount(tenant, minlength=len(space.tenants)) == 1
        alone = dict(zip(tenant.tolist(), values.tolist(), strict=True))
        by_name = {name: alone[index] for index, name in enumerate(space.tenants) if single[index]}
        return np.array([by_name.get(name, np.nan) for name in moment.tenants])


class ScalarFunction(ScalarNode):
    """A function of scalars: arithmetic, comparison with `bool`, the unary minus."""

    def __init__(self, function: Callable[..., Float64s], *arguments: ScalarNode) -> None:
        self.children = arguments
        self._function = function
        self._arguments = arguments
        self.by_tenant = any(each.by_tenant for each in arguments)
        self.constant = all(each.constant for each in arguments)

    def evaluate(self, moment: Moment) -> Float64s:
        """The function of the numbers of its arguments."""
        return self._function(*(each.evaluate(moment) for each in self._arguments))


class VectorOf(VectorNode):
    """`vector(s)`, one element for each tenant; or a scalar that stands alone, one element without labels."""

    def __init__(self, scalar: ScalarNode, *, alone: bool = False) -> None:
        self.space = LabelSpace()
        self.own_spaces = (self.space,)
        self.children = (scalar,)
        self._scalar = scalar
        self._once = alone and not scalar.by_tenant

    def evaluate(self, moment: Moment) -> Vector:
        """The number under the label set of each tenant."""
        names = ("",) if self._once else moment.tenants
        rows = np.array([self.space.row(make_labels({TENANT: name})) for name in names], np.int64)
        numbers = np.broadcast_to(self._scalar.evaluate(moment), len(rows))
        return Vector(rows, numbers.astype(np.float64))
