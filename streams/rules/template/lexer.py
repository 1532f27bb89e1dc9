"""Cuts a template into tokens as Go's text/template does: texts, and what stands between `{{` and `}}`.

`{{-` and `-}}` trim the white space beside them; comments vanish. Positions are offsets into the text.
Refuses what no action can hold; the message is Go's.
"""

import re
from typing import NamedTuple

SPACES = " \t\r\n"
KEYWORDS = frozenset(
    [
        "block",
        "break",
        "continue",
        "define",
        "else",
        "end",
        "if",
        "nil",
        "range",
        "template",
        "with",
    ]
)
_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<string>"(?:[^"\\\n]|\\[^\n])*")
    | (?P<raw>`[^`]*`)
    | (?P<char>'(?:[^'\\\n]|\\[^\n])*')
    | (?P<declare>:=)
    | (?P<assign>=)
    | (?P<pipe>\|)
    | (?P<left>\()
    | (?P<right>\))
    | (?P<number>[-+]?(?:0[xX][0-9a-fA-F_]+(?:[pP][-+]?\d+)?|0[oO][0-7_]+|0[bB][01_]+
        |(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][-+]?[\d_]+)?))
    | (?P<variable>\$\w*)
    | (?P<field>\.\w+)
    | (?P<dot>\.)
    | (?P<word>\w+)
    | (?P<sign>[!-~])
    """,
    re.VERBOSE,
)
# What may follow a word, a field or a variable.
_TERMINATOR = re.compile(r"[ \t\r\n.,|:)(]|\}\}|$")


class Token(NamedTuple):
    """Kind is one of text, open, close, eof, those of the pattern above, or a keyword itself."""

    kind: str
    text: str
    at: int


class LexError(Exception):
    """A text that cannot be cut: what is wrong, and where."""

    def __init__(self, what: str, at: int) -> None:
        super().__init__(what)
        self.at = at


def split_template(text: str) -> list[Token]:
    """All tokens, the last of kind `eof`.

    Raises:
        LexError: an action or a comment does not end, or holds a character that it cannot.

    """
    tokens: list[Token] = []
    at = 0
    while (opens := text.find("{{", at)) >= 0:
        trims = text[opens + 2 : opens + 3] == "-" and text[opens + 3 : opens + 4] in tuple(SPACES)
        literal = text[at:opens].rstrip(SPACES) if trims else text[at:opens]
        if literal:
            tokens.append(Token("text", literal, at))
        begins = opens + (4 if trims else 2)
        if text.startswith("/*", begins):
            at = _skip_comment(text, begins)
            continue
        tokens.append(Token("open", "{{", opens))
        at = _read_action(text, begins, tokens)
    if at < len(text):
        tokens.append(Token("text", text[at:], at))
    tokens.append(Token("eof", "EOF", len(text)))
    return tokens


def _close(text: str, at: int) -> int | None:
    """Position behind the end of an action that stands here, and behind the white space that it trims."""
    if text.startswith("}}", at):
        return at + 2
    if text[at : at + 1] in tuple(SPACES) and text.startswith("-}}", at + 1):
        behind = at + 4
        return behind + len(text[behind:]) - len(text[behind:].lstrip(SPACES))
    return None


def _skip_comment(text: str, at: int) -> int:
    ends = text.find("*/", at)
    if ends < 0:
        raise LexError("unclosed comment", at)
    behind = _close(text, ends + 2)
    if behind is None:
        raise LexError("comment ends before closing delimiter", at)
    return behind


def _read_action(text: str, at: int, tokens: list[Token]) -> int:
    depth = 0
    while (behind := _close(text, at)) is None:
        found = _TOKEN.match(text, at)
        if found is None:
            raise LexError(*_what_is_wrong(text, at))
        kind, word = str(found.lastgroup), found[0]
        if kind == "space" and text.startswith("-}}", found.end()):
            # the last space before -}} belongs to the end of the action
            if len(word) > 1:
                tokens.append(Token("space", word[:-1], at))
            at = found.end() - 1
            continue
        depth += (kind == "left") - (kind == "right")
        _check(text, found, depth)
        if kind == "word":
            kind = word if word in KEYWORDS else "bool" if word in ("true", "false") else "name"
        tokens.append(Token(kind, word, at))
        at = found.end()
    if depth:
        raise LexError("unclosed left paren", at)
    tokens.append(Token("close", "}}", at))
    return behind


def _check(text: str, found: re.Match[str], depth: int) -> None:
    kind, word, at, end = found.lastgroup, found[0], found.start(), found.end()
    if depth < 0:
        raise LexError("unexpected right paren", at)
    if kind in ("word", "field", "variable") and not _TERMINATOR.match(text, end):
        raise LexError(f"bad character {_code(text[end])}", at)
    if kind == "number" and re.match(r"\w", text[end:]):
        raise LexError(f'bad number syntax: "{word}{text[end]}"', at)
    if kind == "sign" and word in "'\"`:":
        raise LexError(*_what_is_wrong(text, at))


def _what_is_wrong(text: str, at: int) -> tuple[str, int]:
    if at >= len(text):
        return "unclosed action", at
    named = {
        '"': "unterminated quoted string",
        "`": "unterminated raw quoted string",
        "'": "unterminated character constant",
        ":": "expected :=",
    }
    return named.get(text[at], f"unrecognized character in action: {_code(text[at])}"), at


def _code(char: str) -> str:
    return f"U+{ord(char):04X}" + (f" '{char}'" if char.isprintable() else "")
