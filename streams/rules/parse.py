"""From the text of an expression to the tree of the `promql_parser` package, and from a word to its place in the text.

Read too is what Prometheus reads and the package does not: backslashes in backquotes, `_` between digits, durations of
nothing, and `holt_winters`, Prometheus 2's name of `double_exponential_smoothing`.
Refuses what the package refuses, at the place that `syntax` finds, and texts on which it would spend too much time.
"""

import re
from typing import Any

import promql_parser as promql

from schemas.errors import RuleError
from streams.rules.syntax import NUMBER, Syntax

MOST_OPERATORS = 1000
"""The parser's time and memory grow with the square of the depth; with so many it takes 0.2 s and 60 MB."""
_MOST_PARTS = 200
"""Of a text of the wrong type, so many parts are parsed again to find where it is wrong."""

_OPERATOR = re.compile(r"[-+*/%^(<>]|==|!=|\b(?:and|or|unless|atan2)\b")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`|#[^\n]*')
_OTHERWISE = re.compile(rf"{_QUOTED.pattern}|:?[A-Za-z_][\w:]*|[.\d][\w.]*")
_NOTHING = re.compile(r"(?:0+(?:ms|[smhdwy]))+|[0.]+|0[xX]0+")

_PLACED = re.compile(r"\d+:\d+: ")
_NAMED = re.compile(r"function with name '(\w+)'|illegal regex for (.+)", re.DOTALL)
"""What the parser's messages say of the token that is wrong."""

promql.clear_extra_functions()
promql.register_extra_functions(
    [
        promql.Function(
            "holt_winters",
            [promql.ValueType.Matrix, promql.ValueType.Scalar, promql.ValueType.Scalar],
            promql.ValueType.Vector,
        )
    ]
)


def _refuse_at(text: str, at: int, message: str) -> RuleError:
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    return RuleError(f"{line}:{column}: {message}")


def refusal(text: str, message: str, token: str = "") -> RuleError:
    """The error `line:column: message` for the first place of a token; the text itself where it has none."""
    plain = _QUOTED.sub(lambda found: " " * len(found[0]), text)
    word = rf"(?<!\w){re.escape(token)}(?!\w)"
    for pattern, where in ((word, plain), (word, text), (re.escape(token), plain)):
        found = re.search(pattern, where) if token else None
        if found is not None:
            return _refuse_at(text, found.start(), message)
    return RuleError(f"{message}: {text.strip()}")


def before_epoch(text: str) -> bool:
    """Whether a time after `@` is negative, which the package takes for 0."""
    return re.search(r"@\s*-", _QUOTED.sub("", text)) is not None


def parse_expression(text: str) -> Any:
    """The tree of an expression.

    Raises:
        RuleError: it is none.

    """
    if len(_OPERATOR.findall(text)) > MOST_OPERATORS:
        raise RuleError(f"more than {MOST_OPERATORS} operators and brackets: {text.strip()[:100]}")
    try:
        return _parse(text)
    except ValueError as error:
        raise _located(text, str(error)) from error


def _parse(text: str) -> Any:
    """The tree of a text; raises ValueError."""
    try:
        return promql.parse(_OTHERWISE.sub(_as_read, text))
    except ValueError:
        raise
    except BaseException as error:
        # The parser's Rust code panics on a number too big for a duration; that is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise ValueError(str(error)) from error


def _as_read(found: re.Match[str]) -> str:
    """A text in backquotes, a number or a duration as the package reads it."""
    token = found[0]
    if token[0] == "`":
        inner = token[1:-1].replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{inner}"'
    if not NUMBER.fullmatch(token):
        return token
    token = token.replace("_", "")
    if not _NOTHING.fullmatch(token):
        return token
    # the package refuses a range and a step of nothing as durations alone, and an offset too
    before = found.string[: found.start()].rstrip()
    return "0s" if before[-1:] in {"[", ":"} else "0"


def _located(text: str, message: str) -> RuleError:
    """The parser's refusal, with line and column where they can be found."""
    named = _NAMED.search(message)
    found = refusal(text, message, named[named.lastindex or 0] if named else "")
    if _PLACED.match(str(found)):
        return found
    try:
        syntax = Syntax(text)
    except RecursionError:
        return found
    if syntax.fault is not None:
        return _refuse_at(text, syntax.fault.at, str(syntax.fault))
    # the smallest part that is refused for the same reason
    first = {text[begin:end]: begin for begin, end in reversed(syntax.parts)}
    for part in sorted(first, key=len)[:_MOST_PARTS]:
        try:
            _parse(part)
        except ValueError as error:
            if str(error) == message:
                return _refuse_at(text, first[part], message)
    return found
