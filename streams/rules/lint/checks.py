"""The checks of one rule's expression, each a function from the expression to what it found.

Every check is a guess from names and shapes: it knows no series. A check that cannot decide says nothing.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from streams.rules.lint.bounds import COMPARISONS, as_bool, bounds, compared, subject
from streams.rules.lint.expression import Expression, Node
from streams.rules.rule import Evaluate, Kind, Rule

RATES = frozenset({"rate", "irate", "increase", "resets"})
DELTAS = frozenset({"delta", "idelta", "deriv", "predict_linear"})
TWO_SAMPLES = RATES | DELTAS | {"changes"} - {"resets"}
_COUNTER = re.compile(r"_(?:total|count|sum|bucket|created)$")
_GAUGE = re.compile(
    r"_(?:bytes|celsius|ratio|percent|info|size|limit|limits|free|used|available|usage|utilization|current"
    r"|capacity|temperature|replicas|connections|active|seconds)$"
)
_NEW_LABELS = frozenset(
    ["absent", "absent_over_time", "label_join", "label_replace", "scalar", "vector"]
)
_LABEL = re.compile(r"(?:\$labels|\.Labels)\.(\w+)")


class Context(NamedTuple):
    """A rule, its expression, and what the other rules of its file record."""

    rule: Rule
    expression: Expression
    recorded: dict[str, Expression]
    later: frozenset[str]


class Found(NamedTuple):
    """A code, what is wrong in the rule's words, and the offset in the expression or the key that it is about."""

    code: str
    what: str
    at: int | str


Check: TypeAlias = Callable[[Context], Iterator[Found]]


def never_true(context: Context) -> Iterator[Found]:
    """Comparisons that no value satisfies, also two that exclude each other."""
    for node in context.expression:
        if node.kind != "BinaryExpr":
            continue
        if node.name in COMPARISONS and not as_bool(node):
            if not compared(node).empty or any(bounds(each).empty for each in node.children):
                continue
            left = node.children[0].bare
            counted = left.kind == "AggregateExpr" and left.name == "count"
            code = "count-of-nothing" if counted else "never-true"
            yield Found(code, f"'{node.shown}' is never true", node.at)
        elif node.name == "and":
            first, second = (subject(each) for each in node.children)
            if first is None or second is None or first[0] != second[0]:
                continue
            if first[1].meet(second[1]).empty and not first[1].empty and not second[1].empty:
                yield Found("never-true", f"'{node.shown}' is never true", node.at)


def always_fires(context: Context) -> Iterator[Found]:
    """Alerts whose condition lets everything through."""
    if context.rule.kind is not Kind.ALERT or context.rule.detect is not None:
        return
    root = context.expression.root.bare
    if root.kind == "BinaryExpr" and root.name in COMPARISONS and as_bool(root):
        yield Found("always-fires", f"'{root.shown}' has a result where it is false too", root.at)
        return
    if not any(map(_filters, context.expression)):
        yield Found("always-fires", f"'{root.shown}' compares nothing", root.at)


def _filters(node: Node) -> bool:
    if node.kind == "BinaryExpr":
        return node.name in ("and", "unless") or (node.name in COMPARISONS and not as_bool(node))
    return node.kind == "Call" and node.name in ("absent", "absent_over_time", "vector")


def counters(context: Context) -> Iterator[Found]:
    """Functions of counters on gauges, and the other way round, and on sums of counters."""
    for node in context.expression:
        if node.kind != "Call" or node.name not in RATES | DELTAS:
            continue
        window = node.children[0].bare
        inner = window.children[0].bare if window.children else window
        if node.name in RATES and window.kind == "SubqueryExpr" and _is_aggregate(inner):
            what = f"{node.name}() of an aggregation: '{inner.shown}'"
            yield Found("sum-before-rate", what, node.at)
        if window.kind != "MatrixSelector":
            continue
        made = context.recorded.get(inner.name)
        if node.name in RATES and made is not None and _is_aggregate(made.root.bare):
            what = f"{node.name}() of '{inner.name}', which a rule makes by an aggregation"
            yield Found("sum-before-rate", what, node.at)
        elif node.name in RATES and _GAUGE.search(inner.name):
            yield Found("rate-of-gauge", f"{node.name}() of '{inner.name}'", node.at)
        elif node.name in DELTAS and _COUNTER.search(inner.name):
            yield Found("delta-of-counter", f"{node.name}() of '{inner.name}'", node.at)


def _is_aggregate(node: Node) -> bool:
    return node.kind == "AggregateExpr" and node.name in ("sum", "avg", "min", "max", "count")


def windows(context: Context) -> Iterator[Found]:
    """Windows too short for two samples."""
    interval_ms = context.rule.interval_ms
    for node in context.expression:
        if node.kind != "Call" or node.name not in TWO_SAMPLES:
            continue
        window = node.children[0].bare
        if window.kind != "MatrixSelector":
            continue
        span_ms = window.tree.range.total_seconds() * 1000
        if span_ms < 2 * interval_ms:
            what = f"a window of {span_ms / 1000:g}s, evaluated every {interval_ms / 1000:g}s"
            yield Found("short-window", what, node.at)


def absences(context: Context) -> Iterator[Found]:
    """`absent` of what many series match."""
    for node in context.expression:
        if node.kind != "Call" or node.name not in ("absent", "absent_over_time"):
            continue
        inner = next((each for each in node.walk() if each.kind == "VectorSelector"), None)
        if inner is None:
            continue
        loose = [
            m for m in inner.tree.matchers.matchers if "Re" in str(m.op) and m.name != "__name__"
        ]
        if loose:
            what = f"{node.name}() with a regular expression for '{loose[0].name}'"
            yield Found("absent-regex", what, node.at)


def quantiles(context: Context) -> Iterator[Found]:
    """`histogram_quantile` of what has lost its buckets."""
    for node in context.expression:
        if node.kind != "Call" or node.name != "histogram_quantile":
            continue
        inner = node.children[1].bare
        kept = labels_of(inner) if inner.kind == "AggregateExpr" else None
        names = (each.name for each in inner.walk() if each.kind == "VectorSelector")
        if kept is not None and "le" not in kept and any(n.endswith("_bucket") for n in names):
            yield Found("quantile-without-le", f"'{inner.shown}' has no label le", inner.at)


def labels_of(node: Node) -> frozenset[str] | None:
    """Labels that a result can have, where an aggregation says so; None where it does not."""
    node = node.bare
    if node.kind == "AggregateExpr":
        if node.name in ("topk", "bottomk", "limitk", "limit_ratio"):
            return labels_of(node.children[-1])
        modifier = node.tree.modifier
        if modifier is None:
            return frozenset()
        by = str(modifier.type).endswith("By")
        return frozenset(modifier.labels) if by and node.name != "count_values" else None
    if node.kind == "UnaryExpr":
        return labels_of(node.children[0])
    if node.kind == "Call" and node.name not in _NEW_LABELS:
        given = [labels_of(child) for child in node.children]
        kept = next((labels for labels in given if labels is not None), None)
        return kept - {"le"} if kept is not None and node.name.startswith("histogram_q") else kept
    if node.kind == "BinaryExpr":
        left, right = node.children
        if right.bare.kind == "NumberLiteral" or node.name in ("and", "unless"):
            return labels_of(left)
        if left.bare.kind == "NumberLiteral":
            return labels_of(right)
    return None


def lost_labels(context: Context) -> Iterator[Found]:
    """Texts that name a label which the expression has aggregated away."""
    rule = context.rule
    kept = labels_of(context.expression.root)
    if kept is None or rule.kind is not Kind.ALERT:
        return
    for part, texts in (("labels", rule.labels), ("annotations", rule.annotations)):
        for key, text in texts.items():
            for name in sorted(set(_LABEL.findall(text)) - kept):
                yield Found("lost-label", f"'{key}' names the label '{name}'", f"{part}.{key}")


def habits(context: Context) -> Iterator[Found]:
    """What every alert and every recording rule should have."""
    rule = context.rule
    if rule.kind is Kind.RECORD:
        if ":" not in rule.name:
            yield Found("record-name", f"'{rule.name}' has no colon", "record")
        return
    on_tick = rule.evaluate is Evaluate.ON_TICK and rule.detect is None
    if on_tick and not rule.for_ms and _is_momentary(context.expression):
        yield Found("missing-for", f"'{rule.name}' fires at once", "alert")
    if "severity" not in rule.labels:
        yield Found("missing-severity", f"'{rule.name}' has no label severity", "alert")
    if not {"summary", "description", "message"} & set(rule.annotations):
        yield Found("missing-summary", f"'{rule.name}' has no summary", "alert")
    if not any("runbook" in key for key in rule.annotations):
        yield Found("missing-runbook", f"'{rule.name}' has no runbook", "alert")


def _is_momentary(expression: Expression) -> bool:
    """Whether the condition hangs on single samples: no window, and something is compared."""
    kinds = {node.kind for node in expression}
    # a recorded series is most often made of a window already
    plain = any(node.kind == "VectorSelector" and ":" not in node.name for node in expression)
    return plain and not kinds & {"MatrixSelector", "SubqueryExpr"}


def order(context: Context) -> Iterator[Found]:
    """Series that a later rule of the same group records."""
    for node in context.expression:
        if node.kind == "VectorSelector" and node.name in context.later:
            yield Found("read-before-record", f"'{node.name}' is recorded later", node.at)


CHECKS: tuple[Check, ...] = (
    never_true, always_fires, counters, windows, absences, quantiles, lost_labels, habits, order,
)  # fmt: skip
