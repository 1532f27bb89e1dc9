"""Templates of rule labels and annotations: the part of Go's text/template that rule files use.

`{{ $labels.x }}`, `{{ $value | humanize }}`, `{{ printf "%.2f" $value }}`, `{{ if }}` with `else if` and `else`,
`{{ $x := ... }}`, parentheses, trimming with `{{-` and `-}}`. Parsed once, expanded for each alert; equal to Go
in what they print and in what they call an error (a float is never compared with an int: write 90.0).

Refuses at parse time, by name, what it does not know: functions, variables, and `range`, `with`, `template`, `define`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import msgspec

from schemas.config.near import nearest
from schemas.errors import RuleError
from streams.rules.humanize import FUNCTIONS, IncompatibleTypesError, print_value, type_name
from streams.rules.lexer import Action, Token, split_template

Scope: TypeAlias = dict[str, object]
Value: TypeAlias = Callable[[Scope], object]
Node: TypeAlias = Callable[[Scope, list[str]], None]

PLAIN_VARIABLES = frozenset({"$labels", "$value", "$externalLabels", "$externalURL"})
DETECT_VARIABLES = PLAIN_VARIABLES | {"$expected", "$low", "$high", "$score"}
_FIELDS = {
    ".Labels": "$labels",
    ".Value": "$value",
    ".ExternalLabels": "$externalLabels",
    ".ExternalURL": "$externalURL",
}
_CONSTANTS: dict[str, object] = {"true": True, "false": False}
_REFUSED = ("range", "with", "template", "define", "block", "break", "continue", "nil")
_QUERIES = ("query", "first", "value", "label", "strvalue", "sortByLabel", "tableLink", "graphLink")
FAILURES = (TypeError, ValueError, ArithmeticError, AttributeError, LookupError, re.error)


class Template:
    """A parsed template; `uses` are the given variables that its text depends on."""

    def __init__(self, text: str, variables: Iterable[str] = PLAIN_VARIABLES) -> None:
        """Parse a text.

        Raises:
            RuleError: it is no template that we know; the message begins with `line N`, counted in the text.

        """
        self.text = text
        parser = _Parser(split_template(text), frozenset(variables))
        self._nodes = parser.parse()
        self.uses = frozenset(parser.uses)

    def render(self, scope: Mapping[str, object]) -> str:
        """The text for these variables (`$labels` a mapping, `$value` a float); raises what functions raise."""
        out: list[str] = []
        own = dict(scope)
        for node in self._nodes:
            node(own, out)
        return "".join(out)

    def expand(self, scope: Mapping[str, object]) -> str:
        """As `render`, but a failure becomes the text, as in Prometheus, so that the alert still goes out."""
        try:
            return self.render(scope)
        except FAILURES as error:
            return f"<error expanding template: {error}>"

    def problem(self) -> str | None:
        """What fails whatever the values are, such as a float compared with an int."""
        scope: Scope = dict.fromkeys(DETECT_VARIABLES, 1.5)
        scope |= {"$labels": {}, "$externalLabels": {}, "$externalURL": ""}
        try:
            self.render(scope)
        except IncompatibleTypesError as error:
            return f"{error}; write a float with a point, such as 90.0"
        except FAILURES:
            return None  # may well work with other labels
        return None


class _Parser:
    """Recursive descent over the parts of a template and the tokens of an action."""

    def __init__(self, parts: list[str | Action], variables: frozenset[str]) -> None:
        self._parts = parts
        self._given = variables
        self._known = set(variables)
        self._at = 0
        self._line = 1
        self._tokens: list[Token] = []
        self.uses: set[str] = set()

    def parse(self) -> list[Node]:
        nodes, ended = self._body()
        if ended is not None:
            raise self._wrong(f"unexpected {{{{{ended}}}}}")
        return nodes

    def _wrong(self, what: str) -> RuleError:
        return RuleError(f"line {self._line}: {what}")

    def _body(self) -> tuple[list[Node], str | None]:
        """Nodes up to `else` or `end`, and which of them it was; None at the end of the text."""
        nodes: list[Node] = []
        known = set(self._known)
        while self._at < len(self._parts):
            part = self._parts[self._at]
            self._at += 1
            if isinstance(part, str):
                nodes.append(_literal(part))
                continue
            self._line, self._tokens = part.line, list(part.tokens)
            word = part.tokens[0].text if part.tokens[0].kind == "name" else ""
            if word in ("else", "end"):
                self._tokens.pop(0)
                self._known = known
                return nodes, word
            nodes.append(self._if() if word == "if" else self._output())
        return nodes, None

    def _if(self) -> Node:
        self._tokens.pop(0)
        condition = self._pipeline()
        self._expect_end()
        yes, ended = self._body()
        no: list[Node] = []
        if ended == "else" and self._tokens and self._tokens[0].text == "if":
            no = [self._if()]
            return _branch(condition, yes, no)
        if ended == "else":
            self._expect_end()
            no, ended = self._body()
        if ended != "end":
            raise self._wrong(f"{{{{if}}}} without {{{{end}}}}{', but else' if ended else ''}")
        self._expect_end()
        return _branch(condition, yes, no)

    def _output(self) -> Node:
        if len(self._tokens) > 1 and self._tokens[1].text in (":=", "="):
            name = self._tokens[0].text
            if self._tokens[1].text == "=":
                self._check_known(name)
            del self._tokens[:2]
            value = self._pipeline()
            self._expect_end()
            self._known.add(name)
            return _assignment(name, value)
        value = self._pipeline()
        self._expect_end()
        return _output(value)

    def _expect_end(self) -> None:
        if self._tokens:
            raise self._wrong(f"unexpected {self._tokens[0].text!r}")

    def _pipeline(self) -> Value:
        value = self._command(None)
        while self._tokens and self._tokens[0].text == "|" and self._tokens[0].kind == "sign":
            self._tokens.pop(0)
            value = self._command(value)
        return value

    def _command(self, piped: Value | None) -> Value:
        if not self._tokens:
            raise self._wrong("missing value")
        first = self._tokens[0]
        is_call = first.kind == "name" and first.text not in _CONSTANTS
        if not is_call and piped is None:
            value = self._operand()
            if self._starts_operand():
                raise self._wrong(f"can't give argument to non-function {first.text}")
            return value
        if not is_call:
            raise self._wrong(f"{first.text} is no function to pipe into")
        self._tokens.pop(0)
        values: list[Value] = []
        while self._starts_operand():
            values.append(self._operand())
        return self._call(first.text, [*values, piped] if piped else values)

    def _starts_operand(self) -> bool:
        return bool(self._tokens) and (
            self._tokens[0].kind != "sign" or self._tokens[0].text == "("
        )

    def _operand(self) -> Value:
        token = self._tokens.pop(0)
        match token.kind:
            case "text":
                return _constant(_unquote(token.text))
            case "number":
                return _constant(_number(token.text))
            case "variable":
                self._check_known(token.text)
                return self._fields(self._variable(token.text))
            case "field":
                if token.text not in _FIELDS:
                    raise self._wrong(f"unknown field {token.text}")
                return self._fields(self._variable(_FIELDS[token.text]))
            case "name" if token.text in _CONSTANTS:
                return _constant(_CONSTANTS[token.text])
            case "name":
                return self._call(token.text, [])
        if token.text != "(":
            raise self._wrong(f"unexpected {token.text!r}")
        value = self._pipeline()
        if not self._tokens or self._tokens.pop(0).text != ")":
            raise self._wrong("unclosed left parenthesis")
        return self._fields(value)

    def _check_known(self, name: str) -> None:
        if name not in self._known:
            raise self._wrong(f"undefined variable {name}: {nearest(name, sorted(self._known))}")

    def _variable(self, name: str) -> Value:
        if name in self._given:
            self.uses.add(name)
        return lambda scope: scope[name]

    def _fields(self, value: Value) -> Value:
        while self._tokens and self._tokens[0].kind == "field" and not self._tokens[0].spaced:
            value = _field(value, self._tokens.pop(0).text[1:])
        return value

    def _call(self, name: str, values: list[Value]) -> Value:
        function = FUNCTIONS.get(name)
        if name in _QUERIES:
            raise self._wrong(f"function {name} is not supported: a template cannot run queries")
        if name in _REFUSED:
            raise self._wrong(f"{name} is not supported")
        if function is None:
            raise self._wrong(f"function {name} is not defined: {nearest(name, sorted(FUNCTIONS))}")
        if len(values) < function.least or len(values) > function.most >= 0:
            wanted = f"{function.least}{'' if function.most >= 0 else ' or more'}"
            raise self._wrong(f"wrong number of args for {name}: want {wanted} got {len(values)}")
        call = function.call
        return lambda scope: call(*(value(scope) for value in values))


def _literal(text: str) -> Node:
    return lambda _, out: out.append(text)


def _output(value: Value) -> Node:
    return lambda scope, out: out.append(print_value(value(scope)))


def _constant(value: object) -> Value:
    return lambda _: value


def _assignment(name: str, value: Value) -> Node:
    def assign(scope: Scope, _: list[str]) -> None:
        scope[name] = value(scope)

    return assign


def _branch(condition: Value, yes: list[Node], no: list[Node]) -> Node:
    def choose(scope: Scope, out: list[str]) -> None:
        for node in yes if condition(scope) else no:
            node(scope, out)

    return choose


def _field(value: Value, name: str) -> Value:
    def read(scope: Scope) -> object:
        held = value(scope)
        if not isinstance(held, Mapping):
            raise TypeError(f"can't evaluate field {name} in type {type_name(held)}")
        return held.get(name, "")

    return read


def _unquote(text: str) -> str:
    if text[0] == "`":
        return text[1:-1]
    # Go's escapes that JSON lacks do not occur in rule files, but a lone one must not fail either
    try:
        return msgspec.json.decode(text.encode(), type=str)
    except msgspec.DecodeError:
        return text[1:-1]


def _number(text: str) -> int | float:
    plain = text.replace("_", "")
    if plain.lower().lstrip("+-").startswith("0x"):
        return int(plain, 16)
    return float(plain) if re.search(r"[.eE]", plain) else int(plain)
