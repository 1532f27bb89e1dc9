"""From the tokens of a template to its nodes; the grammar and the messages are those of Go's text/template/parse.

A definition sees no variables but its own; variables of a branch end with it.
Refuses what Go refuses, and fields that the root of a template has not.
"""

from collections.abc import Iterable

from schemas.errors import RuleError
from streams.rules.template.gofmt import quote
from streams.rules.template.lexer import LexError, Token, split_template
from streams.rules.template.literal import ParseError, unquote
from streams.rules.template.pipeline import Parsed, Pipelines, unexpected
from streams.rules.template.tree import Action, Branch, Include, Jump, Node, Text


def parse_template(text: str, variables: Iterable[str]) -> Parsed:
    """Parse a text; `variables` are there from the start.

    Raises:
        RuleError: it is no template, or names what is not there; begins with `line:column: `, counted in the text.

    """
    try:
        return _Parser(split_template(text), frozenset(variables)).parse()
    except (LexError, ParseError) as error:
        raise RuleError(f"{position(text, error.at)}: {error}") from error


def position(text: str, at: int) -> str:
    """`line:column`, from 1."""
    return f"{text.count(chr(10), 0, at) + 1}:{at - text.rfind(chr(10), 0, at)}"


class _Parser(Pipelines):
    """Recursive descent over texts and control structures."""

    def parse(self) -> Parsed:
        nodes = self._parsed.nodes
        while self._peek().kind != "eof":
            token = self._peek()
            if token.kind == "open" and self._after_spaces(1).kind == "define":
                self._define()
                continue
            node = self._text_or_action()
            if isinstance(node, Token):
                raise ParseError(f"unexpected {{{{{node.kind}}}}}", token.at)
            nodes.append(node)
        return self._parsed

    def _text_or_action(self) -> Node | Token:
        token = self._take()
        if token.kind == "text":
            return Text(token.at, token.text)
        if token.kind != "open":
            raise unexpected(token, "input")
        token = self._after_spaces()
        if token.kind in ("if", "with", "range"):
            self._take()
            return self._branch(token)
        if token.kind in ("break", "continue"):
            return self._jump(self._take())
        if token.kind in ("template", "block"):
            return self._include(self._take())
        if token.kind in ("else", "end"):
            self._take()
            if token.kind == "end" or self._after_spaces().kind not in ("if", "with"):
                self._expect(("close",), token.kind)
            return token
        return Action(token.at, self._pipeline("command", "close"))

    def _body(self) -> tuple[list[Node], Token]:
        """Nodes up to `else` or `end`, and which of them it was."""
        nodes: list[Node] = []
        while self._after_spaces().kind != "eof":
            node = self._text_or_action()
            if isinstance(node, Token):
                return nodes, node
            nodes.append(node)
        raise ParseError("unexpected EOF", self._peek().at)

    def _branch(self, opened: Token) -> Branch:
        kind, known, root = opened.kind, len(self._known), self._dot_is_root
        pipe = self._pipeline(kind, "close")
        self._ranges += kind == "range"
        self._dot_is_root = root and kind == "if"
        body, ended = self._body()
        self._ranges -= kind == "range"
        self._dot_is_root = root
        otherwise: list[Node] | None = None
        if ended.kind == "else":
            follows = self._after_spaces()
            if follows.kind == kind and kind in ("if", "with"):
                self._take()
                otherwise = [self._branch(follows)]
            elif follows.kind in ("if", "with"):
                raise unexpected(follows, "input")
            else:
                otherwise, ended = self._body()
                if ended.kind != "end":
                    raise ParseError(f"expected end; found {{{{{ended.kind}}}}}", ended.at)
        del self._known[known:]
        return Branch(pipe.at, kind, pipe, body, otherwise)

    def _jump(self, token: Token) -> Jump:
        self._expect(("close",), f"{{{{{token.kind}}}}}")
        if not self._ranges:
            raise ParseError(f"{{{{{token.kind}}}}} outside {{{{range}}}}", token.at)
        return Jump(token.at, token.kind)

    def _include(self, token: Token) -> Include:
        context = f"{token.kind} clause"
        named = self._expect(("string", "raw"), context)
        name = unquote(named)
        pipe = None
        if token.kind == "block" or self._after_spaces().kind != "close":
            pipe = self._pipeline(context, "close")
        else:
            self._take()
        if token.kind == "block":
            self._definition(name, context)
        return Include(named.at, name, pipe)

    def _define(self) -> None:
        self._take()
        self._take()
        context = "define clause"
        name = unquote(self._expect(("string", "raw"), context))
        self._expect(("close",), context)
        self._definition(name, context)

    def _definition(self, name: str, context: str) -> None:
        # a definition sees no variables but its own, and `.` is what it was given
        known, root, ranges = self._known, self._dot_is_root, self._ranges
        self._known, self._dot_is_root, self._ranges = ["$"], False, 0
        body, ended = self._body()
        self._known, self._dot_is_root, self._ranges = known, root, ranges
        if ended.kind != "end":
            raise ParseError(f"unexpected {{{{{ended.kind}}}}} in {context}", ended.at)
        before = self._parsed.defined.get(name)
        if before is not None and not _is_empty(before):
            if not _is_empty(body):
                what = f"template: multiple definition of template {quote(name)}"
                raise ParseError(what, ended.at)
            return
        self._parsed.defined[name] = body


def _is_empty(nodes: list[Node]) -> bool:
    return all(isinstance(node, Text) and not node.text.strip() for node in nodes)
