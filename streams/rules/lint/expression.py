"""Expression: the tree of a rule's expression, each node with its parents and its place in the text.

The parser tells no places, so the words of the text are matched with the nodes, both in their order; texts in quotes
and comments are passed over. A node whose word is not found stands at the place of the one before it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from streams.rules.parse import parse_expression

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`|#[^\n]*')


@dataclass
class Node:
    """A node of the parser's tree.

    Attributes:
        kind: name of the parser's class.
        name: of a function, an aggregation or a metric; the sign of an operator.
        tree: the parser's node.
        at: offset in the text.

    """

    kind: str
    name: str
    tree: Any
    parent: "Node | None"
    at: int = 0
    children: list["Node"] = field(default_factory=list)

    def walk(self) -> Iterator["Node"]:
        """This node and all below."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def shown(self) -> str:
        """As the parser writes it, on one line."""
        return " ".join(str(self.tree.prettify()).split())

    @property
    def bare(self) -> "Node":
        """The node within brackets."""
        return self.children[0].bare if self.kind == "ParenExpr" else self


class Expression:
    """The tree of an expression."""

    def __init__(self, text: str) -> None:
        """Parse a text.

        Raises:
            RuleError: it is no expression.

        """
        self._plain = _QUOTED.sub(lambda found: " " * len(found[0]), text)
        self._next = 0
        self.root = self._node(parse_expression(text), None)

    def __iter__(self) -> Iterator[Node]:
        return self.root.walk()

    def place(self, at: int) -> tuple[int, int]:
        """Line and column of an offset, from 1."""
        return self._plain.count("\n", 0, at) + 1, at - self._plain.rfind("\n", 0, at)

    def _find(self, pattern: str) -> int:
        found = re.compile(pattern).search(self._plain, self._next)
        if found is None:
            return min(self._next, max(0, len(self._plain) - 1))
        self._next = found.end()
        return found.start()

    def _node(self, tree: Any, parent: Node | None) -> Node:
        kind = type(tree).__name__
        node = Node(kind, "", tree, parent)
        match kind:
            case "BinaryExpr":
                node.name = str(tree.op)
                node.children.append(self._node(tree.lhs, node))
                node.at = self._find(re.escape(node.name))
                node.children.append(self._node(tree.rhs, node))
                return node
            case "Call":
                node.name = tree.func.name
                node.at = self._find(rf"(?<![\w:]){node.name}(?=\s*\()")
                below = list(tree.args)
            case "AggregateExpr":
                node.name = str(tree.op)
                node.at = self._find(rf"(?<![\w:]){node.name}(?![\w:])")
                below = [each for each in (tree.param, tree.expr) if each is not None]
            case "VectorSelector":
                node.name = tree.name or ""
                node.at = self._find(
                    rf"(?<![\w:]){re.escape(node.name)}(?![\w:])" if node.name else r"\{"
                )
                below = []
            case "MatrixSelector":
                below = [tree.vector_selector]
            case "ParenExpr" | "UnaryExpr" | "SubqueryExpr":
                below = [tree.expr]
            case _:
                below = []
        node.children = [self._node(each, node) for each in below]
        if kind in ("MatrixSelector", "ParenExpr", "UnaryExpr", "SubqueryExpr"):
            node.at = node.children[0].at
        return node
