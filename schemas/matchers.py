r"""Alertmanager's matchers: their text, and whether a label set fulfils them.

The text is that of Alertmanager's classic parser: several matchers may stand in one text, quotes may be left out, and
a backslash before anything but `\\`, `n` and `"` stands for itself, so `code=~"\\d+"` needs no second one. Source:
`ParseMatchers` and `ParseMatcher` of Alertmanager's `pkg/labels`. A missing label is an empty one.
"""

import re
from collections.abc import Iterable, Mapping

from schemas.labels import Matcher, MatchOp
from schemas.regex import RegexError

_FORM = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*(.*?)\s*", re.DOTALL)
_ESCAPED = {"n": "\n", '"': '"', "\\": "\\"}


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """The matchers of a text such as `a="b"` or `{a=~"b.*", c!=d}`.

    Raises:
        ValueError: it holds something else, or an expression that RE2 refuses.

    """
    return tuple(map(_parse, _split(text.removeprefix("{").removesuffix("}"))))


def parse_all(texts: Iterable[str]) -> tuple[Matcher, ...]:
    """All matchers of several texts, in Alertmanager's order: by name, value and operator.

    Raises:
        ValueError: as `parse_matchers`.

    """
    return tuple(sorted((m for text in texts for m in parse_matchers(text)), key=_order))


def show_matcher(matcher: Matcher) -> str:
    """A matcher as Alertmanager writes it."""
    value = matcher.value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return f'{matcher.name}{matcher.op.value}"{value}"'


def show_matchers(matchers: Iterable[Matcher]) -> str:
    """Matchers as Alertmanager writes them into the key of a group."""
    return "{" + ",".join(map(show_matcher, matchers)) + "}"


def fulfils(labels: Mapping[str, str], matchers: Iterable[Matcher]) -> bool:
    """Whether a label set fulfils all of these."""
    for matcher in matchers:  # noqa: SIM110  a generator takes twice as long, and this is asked for each alert
        if not matcher.matches_value(labels.get(matcher.name, "")):
            return False
    return True


def _order(matcher: Matcher) -> tuple[str, str, int]:
    return matcher.name, matcher.value, list(MatchOp).index(matcher.op)


def _split(text: str) -> list[str]:
    """Cut at the commas that stand outside of quotes."""
    parts, part, quoted, escaped = [], "", False, False
    for char in text:
        if char == "," and not quoted:
            parts.append(part)
            part = ""
            continue
        if char == '"':
            quoted ^= not escaped
        escaped = char == "\\" and not escaped
        part += char
    return [*parts, part.strip()] if part.strip() else parts


def _parse(text: str) -> Matcher:
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f'not a matcher: {text!r}; write name="value" with one of = != =~ !~')
    name, op, raw = found.groups()
    matcher = Matcher(name, MatchOp(op), _value(raw, text))
    if matcher.op in (MatchOp.REGEX, MatchOp.NOT_REGEX):
        try:
            matcher.pattern  # noqa: B018  compiled here so that a bad one fails at start
        except RegexError as error:
            raise ValueError(f"bad regular expression in {text!r}: {error}") from error
    return matcher


def _value(raw: str, text: str) -> str:
    quoted = raw.startswith('"')
    body = raw[1:] if quoted else raw
    value, at, closed = "", 0, False
    while at < len(body):
        char = body[at]
        if char == "\\" and at < len(body) - 1:
            at += 1
            value += _ESCAPED.get(body[at], f"\\{body[at]}")
        elif char == '"':
            if not quoted or at < len(body) - 1:
                raise ValueError(f"a double quote inside the value of {text!r} needs a backslash")
            closed = True
        else:
            value += char
        at += 1
    if quoted and not closed:
        raise ValueError(f"the value of {text!r} has no closing quote")
    return value
