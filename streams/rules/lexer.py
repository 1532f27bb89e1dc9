"""Cuts a rule template into literal text and actions, and an action into tokens.

`{{-` and `-}}` trim the white space beside them; comments vanish. Lines are counted from 1, within the text.
Refuses characters that no action can hold.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from schemas.errors import RuleError

_OPEN = re.compile(r"\{\{(?:-\s+)?")
_CLOSE = re.compile(r"\s*(\s-)?\}\}")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
    | (?P<number>[-+]?(?:0[xX][0-9a-fA-F]+|(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?))
    | (?P<variable>\$\w*)
    | (?P<field>\.\w+)
    | (?P<name>[A-Za-z_]\w*)
    | (?P<sign>:=|[|().,=])
    )""",
    re.VERBOSE,
)


class Token(NamedTuple):
    """Kind is one of text, number, variable, field, name, sign; `spaced` tells whether white space precedes it."""

    kind: str
    text: str
    spaced: bool


@dataclass(frozen=True)
class Action:
    """What stands between `{{` and `}}`."""

    line: int
    tokens: tuple[Token, ...]


def split_template(text: str) -> list[str | Action]:
    """Literal texts and actions in order.

    Raises:
        RuleError: an action does not end, or holds a character that it cannot.

    """
    parts: list[str | Action] = []
    at = 0
    trim = False
    while (found := _OPEN.search(text, at)) is not None:
        literal = text[at : found.start()]
        _add(parts, literal, left=trim, right=len(found[0]) > 2)
        line = text.count("\n", 0, found.start()) + 1
        tokens, at, trim = _read_action(text, found.end(), line)
        if tokens:
            parts.append(Action(line, tuple(tokens)))
    _add(parts, text[at:], left=trim, right=False)
    return parts


def _add(parts: list[str | Action], literal: str, *, left: bool, right: bool) -> None:
    literal = literal.lstrip() if left else literal
    literal = literal.rstrip() if right else literal
    if literal:
        parts.append(literal)


def _read_action(text: str, at: int, line: int) -> tuple[list[Token], int, bool]:
    """Tokens up to the end of the action, the position behind it, and whether it trims what follows."""
    tokens: list[Token] = []
    comment = _COMMENT.match(text, at)
    if comment is not None:
        at = comment.end()
    while True:
        close = _CLOSE.match(text, at)
        if close is not None:
            return tokens, close.end(), close[1] is not None
        token = _TOKEN.match(text, at)
        if comment is not None or token is None:
            rest = text[at:].lstrip()
            what = f"unexpected {rest[0]!r} in an action" if rest else "unclosed action"
            raise RuleError(f"line {line}: {what}")
        assert token.lastgroup is not None
        tokens.append(
            Token(token.lastgroup, token[token.lastgroup], spaced=text[at : at + 1].isspace())
        )
        at = token.end()
