"""From the text of an expression to the tree of the `promql_parser` package, and from a word to its place in the text.

`holt_winters`, Prometheus 2's name of `double_exponential_smoothing`, is read too.
Refuses what the package refuses, and texts on which it would spend too much time.
"""

import re
from typing import Any

import promql_parser as promql

from schemas.errors import RuleError

MOST_OPERATORS = 1000
"""The parser's time and memory grow with the square of the depth; with so many it takes 0.2 s and 60 MB."""

_OPERATOR = re.compile(r"[-+*/%^(<>]|==|!=|\b(?:and|or|unless|atan2)\b")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`|#[^\n]*')

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


def refusal(text: str, message: str, token: str = "") -> RuleError:
    """The error `line:column: message` for the first place of a token; the text itself where it has none."""
    plain = _QUOTED.sub(lambda found: " " * len(found[0]), text)
    word = rf"(?<!\w){re.escape(token)}(?!\w)"
    for pattern, where in ((word, plain), (word, text), (re.escape(token), plain)):
        found = re.search(pattern, where) if token else None
        if found is not None:
            line = text.count("\n", 0, found.start()) + 1
            column = found.start() - text.rfind("\n", 0, found.start())
            return RuleError(f"{line}:{column}: {message}")
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
        return promql.parse(text)
    except ValueError as error:
        named = _NAMED.search(str(error))
        raise refusal(text, str(error), named[named.lastindex or 0] if named else "") from error
    except BaseException as error:
        # The parser's Rust code panics on a number too big for a duration; that is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise refusal(text, str(error)) from error
