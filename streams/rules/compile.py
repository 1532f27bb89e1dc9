"""From the text of an expression to its nodes: the `promql_parser` package reads, this file builds.

What is not supported is refused by name, with line and column where the name stands in the text; nothing is
ever evaluated otherwise than Prometheus 3 would.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np
import promql_parser as promql

from schemas.errors import RuleError
from schemas.labels import METRIC, Matcher, MatchOp
from streams.rules.absent import Absent
from streams.rules.aggregate import AGGREGATIONS, Aggregation
from streams.rules.binary import (
    ARITHMETIC,
    COMPARISONS,
    SETS,
    Binary,
    Matching,
    SetOperation,
    operate,
)
from streams.rules.functions import VALUE_FUNCTIONS, ValueCall, ValueFunction, for_all
from streams.rules.histogram import HistogramQuantile
from streams.rules.node import Node, ScalarNode, VectorNode
from streams.rules.ranges import RANGE_FUNCTIONS, RangeCall
from streams.rules.scalars import Number, ScalarFunction, ScalarOf, Time, VectorOf
from streams.rules.selectors import InstantSelector, RangeSelector, Selection, check_regex
from streams.rules.vector import drop_these, keep_only

MOST_OPERATORS = 1000
"""The parser's time and memory grow with the square of the depth; with so many it takes 0.2 s and 60 MB."""

_OPERATOR = re.compile(r"[-+*/%^(<>]|==|!=|\b(?:and|or|unless|atan2)\b")
_MATCH_OPS = {
    str(promql.MatchOp.Equal): MatchOp.EQUAL,
    str(promql.MatchOp.NotEqual): MatchOp.NOT_EQUAL,
    str(promql.MatchOp.Re): MatchOp.REGEX,
    str(promql.MatchOp.NotRe): MatchOp.NOT_REGEX,
}
_KINDS: dict[type[Node], str] = {
    RangeSelector: "range selector",
    ScalarNode: "scalar",
    VectorNode: "vector",
}
_Node = TypeVar("_Node", bound=Node)


def milliseconds(span: timedelta) -> int:
    """A span in whole milliseconds."""
    return span // timedelta(milliseconds=1)


class Compiler:
    """Builds the nodes of one expression."""

    def __init__(self, text: str, lookback_ms: int) -> None:
        self._text = text
        self._lookback_ms = lookback_ms
        self._builders: dict[str, Callable[[Any], Node]] = {
            "AggregateExpr": self._aggregate,
            "BinaryExpr": self._binary,
            "Call": self._call,
            "MatrixSelector": self._range,
            "NumberLiteral": lambda tree: Number(tree.val),
            "ParenExpr": lambda tree: self._build(tree.expr),
            "StringLiteral": self._string,
            "SubqueryExpr": self._subquery,
            "UnaryExpr": self._unary,
            "VectorSelector": lambda tree: InstantSelector(self._selection(tree)),
        }

    def compile(self) -> VectorNode:
        """The root.

        Raises:
            RuleError: the text is no expression, or one with something that is not supported.

        """
        try:
            node = self._build(self._parse())
        except RecursionError as error:
            raise RuleError(f"nested too deeply: {self._text.strip()[:100]}") from error
        if isinstance(node, ScalarNode):
            return VectorOf(node, alone=True)
        if isinstance(node, VectorNode):
            return node
        raise self._refusal("a rule needs an instant vector or a scalar, this is a range", "[")

    def _parse(self) -> Any:
        if len(_OPERATOR.findall(self._text)) > MOST_OPERATORS:
            raise RuleError(
                f"more than {MOST_OPERATORS} operators and brackets: {self._text.strip()[:100]}"
            )
        try:
            return promql.parse(self._text)
        except ValueError as error:
            named = re.search(r"function with name '(\w+)'", str(error))
            raise self._refusal(str(error), named[1] if named else "") from error
        except BaseException as error:
            # The parser's Rust code panics on a number too big for a duration; that is no Exception.
            if type(error).__name__ != "PanicException":
                raise
            raise self._refusal(str(error)) from error

    def _refusal(self, message: str, token: str = "") -> RuleError:
        found = re.search(rf"(?<!\w){re.escape(token)}(?!\w)", self._text) if token else None
        if found is None and token in self._text and token:
            at = self._text.index(token)
        elif found is not None:
            at = found.start()
        else:
            return RuleError(f"{message}: {self._text.strip()}")
        line = self._text.count("\n", 0, at) + 1
        column = at - (self._text.rfind("\n", 0, at) + 1) + 1
        return RuleError(f"{line}:{column}: {message}")

    def _build(self, tree: Any) -> Node:
        kind = type(tree).__name__
        if kind not in self._builders:
            raise self._refusal(f"{kind} is not supported")
        return self._builders[kind](tree)

    def _vector(self, tree: Any) -> VectorNode:
        return self._expect(VectorNode, tree)

    def _scalar(self, tree: Any) -> ScalarNode:
        return self._expect(ScalarNode, tree)

    def _expect(self, kind: type[_Node], tree: Any) -> _Node:
        node = self._build(tree)
        if not isinstance(node, kind):
            raise self._refusal(f"expected a {_KINDS[kind]}, found {tree.prettify()}")
        return node

    def _string(self, tree: Any) -> Node:
        raise self._refusal("a string has no place here", tree.val)

    def _subquery(self, tree: Any) -> Node:
        raise self._refusal(f"the subquery {tree.prettify()} is not supported")

    def _range(self, tree: Any) -> Node:
        range_ms = milliseconds(tree.range)
        return RangeSelector(self._selection(tree.vector_selector, range_ms))

    def _unary(self, tree: Any) -> Node:
        return self._call_values(for_all(np.negative), self._build(tree.expr))

    def _selection(self, tree: Any, range_ms: int = 0) -> Selection:
        if tree.at is not None:
            raise self._refusal("the modifier '@' is not supported", "@")
        offset_ms = milliseconds(tree.offset) if tree.offset is not None else 0
        if offset_ms < 0:
            raise self._refusal("a negative offset looks into the future", "offset")
        if tree.matchers.or_matchers:
            raise self._refusal("'or' between matchers is not supported", "or")
        matchers = [Matcher(METRIC, MatchOp.EQUAL, tree.name)] if tree.name else []
        for each in tree.matchers.matchers:
            op = _MATCH_OPS[str(each.op)]
            if op in (MatchOp.REGEX, MatchOp.NOT_REGEX):
                try:
                    check_regex(each.value)
                except RuleError as error:
                    raise self._refusal(str(error), each.name) from error
            matchers.append(Matcher(each.name, op, each.value))
        return Selection(tuple(matchers), range_ms, offset_ms, self._lookback_ms)

    def _call_values(
        self, function: ValueFunction, first: Node, *scalars: Node, keeps_name: bool = False
    ) -> Node:
        """A value function of a vector and scalars, or of scalars only."""
        numbers = [each for each in scalars if isinstance(each, ScalarNode)]
        if isinstance(first, VectorNode):
            return ValueCall(function, first, numbers, keeps_name=keeps_name)
        assert isinstance(first, ScalarNode), "the parser has checked the types"
        return ScalarFunction(lambda *values: function(*values)[0], first, *numbers)

    def _aggregate(self, tree: Any) -> Node:
        name = str(tree.op)
        if name not in AGGREGATIONS and name != "quantile":
            raise self._refusal(f"aggregation '{name}' is not supported", name)
        grouping = keep_only(frozenset())
        if tree.modifier is not None:
            names = frozenset(tree.modifier.labels)
            if str(tree.modifier.type) == str(promql.AggModifierType.By):
                grouping = keep_only(names)
            else:
                grouping = drop_these(names | {METRIC})
        phi = self._scalar(tree.param) if tree.param is not None else None
        return Aggregation(AGGREGATIONS.get(name), self._vector(tree.expr), grouping, phi)

    def _binary(self, tree: Any) -> Node:
        symbol = str(tree.op)
        left, right = self._build(tree.lhs), self._build(tree.rhs)
        modifier = tree.modifier
        if symbol not in SETS and symbol not in ARITHMETIC and symbol not in COMPARISONS:
            raise self._refusal(f"operator '{symbol}' is not supported", symbol)
        as_bool = modifier is not None and modifier.return_bool
        keeps_name = symbol in COMPARISONS and not as_bool
        if not isinstance(right, VectorNode):
            function = operate(symbol, as_bool=as_bool)
            return self._call_values(function, left, right, keeps_name=keeps_name)
        if not isinstance(left, VectorNode):
            function = operate(symbol, as_bool=as_bool, vector_at=1)
            return self._call_values(function, right, left, keeps_name=keeps_name)
        matching = self._matching(modifier)
        if symbol in SETS:
            return SetOperation(symbol, matching, left, right)
        function = operate(symbol, as_bool=as_bool)
        return Binary(function, matching, left, right, drops_name=not keeps_name)

    def _matching(self, modifier: Any) -> Matching:
        if modifier is None:
            return Matching()
        if modifier.fill_values.lhs is not None or modifier.fill_values.rhs is not None:
            raise self._refusal("fill values are not supported", "fill")
        labels = modifier.matching
        return Matching(
            names=frozenset(labels.labels) if labels is not None else frozenset(),
            on=labels is not None and str(labels.type) == str(promql.LabelModifierType.Include),
            many={
                str(promql.VectorMatchCardinality.ManyToOne): -1,
                str(promql.VectorMatchCardinality.OneToMany): 1,
            }.get(str(modifier.card), 0),
            include=tuple(modifier.group_labels or ()),
        )

    def _call(self, tree: Any) -> Node:
        name, trees = tree.func.name, list(tree.args)
        if name in RANGE_FUNCTIONS:
            entry = RANGE_FUNCTIONS[name]
            selector = self._expect(RangeSelector, trees.pop(entry.range_at))
            return RangeCall(entry, selector, [self._scalar(each) for each in trees])
        if name in VALUE_FUNCTIONS:
            return self._call_values(VALUE_FUNCTIONS[name], *map(self._build, trees))
        match name:
            case "absent":
                return Absent(self._vector(*trees))
            case "absent_over_time":
                return Absent(self._expect(RangeSelector, *trees))
            case "histogram_quantile":
                return HistogramQuantile(self._scalar(trees[0]), self._vector(trees[1]))
            case "scalar":
                return ScalarOf(self._vector(*trees))
            case "vector":
                return VectorOf(self._scalar(*trees))
            case "time":
                return Time()
            case "pi":
                return Number(np.pi)
        raise self._refusal(f"function '{name}' is not supported", name)
