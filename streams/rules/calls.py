"""Calls: the functions of PromQL that are neither of single values nor over a range, by name, and how each is built.

A builder gets the trees of the arguments and a reader that turns them into nodes.
Refuses arguments that cannot have an answer, such as a label without a name.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

import numpy as np

from schemas.errors import RuleError
from schemas.histograms import NativeHistogram
from schemas.labels import TENANT
from schemas.regex import Regex, RegexError
from streams.rules.absent import Absent
from streams.rules.histogram import ESTIMATES, Estimate, HistogramCall
from streams.rules.native.calls import HISTOGRAM_FUNCTIONS, NativeCall
from streams.rules.node import Node, RangeNode, ScalarNode, VectorNode
from streams.rules.order import Sort, ascending, by_labels, descending
from streams.rules.relabel import Relabel, joining, replacing
from streams.rules.scalars import Number, ScalarOf, Time, VectorOf
from streams.rules.timestamps import Timestamp


class Reader(Protocol):
    """What builds nodes from trees; each method raises RuleError where the tree is something else."""

    def vector(self, tree: Any) -> VectorNode:
        """The node of a tree that must be a vector."""
        ...

    def scalar(self, tree: Any) -> ScalarNode:
        """The node of a tree that must be a scalar."""
        ...

    def range(self, tree: Any) -> RangeNode:
        """The node of a tree that must be a range."""
        ...

    def text(self, tree: Any) -> str:
        """The text of a tree that must be a string."""
        ...

    def refusal(self, message: str, token: str = "") -> RuleError:
        """The error that names the place of a token."""
        ...


Builder: TypeAlias = Callable[[Reader, list[Any]], Node]


def target_label(reader: Reader, tree: Any, function: str) -> str:
    """Name of a label that a function writes."""
    name = reader.text(tree)
    if not name or name == TENANT:
        raise reader.refusal(f"{function} cannot write the label {name!r}", function)
    return name


def _label_replace(reader: Reader, trees: list[Any]) -> Node:
    vector, target, template, source, pattern = trees
    name = target_label(reader, target, "label_replace")
    try:
        regex = Regex(reader.text(pattern))
    except RegexError as error:
        raise reader.refusal(str(error), "label_replace") from error
    transform = replacing(name, reader.text(template), reader.text(source), regex)
    return Relabel(reader.vector(vector), transform)


def _label_join(reader: Reader, trees: list[Any]) -> Node:
    vector, target, separator, *sources = trees
    name = target_label(reader, target, "label_join")
    names = [reader.text(each) for each in sources]
    if "" in names:
        raise reader.refusal("label_join: a label needs a name", "label_join")
    return Relabel(reader.vector(vector), joining(name, reader.text(separator), names))


def _sort_by_label(*, reverse: bool) -> Builder:
    return lambda reader, trees: Sort(
        reader.vector(trees[0]),
        by_labels([reader.text(each) for each in trees[1:]], reverse=reverse),
        floats_only=False,
    )


def _histogram_call(estimate: Estimate) -> Builder:
    return lambda reader, trees: HistogramCall(
        estimate, [reader.scalar(each) for each in trees[:-1]], reader.vector(trees[-1])
    )


def _native_call(function: Callable[[NativeHistogram], float]) -> Builder:
    return lambda reader, trees: NativeCall(function, reader.vector(trees[0]))


BUILDERS: Mapping[str, Builder] = {
    "absent": lambda reader, trees: Absent(reader.vector(trees[0])),
    "absent_over_time": lambda reader, trees: Absent(reader.range(trees[0])),
    **{name: _histogram_call(estimate) for name, estimate in ESTIMATES.items()},
    **{name: _native_call(function) for name, function in HISTOGRAM_FUNCTIONS.items()},
    "label_join": _label_join,
    "label_replace": _label_replace,
    "pi": lambda _, __: Number(np.pi),
    "scalar": lambda reader, trees: ScalarOf(reader.vector(trees[0])),
    "sort": lambda reader, trees: Sort(reader.vector(trees[0]), ascending),
    "sort_by_label": _sort_by_label(reverse=False),
    "sort_by_label_desc": _sort_by_label(reverse=True),
    "sort_desc": lambda reader, trees: Sort(reader.vector(trees[0]), descending),
    "time": lambda _, __: Time(),
    "timestamp": lambda reader, trees: Timestamp(reader.vector(trees[0])),
    "vector": lambda reader, trees: VectorOf(reader.scalar(trees[0])),
}
