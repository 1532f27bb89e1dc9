"""Operators between two vectors: arithmetic and comparison with matching, and the set operators.

Elements match when the labels of `on`, or those not in `ignoring`, are equal; the tenant and, for `ignoring`,
all but the metric's name are always among them. Errors are Prometheus's, in its words.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from schemas.errors import RuleError
from schemas.handles import is_handle
from schemas.histograms import NativeHistogram
from schemas.labels import METRIC, TENANT, Labels, get_label, make_labels
from schemas.samples import Float64s, Int64s
from streams.rules.functions import ValueFunction, for_all
from streams.rules.native.operators import operate as native_operate
from streams.rules.node import Moment, VectorNode
from streams.rules.vector import (
    LabelSpace,
    Projection,
    Vector,
    drop_metadata,
    drop_these,
    has_repeats,
    keep_only,
    refuse_duplicates,
    show_labels,
)
from streams.windows.blocks import Bools
from streams.windows.histograms import Bag

Arithmetic: TypeAlias = Callable[[Float64s, Float64s], Float64s]
Comparison: TypeAlias = Callable[[Float64s, Float64s], Bools]

HALF = 0.5


def power(base: Float64s, exponent: Float64s) -> Float64s:
    """Power as IEEE 754 has it; numpy takes the square root for 0.5, which is otherwise for -Inf and -0."""
    found: Float64s = np.power(base, exponent)
    root = np.where(np.isneginf(base), np.inf, found + 0.0)
    return np.where(exponent == HALF, root, found)


ARITHMETIC: dict[str, Arithmetic] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": power,
    "atan2": np.arctan2,
}
COMPARISONS: dict[str, Comparison] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}
SETS = frozenset({"and", "or", "unless"})


def operate(symbol: str, *, as_bool: bool, vector_at: int = 0) -> ValueFunction:
    """Value function of (vector, other operand); `vector_at` 1 where the vector stands at the right.

    A comparison keeps the vector's values and leaves out what does not hold; with `bool` it yields 0 or 1.
    """
    if symbol in ARITHMETIC:
        arithmetic = ARITHMETIC[symbol]
        if vector_at:
            return for_all(lambda vector, other: arithmetic(other, vector))
        return for_all(arithmetic)
    comparison = COMPARISONS[symbol]

    def compare(vector: Float64s, other: Float64s) -> tuple[Float64s, Bools | None]:
        holds = comparison(other, vector) if vector_at else comparison(vector, other)
        return (holds.astype(np.float64), None) if as_bool else (vector, holds)

    return compare


class Operator(NamedTuple):
    """An operator of arithmetic or comparison, and whether it stands with `bool`."""

    symbol: str
    as_bool: bool = False

    @property
    def keeps_name(self) -> bool:
        """Whether results have the name of the left."""
        return self.symbol in COMPARISONS and not self.as_bool


class Answers(NamedTuple):
    """What becomes of pairs of which some have a histogram.

    Attributes:
        answered: which pairs have a result at all; the others count as not matched.
        odd: positions of those with a histogram.
        values: results of these.
        stays: which of these a comparison keeps.

    """

    answered: Bools
    odd: Int64s
    values: Float64s
    stays: Bools

    def place(self, result: Float64s, stays: Bools | None) -> tuple[Float64s, Bools]:
        """Results of all answered pairs, and which stay, given those of floats."""
        result, kept = result.copy(), self.stays.copy() if stays is None else stays.copy()
        result[self.odd], kept[self.odd] = self.values[self.odd], self.stays[self.odd]
        return result[self.answered], kept[self.answered]


class Matching(NamedTuple):
    """How elements of two vectors find each other.

    Attributes:
        names: the labels of `on` or `ignoring`.
        on: whether they are those of `on`.
        many: -1 where many elements of the left may match one (`group_left`), 1 for the right, 0 one to one.
        include: labels that the result takes from the one side.

    """

    names: frozenset[str] = frozenset()
    on: bool = False
    many: int = 0
    include: tuple[str, ...] = ()

    def signature(self, labels: Labels) -> Labels:
        """What must be equal."""
        if self.on:
            return keep_only(self.names)(labels)
        return drop_these(self.names | {METRIC})(labels)

    def result(self, many: Labels, one: Labels, *, drops_name: bool) -> Labels:
        """Label set of the result of two elements; for one to one `many` is the left."""
        labels = drop_metadata(many) if drops_name else many
        if not self.many:
            labels = (keep_only if self.on else drop_these)(self.names)(labels)
        if self.include:
            taken = {name: get_label(one, name) for name in self.include if name != TENANT}
            labels = make_labels({**dict(labels), **taken})
        return labels


class Signatures:
    """Numbers of the match signatures of two label spaces."""

    def __init__(self, matching: Matching, left: LabelSpace, right: LabelSpace) -> None:
        self.space = LabelSpace()
        self._left = Projection(left, self.space, matching.signature)
        self._right = Projection(right, self.space, matching.signature)

    def of(self, left: Int64s, right: Int64s) -> tuple[Int64s, Int64s]:
        """Signatures of rows of the left and of the right."""
        return self._left.map(left), self._right.map(right)

    def present(self, signatures: Int64s) -> NDArray[np.bool_]:
        """For each signature whether it is among these."""
        found = np.zeros(len(self.space), np.bool_)
        found[signatures] = True
        return found


class Binary(VectorNode):
    """Arithmetic or comparison of two vectors."""

    def __init__(
        self, operator: Operator, matching: Matching, left: VectorNode, right: VectorNode
    ) -> None:
        self.space = LabelSpace()
        self.children = (left, right)
        self._operator = operator
        self._function = operate(operator.symbol, as_bool=operator.as_bool)
        self._matching = matching
        self._drops_name = not operator.keeps_name
        self._swapped = matching.many > 0
        self._many, self._one = (right, left) if self._swapped else (left, right)
        self._signatures = Signatures(matching, self._many.space, self._one.space)
        self.own_spaces = (self.space, self._signatures.space)
        self._epochs: tuple[int, ...] = ()
        self._partner = np.zeros(0, np.int64)
        self._result = np.zeros(0, np.int64)
        self._merges = False

    def evaluate(self, moment: Moment) -> Vector:
        """One element for each match that the operator keeps."""
        many, one = self._many.evaluate(moment), self._one.evaluate(moment)
        self.compared = None
        if not len(many.rows) or not len(one.rows):
            return Vector(np.zeros(0, np.int64), np.zeros(0))
        many_signatures, one_signatures = self._signatures.of(many.rows, one.rows)
        position = np.full(len(self._signatures.space), -1)
        position[one_signatures] = np.arange(len(one_signatures))
        if (position[one_signatures] != np.arange(len(one_signatures))).any():
            self._refuse_ambiguous(one.rows, one_signatures)
        partner = position[many_signatures]
        matched = np.flatnonzero(partner >= 0)
        partner = partner[matched]
        values = (many.values[matched], one.values[partner])
        left, right = reversed(values) if self._swapped else values
        result, stays = self._function(left, right)
        odd = self._with_histograms(moment.bag, left, right)
        if odd is not None:
            result, stays = odd.place(result, stays)
            matched, partner = matched[odd.answered], partner[odd.answered]
        self._refuse_repeated(many_signatures[matched])
        rows = self._result_rows(many.rows[matched], one.rows[partner])
        if self._matching.many and has_repeats(rows, len(self.space)):
            raise RuleError(
                "multiple matches for labels: grouping labels must ensure unique matches"
            )
        found = Vector(rows, result)
        if stays is not None:
            self.compared, found = found, found.keep(stays)
        if self._merges:
            # pairs that a name tells apart, and the result has none
            refuse_duplicates(self.space, found.rows)
        return found

    def _with_histograms(self, bag: Bag, left: Float64s, right: Float64s) -> "Answers | None":
        """What becomes of pairs with a histogram; None where there are none."""
        if bag.mask(left) is None and bag.mask(right) is None:
            return None
        found = Answers(
            np.ones(len(left), np.bool_),
            np.flatnonzero(is_handle(left) | is_handle(right)),
            left.copy(),
            np.ones(len(left), np.bool_),
        )
        for at in found.odd.tolist():
            answer = native_operate(
                self._operator.symbol, bag.value(left, at), bag.value(right, at)
            )
            if answer is None:
                found.answered[at] = False
            elif isinstance(answer, NativeHistogram):
                found.values[at : at + 1] = bag.hold([answer])
            elif self._operator.as_bool:
                found.values[at] = float(answer)
            else:
                found.stays[at] = bool(answer)
        return found

    def _result_rows(self, many: Int64s, one: Int64s) -> Int64s:
        """Rows of the results of pairs; computed anew only where a row has got another partner."""
        epochs = (self.space.epoch, self._many.space.epoch, self._one.space.epoch)
        if epochs != self._epochs:
            self._epochs = epochs
            self._partner, self._result = np.zeros(0, np.int64), np.zeros(0, np.int64)
        more = np.full(len(self._many.space) - len(self._partner), -1)
        if len(more):
            self._partner = np.concatenate((self._partner, more))
            self._result = np.concatenate((self._result, more))
        new = np.flatnonzero(self._partner[many] != one)
        for row, other in zip(many[new].tolist(), one[new].tolist(), strict=True):
            labels = self._matching.result(
                self._many.space.labels[row],
                self._one.space.labels[other],
                drops_name=self._drops_name,
            )
            self._partner[row], self._result[row] = other, self.space.row(labels)
        if len(new):
            self._merges = has_repeats(self._result[self._result >= 0], len(self.space))
        return self._result[many]

    def _refuse_repeated(self, signatures: Int64s) -> None:
        if not self._matching.many and has_repeats(signatures, len(self._signatures.space)):
            raise RuleError(
                "multiple matches for labels: many-to-one matching must be explicit "
                "(group_left/group_right)"
            )

    def _refuse_ambiguous(self, rows: Int64s, signatures: Int64s) -> None:
        distinct, counts = np.unique(signatures, return_counts=True)
        signature = int(distinct[counts > 1][0])
        labels = [self._one.space.labels[row] for row in rows[signatures == signature].tolist()]
        first, second = sorted(show_labels(each) for each in labels)[:2]
        raise RuleError(
            "found duplicate series for the match group "
            f"{show_labels(self._signatures.space.labels[signature])} "
            f"on the {'left' if self._swapped else 'right'} hand-side of the operation: "
            f"[{first}, {second}];"
            "many-to-many matching not allowed: matching labels must be unique on one side"
        )


class SetOperation(VectorNode):
    """`and`, `or`, `unless`."""

    def __init__(
        self, symbol: str, matching: Matching, left: VectorNode, right: VectorNode
    ) -> None:
        self.children: Sequence[VectorNode] = (left, right)
        self._symbol = symbol
        self._left, self._right = left, right
        self._signatures = Signatures(matching, left.space, right.space)
        self.own_spaces = (self._signatures.space,)
        self.space = left.space
        if symbol == "or":
            self.space = LabelSpace()
            self.own_spaces = (self.space, self._signatures.space)
            self._left_rows = Projection(left.space, self.space, lambda labels: labels)
            self._right_rows = Projection(right.space, self.space, lambda labels: labels)

    def evaluate(self, moment: Moment) -> Vector:
        """Elements of the left, and for `or` those of the right that match none of it."""
        left, right = self._left.evaluate(moment), self._right.evaluate(moment)
        left_signatures, right_signatures = self._signatures.of(left.rows, right.rows)
        if self._symbol == "or":
            more = right.keep(~self._signatures.present(left_signatures)[right_signatures])
            rows = (self._left_rows.map(left.rows), self._right_rows.map(more.rows))
            return Vector(np.concatenate(rows), np.concatenate((left.values, more.values)))
        self.compared = self._left.compared
        present = self._signatures.present(right_signatures)[left_signatures]
        return left.keep(present if self._symbol == "and" else ~present)
