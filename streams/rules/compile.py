"""From the text of an expression to its nodes: `parse` reads, this file builds.

What is not supported is refused by name, with line and column where the name stands in the text; nothing is
ever evaluated otherwise than Prometheus 3 would. On a stream there is nothing but the past, and not all of it: a
selector that looks after the evaluation, or at a fixed time, is refused unless the store holds everything.
"""

from collections.abc import Callable
from datetime import timedelta
from math import isinf
from typing import Any, NamedTuple, TypeVar

import numpy as np
import promql_parser as promql

from schemas.errors import RuleError
from schemas.labels import METRIC, Labels, Matcher, MatchOp
from schemas.regex import RegexError, compile_regex
from streams.rules.aggregate import (
    AGGREGATIONS,
    INDIFFERENT,
    NATIVE_AGGREGATIONS,
    Aggregation,
)
from streams.rules.binary import (
    ARITHMETIC,
    COMPARISONS,
    SETS,
    Binary,
    Matching,
    Operator,
    SetOperation,
    operate,
)
from streams.rules.calls import BUILDERS, target_label
from streams.rules.choose import CHOOSERS, Choice
from streams.rules.dates import DATE_FUNCTIONS
from streams.rules.functions import VALUE_FUNCTIONS, ValueCall, ValueFunction, for_all
from streams.rules.native.operators import NativeOperator, negated, with_scalar
from streams.rules.node import Anchor, Node, RangeNode, ScalarNode, VectorNode
from streams.rules.parse import before_epoch, parse_expression, refusal
from streams.rules.picks import Picks
from streams.rules.ranges import RANGE_FUNCTIONS, RangeCall
from streams.rules.scalars import Number, ScalarFunction, Time, VectorOf
from streams.rules.selectors import InstantSelector, RangeSelector, Selection
from streams.rules.subquery import MOST_STEPS, Subquery
from streams.rules.tally import CountValues
from streams.rules.vector import drop_these, keep_only

SUBQUERY_STEP_MS = 15_000
"""Step of a subquery that names none: the default interval of a group, as Prometheus takes its own."""

_MATCH_OPS = {
    str(promql.MatchOp.Equal): MatchOp.EQUAL,
    str(promql.MatchOp.NotEqual): MatchOp.NOT_EQUAL,
    str(promql.MatchOp.Re): MatchOp.REGEX,
    str(promql.MatchOp.NotRe): MatchOp.NOT_REGEX,
}
_KINDS: dict[type[Node], str] = {
    RangeNode: "range selector",
    ScalarNode: "scalar",
    VectorNode: "vector",
}
_Node = TypeVar("_Node", bound=Node)


def milliseconds(span: timedelta) -> int:
    """A span in whole milliseconds."""
    return span // timedelta(milliseconds=1)


def at_milliseconds(modifier: Any) -> int:
    """The fixed time of an `@` in milliseconds since the epoch, from its text, which cannot make the package panic."""
    return round(float(str(modifier).removeprefix("@")) * 1000)


class Options(NamedTuple):
    """What a text does not say: see `compile_expression`."""

    lookback_ms: int
    subquery_step_ms: int
    whole: bool
    picks: Picks


class Reach(NamedTuple):
    """When, relative to the evaluation in ms, a part of the expression is evaluated: first and last time."""

    first_ms: int = 0
    last_ms: int = 0


class Compiler:
    """Builds the nodes of one expression."""

    def __init__(self, text: str, options: Options) -> None:
        self._text = text
        self._options = options
        self._reach = Reach()
        self._builders: dict[str, Callable[[Any], Node]] = {
            "AggregateExpr": self._aggregate,
            "BinaryExpr": self._binary,
            "Call": self._call,
            "MatrixSelector": self._range,
            "NumberLiteral": self._number,
            "ParenExpr": lambda tree: self._build(tree.expr),
            "StringLiteral": self._string,
            "SubqueryExpr": self._subquery,
            "UnaryExpr": self._unary,
            "VectorSelector": lambda tree: InstantSelector(self._selection(tree), options.picks),
        }

    def compile(self) -> VectorNode:
        """The root.

        Raises:
            RuleError: the text is no expression, or one with something that is not supported.

        """
        try:
            node = self._build(parse_expression(self._text))
        except RecursionError as error:
            raise RuleError(f"nested too deeply: {self._text.strip()[:100]}") from error
        if isinstance(node, ScalarNode):
            return VectorOf(node, alone=True)
        if isinstance(node, VectorNode):
            return node
        raise self.refusal("a rule needs an instant vector or a scalar, this is a range", "[")

    def refusal(self, message: str, token: str = "") -> RuleError:
        """The error that names the place of a token."""
        return refusal(self._text, message, token)

    def _build(self, tree: Any) -> Node:
        kind = type(tree).__name__
        if kind not in self._builders:
            raise self.refusal(f"{kind} is not supported")
        return self._builders[kind](tree)

    def vector(self, tree: Any) -> VectorNode:
        """The node of a tree, which must be a vector."""
        return self._expect(VectorNode, tree)

    def scalar(self, tree: Any) -> ScalarNode:
        """The node of a tree, which must be a scalar."""
        return self._expect(ScalarNode, tree)

    def range(self, tree: Any) -> RangeNode:
        """The node of a tree, which must be a range."""
        return self._expect(RangeNode, tree)

    def text(self, tree: Any) -> str:
        """A string argument."""
        if type(tree).__name__ == "ParenExpr":
            return self.text(tree.expr)
        if type(tree).__name__ != "StringLiteral":
            raise self.refusal(f"expected a string, found {tree.prettify()}")
        return str(tree.val)

    def _expect(self, kind: type[_Node], tree: Any) -> _Node:
        node = self._build(tree)
        if not isinstance(node, kind):
            raise self.refusal(f"expected a {_KINDS[kind]}, found {tree.prettify()}")
        return node

    def _number(self, tree: Any) -> Node:
        if isinf(tree.val) and "inf" not in self._text.lower():
            raise self.refusal("a number is too big")
        return Number(tree.val)

    def _string(self, tree: Any) -> Node:
        raise self.refusal("a string has no place here", tree.val)

    def _subquery(self, tree: Any) -> Node:
        range_ms = milliseconds(tree.range)
        step_ms = milliseconds(tree.step) if tree.step else self._options.subquery_step_ms
        if range_ms > MOST_STEPS * step_ms:
            raise self.refusal(f"a subquery of more than {MOST_STEPS} steps: {tree.prettify()}")
        anchor = self._anchor(tree)
        outer = self._reach
        start = Reach() if anchor.at_query else outer
        self._reach = Reach(
            start.first_ms - anchor.offset_ms - range_ms, start.last_ms - anchor.offset_ms
        )
        vector = self.vector(tree.expr)
        self._reach = outer
        return Subquery(vector, range_ms, step_ms, anchor)

    def _anchor(self, tree: Any) -> Anchor:
        offset_ms = milliseconds(tree.offset) if tree.offset is not None else 0
        if tree.at is None:
            return Anchor(offset_ms)
        if str(tree.at.type) != str(promql.AtModifierType.At):
            return Anchor(offset_ms, at_query=True)
        if not self._options.whole:
            raise self.refusal(
                "a fixed time after '@' would have to be remembered for ever; "
                "'@ start()' and '@ end()' name the time of the evaluation",
                "@",
            )
        if before_epoch(self._text):
            raise self.refusal("a time before 1970 is not supported", "@")
        return Anchor(offset_ms, at_ms=at_milliseconds(tree.at))

    def _range(self, tree: Any) -> Node:
        range_ms = milliseconds(tree.range)
        return RangeSelector(self._selection(tree.vector_selector, range_ms), self._options.picks)

    def _unary(self, tree: Any) -> Node:
        return self._call_values(for_all(np.negative), self._build(tree.expr), native=negated)

    def _selection(self, tree: Any, range_ms: int = 0) -> Selection:
        anchor = self._anchor(tree)
        reach = Reach() if anchor.at_query else self._reach
        if reach.last_ms > anchor.offset_ms and not self._options.whole:
            raise self.refusal(
                "a negative offset looks after the evaluation, where a stream has nothing yet",
                "offset",
            )
        if tree.matchers.or_matchers:
            raise self.refusal("'or' between matchers is not supported", "or")
        matchers = [Matcher(METRIC, MatchOp.EQUAL, tree.name)] if tree.name else []
        for each in tree.matchers.matchers:
            op = _MATCH_OPS[str(each.op)]
            if op in (MatchOp.REGEX, MatchOp.NOT_REGEX):
                try:
                    compile_regex(each.value)
                except RegexError as error:
                    raise self.refusal(str(error), each.name) from error
            matchers.append(Matcher(each.name, op, each.value))
        return Selection(
            tuple(matchers), range_ms, anchor, self._options.lookback_ms, -reach.first_ms
        )

    def _call_values(
        self,
        function: ValueFunction,
        first: Node,
        *scalars: Node,
        keeps_name: bool = False,
        native: NativeOperator | None = None,
    ) -> Node:
        """A value function of a vector and scalars, or of scalars only."""
        numbers = [each for each in scalars if isinstance(each, ScalarNode)]
        if isinstance(first, VectorNode):
            return ValueCall(function, first, numbers, keeps_name=keeps_name, native=native)
        assert isinstance(first, ScalarNode), "the parser has checked the types"
        return ScalarFunction(lambda *values: function(*values)[0], first, *numbers)

    def _aggregate(self, tree: Any) -> Node:
        name, vector = str(tree.op), self.vector(tree.expr)
        names: frozenset[str] = frozenset(tree.modifier.labels if tree.modifier else ())
        by = tree.modifier is None or str(tree.modifier.type) == str(promql.AggModifierType.By)
        grouping: Callable[[Labels], Labels] = (
            keep_only(names) if by else drop_these(names | {METRIC})
        )
        if name in AGGREGATIONS:
            native = NATIVE_AGGREGATIONS.get(name)
            blind = native is None and name not in INDIFFERENT
            return Aggregation(
                AGGREGATIONS[name], vector, grouping, native=native, floats_only=blind
            )
        if name == "quantile":
            phi = self.scalar(tree.param)
            return Aggregation(None, vector, grouping, phi, floats_only=True)
        if name == "count_values":
            return CountValues(target_label(self, tree.param, name), vector, names, by=by)
        if name in CHOOSERS:
            return Choice(CHOOSERS[name], vector, grouping, self.scalar(tree.param))
        raise self.refusal(f"aggregation '{name}' is not supported", name)

    def _binary(self, tree: Any) -> Node:
        symbol = str(tree.op)
        left, right = self._build(tree.lhs), self._build(tree.rhs)
        modifier = tree.modifier
        if symbol not in SETS and symbol not in ARITHMETIC and symbol not in COMPARISONS:
            raise self.refusal(f"operator '{symbol}' is not supported", symbol)
        operator = Operator(symbol, modifier is not None and modifier.return_bool)
        as_bool, keeps_name = operator.as_bool, operator.keeps_name
        if not isinstance(right, VectorNode):
            function = operate(symbol, as_bool=as_bool)
            native = with_scalar(symbol)
            return self._call_values(function, left, right, keeps_name=keeps_name, native=native)
        if not isinstance(left, VectorNode):
            function = operate(symbol, as_bool=as_bool, vector_at=1)
            native = with_scalar(symbol, vector_at=1)
            return self._call_values(function, right, left, keeps_name=keeps_name, native=native)
        matching = self._matching(modifier)
        if symbol in SETS:
            return SetOperation(symbol, matching, left, right)
        return Binary(operator, matching, left, right)

    def _matching(self, modifier: Any) -> Matching:
        if modifier is None:
            return Matching()
        if modifier.fill_values.lhs is not None or modifier.fill_values.rhs is not None:
            raise self.refusal("fill values are not supported", "fill")
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
            selector = self.range(trees.pop(entry.range_at))
            return RangeCall(entry, selector, [self.scalar(each) for each in trees])
        if name in DATE_FUNCTIONS and not trees:
            return ValueCall(VALUE_FUNCTIONS[name], VectorOf(Time()))
        if name in VALUE_FUNCTIONS:
            return self._call_values(VALUE_FUNCTIONS[name], *map(self._build, trees))
        if name in BUILDERS:
            return BUILDERS[name](self, trees)
        raise self.refusal(f"function '{name}' is not supported", name)
