"""Functions of single values: mathematics, rounding, clamping; and the node that applies one to a vector.

A value function takes the values of a vector and its scalar arguments spread over them; it returns new values
and which elements stay, None for all. Operators between a vector and a scalar are value functions too, so they all can
be applied to samples as they arrive. Histograms are left out, unless there is a function for them.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from schemas.samples import Float64s, Int64s
from streams.rules.dates import DATE_FUNCTIONS
from streams.rules.native.operators import NativeOperator, nothing
from streams.rules.node import Arrival, Moment, ScalarNode, VectorNode
from streams.rules.vector import LabelSpace, Projection, Vector, drop_metadata
from streams.windows.blocks import Bools
from streams.windows.histograms import Bag
from streams.windows.series import SeriesStore

HALF = 0.5

ValueFunction: TypeAlias = Callable[..., tuple[Float64s, Bools | None]]


def for_all(function: Callable[..., Float64s]) -> ValueFunction:
    """Value function that leaves no element out."""
    return lambda *arguments: (function(*arguments), None)


def at_least(values: Float64s, floor: Float64s) -> Float64s:
    """Not below the floor; +Inf wins over NaN, as in Go's math.Max."""
    infinite = np.isposinf(values) | np.isposinf(floor)
    return np.where(infinite, np.inf, np.maximum(values, floor))


def at_most(values: Float64s, ceiling: Float64s) -> Float64s:
    """Not above the ceiling; -Inf wins over NaN, as in Go's math.Min."""
    return -at_least(-values, -ceiling)


def clamp(values: Float64s, floor: Float64s, ceiling: Float64s) -> tuple[Float64s, Bools]:
    """Not below the floor and not above the ceiling; nothing where those are crossed."""
    return at_least(at_most(values, ceiling), floor), ~(ceiling < floor)


def round_to(values: Float64s, nearest: Float64s | float = 1.0) -> Float64s:
    """To the nearest multiple, halves upwards."""
    inverse = 1.0 / nearest
    return np.floor(values * inverse + 0.5) / inverse


def log2(values: Float64s) -> Float64s:
    """Logarithm to the base 2, rounded as Go's math.Log2 rounds: exact for powers of 2."""
    fraction, exponent = np.frexp(values)
    found = np.log(fraction) * (1 / np.log(2.0)) + exponent
    return np.where(fraction == HALF, exponent - 1.0, found)


def log10(values: Float64s) -> Float64s:
    """Logarithm to the base 10, rounded as Go's math.Log10 rounds."""
    found: Float64s = log2(values) * (np.log(2.0) / np.log(10.0))
    return found


def sign(values: Float64s) -> Float64s:
    """-1 or 1; zeros and NaN as they are."""
    return np.where((values < 0) | (values > 0), np.sign(values), values)


VALUE_FUNCTIONS: dict[str, ValueFunction] = {
    "abs": for_all(np.abs),
    "acos": for_all(np.arccos),
    "acosh": for_all(np.arccosh),
    "asin": for_all(np.arcsin),
    "asinh": for_all(np.arcsinh),
    "atan": for_all(np.arctan),
    "atanh": for_all(np.arctanh),
    "ceil": for_all(np.ceil),
    "clamp": clamp,
    "clamp_max": for_all(at_most),
    "clamp_min": for_all(at_least),
    "cos": for_all(np.cos),
    "cosh": for_all(np.cosh),
    "deg": for_all(lambda values: values * 180 / np.pi),
    "exp": for_all(np.exp),
    "floor": for_all(np.floor),
    "ln": for_all(np.log),
    "log10": for_all(log10),
    "log2": for_all(log2),
    "rad": for_all(lambda values: values * np.pi / 180),
    "round": for_all(round_to),
    "sgn": for_all(sign),
    "sin": for_all(np.sin),
    "sinh": for_all(np.sinh),
    "sqrt": for_all(np.sqrt),
    "tan": for_all(np.tan),
    "tanh": for_all(np.tanh),
    **{name: for_all(function) for name, function in DATE_FUNCTIONS.items()},
}


class ValueCall(VectorNode):
    """A value function of a vector, element by element."""

    def __init__(
        self,
        function: ValueFunction,
        vector: VectorNode,
        scalars: Sequence[ScalarNode] = (),
        *,
        keeps_name: bool = False,
        native: NativeOperator | None = None,
    ) -> None:
        self.children = (vector, *scalars)
        self.per_series = vector.per_series and all(each.constant for each in scalars)
        self._function = function
        self._native = native
        self._vector = vector
        self._scalars = scalars
        self._rename: Projection | None = None
        self.space = vector.space
        if not keeps_name:
            self.space = LabelSpace()
            self.own_spaces = (self.space,)
            self._rename = Projection(vector.space, self.space, drop_metadata)

    def evaluate(self, moment: Moment) -> Vector:
        """The function of each element."""
        operand = self._vector.evaluate(moment)
        found, stays = self._apply(moment, operand)
        if stays is not None:
            found = found.keep(stays)
        if self._rename is None:
            below = self._vector.compared
            self.compared = operand if below is None else below
            return found
        return Vector(self._rename.distinct(found.rows), found.values)

    def arrive(self, store: SeriesStore, samples: Arrival) -> tuple[Int64s, Vector]:
        """The function of each sample."""
        index, found = self._vector.arrive(store, samples)
        found, stays = self._apply(Moment(store, 0, store.tenants, 0, Bag(store.bag)), found)
        if stays is not None:
            index, found = index[stays], found.keep(stays)
        if self._rename is None:
            return index, found
        rows = self._rename.map(found.rows)
        self._rename.refuse_merged()
        return index, Vector(rows, found.values)

    def _apply(self, moment: Moment, found: Vector) -> tuple[Vector, Bools | None]:
        spread = [each.spread(moment, self._vector.space, found.rows) for each in self._scalars]
        values, stays = self._function(found.values, *spread)
        mask = moment.bag.mask(found.values)
        if mask is not None:
            values, stays = values.copy(), ~mask if stays is None else stays & ~mask
            native = self._native or nothing
            for at in np.flatnonzero(mask).tolist():
                (histogram,) = moment.bag.get(found.values[at : at + 1])
                made = native(histogram, *(float(each[at]) for each in spread))
                if made is not None:
                    values[at : at + 1], stays[at] = moment.bag.hold([made]), True
        return Vector(found.rows, values), stays
