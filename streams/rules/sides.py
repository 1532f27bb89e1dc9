"""Sides: a comparison taken apart, so that value and threshold can be asked for by themselves."""

from typing import Any

from streams.rules.parse import parse_expression

_COMPARISONS = {">", "<", ">=", "<=", "==", "!="}


def sides_of(expression: str) -> tuple[str, str]:
    """The two sides of a comparison as texts; of anything else the whole, and nothing.

    Raises:
        RuleError: it is no expression.

    """
    tree = _unwrapped(parse_expression(expression))
    return (str(tree.lhs), str(tree.rhs)) if _compares(tree) else (expression, "")


def condition_of(expression: str) -> str:
    """What a comparison asks of its left side, such as `> 80`; nothing of anything else."""
    tree = _unwrapped(parse_expression(expression))
    return f"{tree.op} {tree.rhs}" if _compares(tree) else ""


def _compares(tree: Any) -> bool:
    return type(tree).__name__ == "BinaryExpr" and str(tree.op) in _COMPARISONS


def _unwrapped(tree: Any) -> Any:
    while type(tree).__name__ == "ParenExpr":
        tree = tree.expr
    return tree
