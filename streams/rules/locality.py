"""Locality: whether a rule can be evaluated in each detect partition by itself.

A detect partition holds all series of the localities (values of the locality labels) that hash to it, and no others. An
expression is local when each of its results comes from series of one locality: aggregations and matches keep the
locality labels, or all series behind them have them fixed by `label="value"`.

Refuses to guess: an expression that it cannot see through is reported, never taken for local.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import promql_parser as promql

from streams.rules.dates import DATE_FUNCTIONS
from streams.rules.parse import parse_expression

TENANT_NAMES = ("tenant", "__tenant__")
ABSENT = ("absent", "absent_over_time")
WRITERS = ("label_replace", "label_join")


class Reach(NamedTuple):
    """Which localities a result may come from.

    Attributes:
        fixed: values of locality labels that all series behind it have.
        from_series: false for numbers and times, which are the same in every partition.

    """

    fixed: dict[str, str]
    from_series: bool = True


def locality_names(locality: Sequence[str]) -> list[str]:
    """The labels of a locality without the tenant, which nothing gives up."""
    return [name for name in locality if name not in TENANT_NAMES]


def reaches_beyond(tree: Any, names: Sequence[str]) -> list[str]:
    """What in a tree reaches beyond one locality, and what to do about it; `names` are those of `locality_names`."""
    return _Walk(names).faults(tree)


def selectors_in(tree: Any) -> list[Any]:
    """The selectors in a tree, those of ranges too."""
    return [each for each in _descend(tree) if _kind(each) == "VectorSelector"]


def speaks_of_nothing(expr: str) -> bool:
    """Whether an expression can have results without series, which every partition would then yield.

    True for `absent`, `vector`, `hour()` and its kin, and expressions of numbers only.

    Raises:
        RuleError: it is no expression.

    """
    tree = parse_expression(expr)
    found = {_name(each) for each in _descend(tree)}
    selects = any(_kind(each) in ("VectorSelector", "MatrixSelector") for each in _descend(tree))
    dates = any(_name(each) in DATE_FUNCTIONS and not each.args for each in _descend(tree))
    return not selects or dates or bool(found & {*ABSENT, "vector"})


def _kind(tree: Any) -> str:
    return type(tree).__name__


def _name(tree: Any) -> str:
    return str(tree.func.name) if _kind(tree) == "Call" else ""


def _children(tree: Any) -> list[Any]:
    match _kind(tree):
        case "BinaryExpr":
            return [tree.lhs, tree.rhs]
        case "AggregateExpr":
            return [tree.expr, *([tree.param] if tree.param is not None else [])]
        case "ParenExpr" | "UnaryExpr" | "SubqueryExpr":
            return [tree.expr]
        case "Call":
            return list(tree.args)
        case "MatrixSelector":
            return [tree.vector_selector]
    return []


def _descend(tree: Any) -> Iterable[Any]:
    yield tree
    for child in _children(tree):
        yield from _descend(child)


class _Walk:
    """Walks one expression and notes what is not local."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._found: list[str] = []
        self._readers: dict[str, Callable[[Any], Reach]] = {
            "VectorSelector": self._selector,
            "AggregateExpr": self._aggregate,
            "BinaryExpr": self._binary,
            "Call": self._call,
            "NumberLiteral": lambda _: Reach({}, from_series=False),
            "StringLiteral": lambda _: Reach({}, from_series=False),
        }

    def faults(self, tree: Any) -> list[str]:
        """What reaches beyond one locality, and what to do about it."""
        self._read(tree)
        return self._found

    def _read(self, tree: Any) -> Reach:
        reader = self._readers.get(_kind(tree), self._through)
        return reader(tree)

    def _through(self, tree: Any) -> Reach:
        """Of parts that change nothing: what they hold."""
        reach = Reach({}, from_series=False)
        for child in _children(tree):
            reach = self._joined(reach, self._read(child))
        return reach

    def _joined(self, left: Reach, right: Reach) -> Reach:
        """Of two parts that are matched label by label, or of which one is the same everywhere."""
        if not (left.from_series and right.from_series):
            return left if left.from_series else right
        return Reach({k: v for k, v in left.fixed.items() if right.fixed.get(k) == v})

    def _selector(self, tree: Any) -> Reach:
        equal = str(promql.MatchOp.Equal)
        return Reach(
            {
                m.name: m.value
                for m in tree.matchers.matchers
                if m.name in self._names and str(m.op) == equal
            }
        )

    def _note(self, what: str, lost: Sequence[str], remedy: str) -> None:
        shown = ", ".join(lost)
        self._found.append(
            f"{what} across different {shown}, which one partition does not see; "
            f"{remedy}, or take {shown} out of 'locality'"
        )

    def _lost(self, *, names: Sequence[str], keeps: bool, fixed: dict[str, str]) -> list[str]:
        """Locality labels that a grouping gives up: `keeps` tells whether it keeps `names` or drops them."""
        return [n for n in self._names if n not in fixed and (n in names) is not keeps]

    def _aggregate(self, tree: Any) -> Reach:
        reach = self._through(tree)
        by = tree.modifier is None or str(tree.modifier.type) == str(promql.AggModifierType.By)
        names = [] if tree.modifier is None else list(tree.modifier.labels)
        lost = self._lost(names=names, keeps=by, fixed=reach.fixed)
        if str(tree.op) == "count_values" and str(getattr(tree.param, "val", "")) in self._names:
            self._note("'count_values' writes a locality label", self._names, "write another label")
        if lost and reach.from_series:
            remedy = f"add {', '.join(lost)} to 'by'" if by else f"keep {', '.join(lost)}"
            self._note(f"'{tree.op}' aggregates", lost, remedy)
        return reach

    def _binary(self, tree: Any) -> Reach:
        left, right = self._read(tree.lhs), self._read(tree.rhs)
        both = self._joined(left, right)
        if not (left.from_series and right.from_series):
            return both
        labels = tree.modifier.matching if tree.modifier is not None else None
        on = labels is not None and str(labels.type) == str(promql.LabelModifierType.Include)
        names = [] if labels is None else list(labels.labels)
        lost = self._lost(names=names, keeps=on, fixed=both.fixed)
        # a label that one side has fixed otherwise than the other can never match within a partition
        apart = [n for n in self._names if left.fixed.get(n) != right.fixed.get(n)]
        gone = [n for n in apart if n in left.fixed and n in right.fixed and n not in lost]
        if lost or gone:
            remedy = f"match on {', '.join(lost or gone)} too"
            self._note(f"'{tree.op}' matches series", lost or gone, remedy)
        return both

    def _call(self, tree: Any) -> Reach:
        reach = self._through(tree)
        name = _name(tree)
        open_ = [n for n in self._names if n not in reach.fixed]
        if name in ABSENT and open_:
            fix = ", ".join(f'{n}="..."' for n in open_)
            self._note(f"'{name}' looks for series", open_, f"name them in the selector: {fix}")
        elif name == "scalar" and reach.from_series and self._names:
            # the number is there in one partition only, while what it is compared with may be anywhere
            self._note("'scalar' takes its number", self._names, "match with 'on' instead")
        elif name in WRITERS and str(getattr(tree.args[1], "val", "")) in self._names:
            self._note(f"'{name}' writes a locality label", self._names, "write another label")
        return reach
