"""Syntax: where a text stops being PromQL, so that an error can point at the token.

It is asked about texts that the parser has refused, and knows of the grammar only what that needs: operators have no
precedence, names no kinds. Of a well-formed text it has no fault; then something in it has the wrong type, and
`parts` are where to look. The grammar is Prometheus's (promql/parser, `lex.go` and `generated_parser.y`).
"""

import re
from collections.abc import Callable
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<blank>\s+|\#[^\n]*)
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
    |(?P<number>0[xX][\w.]*|\.?\d[\d._]*(?:[eE][-+]?[\w.]*|[\w.]*))
    |(?P<word>:?[A-Za-z_][\w:]*)
    |(?P<sign>=~|!~|==|!=|<=|>=|[-+*/%^<>=(){}\[\],@:])""",
    re.VERBOSE,
)
_DIGITS = r"\d+(?:_\d+)*"
_DURATION = r"(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m(?!s))?(?:\d+s)?(?:\d+ms)?"
NUMBER = re.compile(
    rf"0[xX]_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*"
    rf"|(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][-+]?{_DIGITS})?|{_DURATION}"
)
"""A number or a duration."""
_OPERATORS = frozenset([*"+-*/%^<>", "==", "!=", "<=", ">=", "and", "or", "unless", "atan2"])
_MATCHES = ("=", "!=", "=~", "!~")
_CLOSED_BY = {"(": ")", "{": "}", "[": "]"}
_OPERAND = "an expression"
_SPAN = "a duration"


class Token(NamedTuple):
    """A piece of the text: `text`, `number`, `word`, `sign` or `end`, and where it stands."""

    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """A sign or keyword as the grammar has it; empty for a text or a number."""
        return self.text.lower() if self.kind in {"sign", "word"} else ""


class MalformedError(Exception):
    """What is wrong, and at which character of the text."""

    def __init__(self, at: int, what: str) -> None:
        super().__init__(what)
        self.at = at


def tokens(text: str) -> list[Token]:
    """The tokens of a text, `end` behind them; raises MalformedError where there is none."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            quote = text[at] in "\"'`"
            what = "a text that is not closed" if quote else f"unexpected character {text[at]!r}"
            raise MalformedError(at, what)
        if match.lastgroup == "number" and not NUMBER.fullmatch(match[0]):
            raise MalformedError(at, f"{match[0]!r} is neither a number nor a duration")
        if match.lastgroup != "blank":
            found.append(Token(match.lastgroup, match[0], at))
        at = match.end()
    return [*found, Token("end", "", len(text.rstrip()))]


class Syntax:
    """What is well formed of a text.

    Attributes:
        fault: the first place where it is not, None where there is none.
        parts: first and last character of each operand, call and bracket that was read, inner ones first.

    """

    def __init__(self, text: str) -> None:
        self.fault: MalformedError | None = None
        self.parts: list[tuple[int, int]] = []
        self._place = 0
        self._last = 0
        try:
            self._tokens = tokens(text)
            self._expression()
            if self._now.kind != "end":
                raise self._unexpected("an operator")
        except MalformedError as fault:
            self.fault = fault

    @property
    def _now(self) -> Token:
        return self._tokens[self._place]

    def _next(self) -> Token:
        token = self._now
        self._last = token.at + len(token.text)
        self._place += 1
        return token

    def _take(self, *words: str) -> bool:
        """Whether one of these stood here; it is read then."""
        taken = self._now.word in words
        if taken:
            self._next()
        return taken

    def _unexpected(self, wanted: str) -> MalformedError:
        found = repr(self._now.text) if self._now.text else "end"
        return MalformedError(self._now.at, f"unexpected {found}, {wanted} is wanted")

    def _open(self, sign: str) -> Token:
        if self._now.word != sign:
            raise self._unexpected(repr(sign))
        return self._next()

    def _close(self, opened: Token, before: str = "") -> None:
        sign = _CLOSED_BY[opened.text]
        if self._now.kind == "end":
            raise MalformedError(opened.at, f"{opened.text!r} is not closed")
        if not self._take(sign):
            raise self._unexpected(f"{before} or {sign!r}" if before else repr(sign))

    def _list(self, sign: str, read_one: Callable[[], object]) -> None:
        """What stands between brackets; there may be a comma behind the last one."""
        opened = self._open(sign)
        while self._now.kind != "end" and self._now.word != _CLOSED_BY[sign]:
            read_one()
            if not self._take(","):
                break
        self._close(opened, "','")

    def _expression(self) -> None:
        begin = self._now.at
        self._signed()
        while self._now.word in _OPERATORS:
            self._next()
            self._matching()
            self._signed()
        self.parts.append((begin, self._last))

    def _matching(self) -> None:
        self._take("bool")
        if self._take("on", "ignoring"):
            self._names()
            if self._take("group_left", "group_right") and self._now.word == "(":
                self._names()

    def _signed(self) -> None:
        while self._take("+", "-"):
            pass
        begin = self._now.at
        self._operand()
        self._modified()
        self.parts.append((begin, self._last))

    def _operand(self) -> None:
        token = self._now
        if token.word == "(":
            opened = self._next()
            self._expression()
            self._close(opened, "an operator")
        elif token.word == "{":
            self._matchers()
        elif token.kind in {"number", "text"}:
            self._next()
        elif token.kind == "word":
            self._next()
            self._named()
        else:
            raise self._unexpected(_OPERAND)

    def _named(self) -> None:
        """What stands behind a name: matchers, arguments, or those with the labels of an aggregation."""
        if self._now.word == "{":
            self._matchers()
            return
        grouped = self._take("by", "without")
        if grouped:
            self._names()
        if not grouped and self._now.word != "(":
            return
        opened = self._open("(")
        if self._now.word != ")":
            self._expression()
            while self._take(","):
                self._expression()
        self._close(opened, "an operator, ','")
        if not grouped and self._take("by", "without"):
            self._names()

    def _modified(self) -> None:
        while True:
            if self._now.word == "[":
                opened = self._next()
                self._duration()
                if self._take(":") and self._now.word != "]":
                    self._duration()
                self._close(opened, "':'")
            elif self._take("offset"):
                self._take("+", "-")
                self._duration()
            elif self._take("@"):
                self._time()
            else:
                return

    def _duration(self) -> None:
        if self._now.kind != "number":
            raise self._unexpected(_SPAN)
        self._next()

    def _time(self) -> None:
        if self._take("start", "end"):
            self._close(self._open("("))
            return
        self._take("+", "-")
        if self._now.kind != "number" and self._now.word not in {"inf", "nan"}:
            raise self._unexpected("a time")
        self._next()

    def _names(self) -> None:
        self._list("(", self._label)

    def _matchers(self) -> None:
        self._list("{", self._matcher)

    def _label(self) -> Token:
        if self._now.kind not in {"word", "text"}:
            raise self._unexpected("a label")
        return self._next()

    def _matcher(self) -> None:
        label = self._label()
        if self._take(*_MATCHES):
            if self._now.kind != "text":
                raise self._unexpected("a text in quotes")
            value = self._next()
            self.parts.append((value.at, self._last))
        elif label.kind == "word":
            raise self._unexpected("=, !=, =~ or !~")
