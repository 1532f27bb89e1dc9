"""Which values an expression can have at all: the least and the greatest, by what its functions promise.

From this follows which comparisons can never be true. Bounds are never narrower than the truth: where nothing is known
they are infinite. NaN satisfies no comparison but `!=`, and is left out.
"""

import math
import re
from typing import NamedTuple

from streams.rules.lint.expression import Node

COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
_MIRRORED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}
INFINITE = math.inf


class Bounds(NamedTuple):
    """Values from `low` to `high`; `open_low` and `open_high` tell that the end itself is not among them."""

    low: float = -INFINITE
    high: float = INFINITE
    open_low: bool = False
    open_high: bool = False

    @property
    def empty(self) -> bool:
        """Whether there is no value at all."""
        return self.low > self.high or (self.low == self.high and (self.open_low or self.open_high))

    def meet(self, other: "Bounds") -> "Bounds":
        """The values that are in both."""
        low = max(self.low, other.low)
        high = min(self.high, other.high)
        return Bounds(
            low,
            high,
            any(each.open_low for each in (self, other) if each.low == low),
            any(each.open_high for each in (self, other) if each.high == high),
        )


ALL = Bounds()
POSITIVE = Bounds(0.0)
SHARE = Bounds(0.0, 1.0)
ONE = Bounds(1.0, 1.0)
_CALLS: dict[str, Bounds] = {
    **dict.fromkeys(("rate", "irate", "increase", "resets", "changes"), POSITIVE),
    **dict.fromkeys(("abs", "exp", "sqrt", "stddev_over_time", "stdvar_over_time"), POSITIVE),
    "count_over_time": Bounds(1.0),
    **dict.fromkeys(("present_over_time", "absent", "absent_over_time"), ONE),
    "sgn": Bounds(-1.0, 1.0),
    "hour": Bounds(0.0, 23.0),
    "minute": Bounds(0.0, 59.0),
    "month": Bounds(1.0, 12.0),
    "day_of_week": Bounds(0.0, 6.0),
    "day_of_month": Bounds(1.0, 31.0),
    "day_of_year": Bounds(1.0, 366.0),
    "days_in_month": Bounds(28.0, 31.0),
    "histogram_fraction": SHARE,
}
_AGGREGATIONS = {"count": Bounds(1.0), "group": ONE, "stddev": POSITIVE, "stdvar": POSITIVE}
# What keeps the bounds of what it is given.
_KEEPING = frozenset(
    {
        *("avg", "min", "max", "quantile", "topk", "bottomk", "limitk", "limit_ratio"),
        *("avg_over_time", "min_over_time", "max_over_time", "quantile_over_time"),
        *("last_over_time", "first_over_time", "sort", "sort_desc", "label_replace", "label_join"),
    }
)
_FLAGS = re.compile(r"(?:^|_)up$|^probe_success$|_status_condition$|_unit_state$")


def bounds(node: Node) -> Bounds:  # noqa: C901  a case for each kind of node
    """The values that a node can have."""
    node = node.bare
    match node.kind:
        case "NumberLiteral":
            value = float(node.tree.val)
            return ALL if math.isnan(value) else Bounds(value, value)
        case "VectorSelector":
            return SHARE if _FLAGS.search(node.name) else ALL
        case "MatrixSelector" | "SubqueryExpr":
            return bounds(node.children[0])
        case "UnaryExpr":
            inner = bounds(node.children[0])
            return Bounds(-inner.high, -inner.low, inner.open_high, inner.open_low)
        case "Call":
            if node.name in _KEEPING:
                return _of_series(node)
            if node.name in ("vector", "scalar"):
                return bounds(node.children[0])
            return _CALLS.get(node.name, ALL)
        case "AggregateExpr":
            if node.name == "sum":
                return POSITIVE if _of_series(node).low >= 0 else ALL
            return _of_series(node) if node.name in _KEEPING else _AGGREGATIONS.get(node.name, ALL)
        case "BinaryExpr":
            return _binary(node)
    return ALL


def _of_series(node: Node) -> Bounds:
    series = next((c for c in reversed(node.children) if c.bare.kind != "NumberLiteral"), None)
    return bounds(series) if series is not None else ALL


def _binary(node: Node) -> Bounds:
    left, right = bounds(node.children[0]), bounds(node.children[1])
    if node.name in COMPARISONS:
        return SHARE if as_bool(node) else compared(node)
    if node.name == "or":
        return Bounds(min(left.low, right.low), max(left.high, right.high))
    if node.name in ("and", "unless"):
        return left
    ends = (left.low, left.high, right.low, right.high)
    if any(math.isinf(end) for end in ends) and node.name in ("*", "/"):
        return POSITIVE if left.low >= 0 and right.low >= 0 else ALL
    match node.name:
        case "+":
            return Bounds(left.low + right.low, left.high + right.high)
        case "-":
            return Bounds(left.low - right.high, left.high - right.low)
        case "*":
            products = [a * b for a in left[:2] for b in right[:2]]
            return Bounds(min(products), max(products))
        case "/" if right.low == right.high != 0:
            quotients = [left.low / right.low, left.high / right.low]
            return Bounds(min(quotients), max(quotients))
    return ALL


def as_bool(node: Node) -> bool:
    """Whether a comparison gives 0 or 1 instead of leaving out what is not true."""
    return node.tree.modifier is not None and bool(node.tree.modifier.return_bool)


def compared(node: Node) -> Bounds:
    """The values that a comparison lets through."""
    left, right = node.children
    subject, other = bounds(left), bounds(right)
    if subject.low == subject.high and left.bare.kind == "NumberLiteral":
        return other.meet(_allowed(_MIRRORED[node.name], subject))
    return subject.meet(_allowed(node.name, other))


def _allowed(sign: str, other: Bounds) -> Bounds:
    """What may stand on the left of a sign with these values on the right."""
    match sign:
        case ">":
            return Bounds(low=other.low, open_low=True)
        case ">=":
            return Bounds(low=other.low)
        case "<":
            return Bounds(high=other.high, open_high=True)
        case "<=":
            return Bounds(high=other.high)
        case "==":
            return other
    return ALL


def subject(node: Node) -> tuple[str, Bounds] | None:
    """What a chain of comparisons is about, as text, and the values that it lets through; None for anything else."""
    node = node.bare
    if node.kind != "BinaryExpr" or node.name not in COMPARISONS or as_bool(node):
        return None
    left, right = (each.bare for each in node.children)
    if left.kind == "NumberLiteral":
        left, right = right, left
    if right.kind != "NumberLiteral":
        return None
    deeper = subject(left)
    name = deeper[0] if deeper else left.shown
    return name, compared(node).meet(deeper[1] if deeper else ALL)
