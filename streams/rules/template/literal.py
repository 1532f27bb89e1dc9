"""Constants of a template, from how they are written to what they are.

The forms are those of Go's strconv. Refuses what Go refuses.
"""

import codecs
import re

from streams.rules.template.gofmt import quote
from streams.rules.template.lexer import Token


class ParseError(Exception):
    """A template that is none: what is wrong, and where."""

    def __init__(self, what: str, at: int) -> None:
        super().__init__(what)
        self.at = at


_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|[abfnrtv\\'\"])")


def unquote(token: Token) -> str:
    """Go's strconv.Unquote.

    Raises:
        ParseError: it has an escape that Go does not know.

    """
    inner = token.text[1:-1]
    if token.kind == "raw":
        return inner.replace("\r", "")
    if "\\" in _ESCAPE.sub("", inner):
        raise ParseError("invalid syntax", token.at)
    return _ESCAPE.sub(lambda found: codecs.decode(found[0], "unicode_escape"), inner)


def read_number(token: Token) -> int | float:
    """A number or a character constant, which is a number too.

    Raises:
        ParseError: it is none.

    """
    word = token.text
    if token.kind == "char":
        char = unquote(token)
        if len(char) != 1:
            raise ParseError(f"malformed character constant: {word}", token.at)
        return ord(char)
    plain = word.replace("_", "")
    try:
        if re.search(r"[pP]", plain):
            return float.fromhex(plain)
        if re.match(r"[-+]?0[xXoObB]", plain):
            return int(plain, 0)
        if re.search(r"[.eE]", plain):
            return float(plain)
        octal = re.fullmatch(r"[-+]?0[0-7]+", plain)
        return int(plain, 8) if octal else int(plain)
    except ValueError as error:
        raise ParseError(f"bad number syntax: {quote(word)}", token.at) from error
