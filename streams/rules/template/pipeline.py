"""Pipelines of a template: from tokens to commands, operands and variables.

Functions and variables are checked here, so that what parses names nothing unknown; what a text depends on is noted.
The grammar and the messages are those of Go's text/template/parse.

Refuses `query` and the functions that only a query's result can be given to: a template may not look into the store.
"""

from dataclasses import dataclass, field

from schemas.config.near import nearest
from streams.rules.template.functions import FUNCTIONS, QUERIES
from streams.rules.template.gofmt import quote
from streams.rules.template.lexer import Token
from streams.rules.template.literal import ParseError, read_number, unquote
from streams.rules.template.tree import (
    Chain,
    Command,
    Dot,
    Field,
    Literal,
    Name,
    Nil,
    Node,
    Pipe,
    Variable,
)

FIELDS = {
    "Labels": "$labels",
    "Value": "$value",
    "ExternalLabels": "$externalLabels",
    "ExternalURL": "$externalURL",
}
_OPERANDS = frozenset(
    ["bool", "char", "dot", "field", "name", "number", "nil", "raw", "string", "variable", "left"]
)
_INERT = (Literal, Dot, Nil)


@dataclass
class Parsed:
    """A parsed template: its nodes, those of the templates that it defines, and what it depends on."""

    nodes: list[Node] = field(default_factory=list)
    defined: dict[str, list[Node]] = field(default_factory=dict)
    uses: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)


class Pipelines:
    """Recursive descent over the tokens of actions; whoever parses templates builds on it."""

    def __init__(self, tokens: list[Token], given: frozenset[str]) -> None:
        self._tokens = tokens
        self._next = 0
        self._given = given
        self._known = ["$", *given]
        self._ranges = 0
        # whether `.` is the root, as everywhere but in the bodies of with, range, define and block
        self._dot_is_root = True
        self._parsed = Parsed()

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _after_spaces(self, ahead: int = 0) -> Token:
        at = self._next + ahead
        while self._tokens[at].kind == "space":
            at += 1
        return self._tokens[at]

    def _take(self) -> Token:
        """The next token that is no space."""
        while self._tokens[self._next].kind == "space":
            self._next += 1
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _expect(self, kinds: tuple[str, ...], context: str) -> Token:
        token = self._take()
        if token.kind not in kinds:
            raise unexpected(token, context)
        return token

    def _pipeline(self, context: str, end: str) -> Pipe:
        pipe = Pipe(self._after_spaces().at)
        self._declarations(pipe, context)
        while True:
            token = self._after_spaces()
            if token.kind == end:
                self._take()
                break
            if token.kind not in _OPERANDS:
                raise unexpected(token, context)
            pipe.commands.append(self._command())
        if not pipe.commands:
            raise ParseError(f"missing value for {context}", token.at)
        for stage, command in enumerate(pipe.commands[1:], 2):
            if isinstance(command.args[0], _INERT):
                what = f"non executable command in pipeline stage {stage}"
                raise ParseError(what, command.at)
        return pipe

    def _declarations(self, pipe: Pipe, context: str) -> None:
        while self._after_spaces().kind == "variable":
            began = self._next
            variable = self._take()
            follows = self._after_spaces()
            if follows.kind in ("declare", "assign"):
                self._take()
                pipe.declared.append(Variable(variable.at, (variable.text,)))
                if follows.kind == "assign":
                    pipe.assigns.append(True)
                    self._check_known(variable)
                self._known.append(variable.text)
                return
            if follows.kind != "sign" or follows.text != ",":
                self._next = began
                return
            self._take()
            pipe.declared.append(Variable(variable.at, (variable.text,)))
            self._known.append(variable.text)
            if context != "range" or len(pipe.declared) > 1:
                raise ParseError(f"too many declarations in {context}", variable.at)
            if self._after_spaces().kind not in ("variable", "close", "right"):
                raise ParseError("range can only initialize variables", variable.at)

    def _command(self) -> Command:
        command = Command(self._after_spaces().at)
        while True:
            while self._peek().kind == "space":
                self._next += 1
            operand = self._operand()
            if operand is not None:
                command.args.append(operand)
            token = self._peek()
            if token.kind == "space":
                continue
            if token.kind == "pipe":
                self._next += 1
            elif token.kind not in ("close", "right"):
                raise unexpected(token, "operand")
            break
        if not command.args:
            raise ParseError("empty command", command.at)
        return command

    def _operand(self) -> Node | None:
        node = self._term()
        if node is None or self._peek().kind != "field":
            return node
        at, names = self._peek().at, []
        while self._peek().kind == "field":
            names.append(self._take().text[1:])
        if isinstance(node, Field | Variable):
            whole = type(node)(at, (*node.names, *names))
            self._note(whole)
            return whole
        if isinstance(node, _INERT):
            raise ParseError(f"unexpected . after term {quote(node.shown)}", at)
        return Chain(at, node, tuple(names))

    def _term(self) -> Node | None:  # noqa: C901  a case for each kind of token
        token = self._peek()
        if token.kind not in _OPERANDS:
            return None
        self._next += 1
        match token.kind:
            case "name":
                return self._function(token)
            case "dot":
                self._parsed.uses.update(self._given & set(FIELDS.values()))
                return Dot(token.at)
            case "nil":
                return Nil(token.at)
            case "variable":
                self._check_known(token)
                variable = Variable(token.at, (token.text,))
                if self._peek().kind != "field":
                    self._note(variable)
                return variable
            case "field":
                named = Field(token.at, (token.text[1:],))
                self._note(named)
                return named
            case "bool":
                return Literal(token.at, token.text, token.text == "true")
            case "number" | "char":
                return Literal(token.at, token.text, read_number(token))
            case "left":
                return self._pipeline("parenthesized pipeline", "right")
        return Literal(token.at, token.text, unquote(token))

    def _function(self, token: Token) -> Name:
        name = token.text
        if name in QUERIES:
            raise ParseError(f"function {quote(name)} is not supported: {QUERIES[name]}", token.at)
        if name not in FUNCTIONS:
            near = nearest(name, sorted(FUNCTIONS))
            raise ParseError(f"function {quote(name)} not defined: {near}", token.at)
        self._parsed.functions.add(name)
        return Name(token.at, name)

    def _check_known(self, token: Token) -> None:
        if token.text not in self._known:
            near = nearest(token.text, sorted(set(self._known) - {"$"}))
            raise ParseError(f"undefined variable {quote(token.text)}: {near}", token.at)

    def _note(self, node: Field | Variable) -> None:
        """What the text depends on; a field of the root must be one that there is."""
        head = node.names[0]
        if head in self._given:
            self._parsed.uses.add(head)
        if isinstance(node, Variable) and head != "$":
            return
        name = head if isinstance(node, Field) else (node.names[1:] or ("",))[0]
        if name in FIELDS:
            self._parsed.uses.add(FIELDS[name])
        elif not name:
            self._parsed.uses.update(self._given & set(FIELDS.values()))
        elif isinstance(node, Field) and self._dot_is_root:
            near = nearest(name, sorted(FIELDS))
            raise ParseError(f"can't evaluate field {name}: {near}", node.at)


def unexpected(token: Token, context: str) -> ParseError:
    """The fault of a token that has no place there."""
    shown = {"close": '"}}"', "eof": "EOF"}.get(token.kind)
    if shown is None:
        shown = f"<{token.text}>" if token.kind == token.text else quote(token.text)
    return ParseError(f"unexpected {shown} in {context}", token.at)
