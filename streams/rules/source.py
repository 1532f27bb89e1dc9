"""Where in a rule file a place within a text stands, whatever way of YAML the text was written in.

YAML folds lines, takes off margins and reads escapes, so a position within an expression is not one within the file. It
is found by following the text's signs through the file, white space left aside.
"""

import re
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from schemas.config.document import holder

# What YAML's ways of writing put between the signs of a text: white space, escapes, doubled quotes.
_BETWEEN = " \t\r\n\\'"
_ESCAPE = re.compile(r"\\[ntr]")
_PLAIN = re.compile(
    r"""(?:[!&]\S+[ \t]+)*([^\s,\[\]{}*&!|>'"%@`#][^\r\n,\]}]*?)(?=[ \t]*(?:[\r\n,\]}#]|$))"""
)
"""A scalar without quotes, behind its tag or anchor."""


class Source:
    """A file's text, and its tree as ruamel read it."""

    def __init__(self, text: str, tree: Any) -> None:
        self._text = text
        self._tree = tree
        self._lines = [0, *(found.end() for found in re.finditer(r"\n", text))]

    def find(
        self, path: tuple[str | int, ...], value: str, line: int, column: int
    ) -> tuple[int, int] | None:
        """Line and column in the file, from 1, of a line and column in the value of a key; None if it is not found."""
        start = self._start(path)
        if start is None:
            return None
        lines = value.split("\n")
        at = sum(len(each) + 1 for each in lines[: line - 1]) + column - 1
        found = self._follow(start, value, min(at, len(value)))
        if found is None:
            return None
        row = self._text.count("\n", 0, found)
        return row + 1, found - self._lines[row] + 1

    def plain(self, path: tuple[str | int, ...]) -> str | None:
        """The value of a key as it stands, where it has no quotes, such as `1.50`; None if it is not found."""
        start = self._start(path)
        found = None if start is None else _PLAIN.match(self._text, start)
        return found[1] if found else None

    def _start(self, path: tuple[str | int, ...]) -> int | None:
        """Offset of the first sign of a value, behind its quotes or the line with `|`."""
        tree = self._tree
        for step in path[:-1]:
            inside = isinstance(tree, CommentedMap) and step in tree
            if not inside and not (isinstance(tree, CommentedSeq) and isinstance(step, int)):
                return None
            tree = tree[step]
        if not isinstance(tree, CommentedMap) or path[-1] not in tree:
            return None
        row, column = holder(tree, path[-1]).lc.value(path[-1])
        start: int = self._lines[row] + column
        if self._text[start : start + 1] in ("|", ">"):
            return self._lines[row + 1] if row + 1 < len(self._lines) else None
        return start + (self._text[start : start + 1] in ('"', "'"))

    def _follow(self, start: int, value: str, at: int) -> int | None:
        here: int | None = start
        for sign in value[:at]:
            if not sign.isspace():
                here = self._reach(here, sign)
                if here is None:
                    return None
                here += 1
        return here if not value[at : at + 1].strip() else self._reach(here, value[at])

    def _reach(self, here: int | None, sign: str) -> int | None:
        """Offset of the next sign, with nothing but what YAML puts in between."""
        while here is not None and self._text[here : here + 1] != sign:
            if _ESCAPE.match(self._text, here):
                here += 2
            else:
                here = here + 1 if self._text[here : here + 1] in tuple(_BETWEEN) else None
        return here
