"""Evaluates a parsed template: Go's text/template/exec, with the option `missingkey=zero` as in Prometheus.

A run has its own variables and its own output. Only values go in and texts come out.
A failure names place and action in Go's words; `RunError` holds what, node and template apart, so that whoever knows
the template's name and text can tell it.
"""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from streams.rules.template.functions import FUNCTIONS, SCOPED, Function, is_true
from streams.rules.template.gofmt import print_value, quote
from streams.rules.template.pipeline import Parsed
from streams.rules.template.tree import (
    Action,
    Branch,
    Chain,
    Command,
    Dot,
    Field,
    Include,
    Jump,
    Literal,
    Name,
    Nil,
    Node,
    Pipe,
    Text,
    Variable,
)
from streams.rules.template.values import (
    DURATION_METHODS,
    TIME_METHODS,
    Args,
    CallError,
    Data,
    Duration,
    Time,
    type_name,
)

MOST_DEPTH = 1000
"""Templates within templates; Go stops at 100,000, which Python's stack does not hold."""


class RunError(Exception):
    """What failed, at which node, in which of the defined templates (empty for the main one)."""

    def __init__(self, what: str, node: Node, template: str) -> None:
        super().__init__(what)
        self.node = node
        self.template = template


class _Missing:
    """In place of a value that no earlier command of a pipeline has given."""


MISSING = _Missing()


class _Jumped(Exception):  # noqa: N818  it is no error
    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Run:
    """One expansion."""

    def __init__(
        self, parsed: Parsed, data: Data, variables: Mapping[str, object], now: float
    ) -> None:
        self.out: list[str] = []
        self._parsed = parsed
        self._variables: list[tuple[str, object]] = [("$", data), *variables.items()]
        self._scoped: dict[str, Callable[[], object]] = {
            "externalURL": lambda: data.ExternalURL,
            "now": lambda: now,
            "pathPrefix": lambda: urlsplit(data.ExternalURL).path,
        }
        self._node: Node = Text(0, "")
        self._template = ""
        self._depth = 0
        self._data = data

    def run(self) -> str:
        """The text.

        Raises:
            RunError: a function failed, or a value does not fit.

        """
        self._walk_all(self._data, self._parsed.nodes)
        return "".join(self.out)

    def _fail(self, what: str) -> RunError:
        return RunError(what, self._node, self._template)

    def _walk_all(self, dot: object, nodes: Sequence[Node]) -> None:
        for node in nodes:
            self._walk(dot, node)

    def _walk(self, dot: object, node: Node) -> None:
        self._node = node
        match node:
            case Text():
                self.out.append(node.text)
            case Action():
                value = self._pipeline(dot, node.pipe)
                if not node.pipe.declared:
                    self.out.append("<no value>" if value is None else print_value(value))
            case Branch(kind="range"):
                self._range(dot, node)
            case Branch():
                self._branch(dot, node)
            case Include():
                self._include(dot, node)
            case Jump():
                raise _Jumped(node.kind)

    def _branch(self, dot: object, node: Branch) -> None:
        mark = len(self._variables)
        value = self._pipeline(dot, node.pipe)
        if is_true(value):
            self._walk_all(value if node.kind == "with" else dot, node.body)
        elif node.otherwise is not None:
            self._walk_all(dot, node.otherwise)
        del self._variables[mark:]

    def _range(self, dot: object, node: Branch) -> None:  # noqa: C901  a case for each kind of value
        mark = len(self._variables)
        value = self._pipeline(dot, node.pipe)
        entries: Sequence[tuple[object, object]]
        match value:
            case Mapping():
                entries = sorted(value.items())
            case list():
                entries = list(enumerate(value))
            case bool():
                raise self._fail(f"range can't iterate over {print_value(value)}")
            case int():
                if len(node.pipe.declared) > 1:
                    what = f"can't use {value} to iterate over more than one variable"
                    raise self._fail(what)
                entries = [(None, number) for number in range(value)]
            case None:
                entries = []
            case _:
                raise self._fail(f"range can't iterate over {print_value(value)}")
        try:
            for key, element in entries:
                self._iterate(node, key, element)
        except _Jumped as jump:
            if jump.kind != "break":
                raise
        if not entries and node.otherwise is not None:
            self._walk_all(dot, node.otherwise)
        del self._variables[mark:]

    def _iterate(self, node: Branch, key: object, element: object) -> None:
        declared = node.pipe.declared
        if declared:
            given = (key, element) if len(declared) > 1 else (element,)
            for variable, value in zip(declared, given, strict=True):
                self._assign(variable.names[0], value)
        mark = len(self._variables)
        try:
            self._walk_all(element, node.body)
        except _Jumped as jump:
            if jump.kind != "continue":
                raise
        finally:
            del self._variables[mark:]

    def _include(self, dot: object, node: Include) -> None:
        body = self._parsed.defined.get(node.name)
        if body is None:
            raise self._fail(f"template {quote(node.name)} not defined")
        if self._depth == MOST_DEPTH:
            raise self._fail(f"exceeded maximum template depth ({MOST_DEPTH})")
        dot = self._pipeline(dot, node.pipe) if node.pipe is not None else None
        kept = self._variables, self._template
        self._variables, self._template, self._depth = [("$", dot)], node.name, self._depth + 1
        self._walk_all(dot, body)
        self._variables, self._template = kept
        self._depth -= 1

    def _assign(self, name: str, value: object) -> None:
        for at in range(len(self._variables) - 1, -1, -1):
            if self._variables[at][0] == name:
                self._variables[at] = (name, value)
                return

    def _pipeline(self, dot: object, pipe: Pipe) -> object:
        self._node = pipe
        value: object = MISSING
        for command in pipe.commands:
            value = self._command(dot, command, value)
        for variable in pipe.declared:
            if pipe.assigns:
                self._assign(variable.names[0], value)
            else:
                self._variables.append((variable.names[0], value))
        return value

    def _command(self, dot: object, command: Command, final: object) -> object:
        first, rest = command.args[0], command.args[1:]
        if isinstance(first, Name):
            self._node = first
            return self._call(dot, first.name, command, rest, final)
        if isinstance(first, Field | Chain | Variable):
            return self._named(dot, first, rest, final)
        if isinstance(first, Pipe):
            self._check_no_arguments(first, rest, final)
            return self._pipeline(dot, first)
        self._node = first
        self._check_no_arguments(first, rest, final)
        if isinstance(first, Nil):
            raise self._fail("nil is not a command")
        return first.value if isinstance(first, Literal) else dot

    def _check_no_arguments(self, node: Node, rest: Sequence[Node], final: object) -> None:
        if rest or final is not MISSING:
            raise self._fail(f"can't give argument to non-function {node.shown}")

    def _named(
        self, dot: object, node: Field | Chain | Variable, rest: Sequence[Node], final: object
    ) -> object:
        """Value of `.a.b`, `$x.a.b` or `(pipeline).a.b`; the last name may be a method with arguments."""
        self._node = node
        match node:
            case Field():
                value, names = dot, node.names
            case Variable():
                value, names = self._variable(node.names[0]), node.names[1:]
                if not names:
                    self._check_no_arguments(node, rest, final)
                    return value
            case Chain():
                if isinstance(node.node, Nil):
                    raise self._fail(f"indirection through explicit nil in {node.shown}")
                value, names = self._argument(dot, "any", node.node), node.names
        for name in names[:-1]:
            value = self._field(dot, value, name, (), MISSING)
        return self._field(dot, value, names[-1], rest, final)

    def _variable(self, name: str) -> object:
        for known, value in reversed(self._variables):
            if known == name:
                return value
        raise self._fail(f"undefined variable: {name}")

    def _field(
        self, dot: object, value: object, name: str, rest: Sequence[Node], final: object
    ) -> object:
        has_arguments = bool(rest) or final is not MISSING
        match value:
            case None:
                return None
            case Mapping():
                if has_arguments:
                    raise self._fail(f"{name} is not a method but has arguments")
                return value.get(name, None if isinstance(value, Args) else "")
            case Data() if hasattr(value, name):
                if has_arguments:
                    raise self._fail(f"{name} has arguments but cannot be invoked as function")
                return getattr(value, name)
            case Time() if name == "Format":
                given = [self._argument(dot, "text", each) for each in rest]
                given += [] if final is MISSING else [self._fitting(final, "text")]
                if len(given) != 1:
                    raise self._fail(f"wrong number of args for Format: want 1 got {len(given)}")
                return value.format(str(given[0]))
            case Time() if name in TIME_METHODS and not has_arguments:
                return TIME_METHODS[name](value)
            case Duration() if name in DURATION_METHODS and not has_arguments:
                return DURATION_METHODS[name](value)
        raise self._fail(f"can't evaluate field {name} in type {type_name(value)}")

    def _call(
        self, dot: object, name: str, node: Node, args: Sequence[Node], final: object
    ) -> object:
        function = FUNCTIONS[name]
        count = len(args) + (final is not MISSING)
        least = len(function.takes)
        if function.more is None and count != least:
            raise self._fail(f"wrong number of args for {name}: want {least} got {count}")
        if count < least:
            raise self._fail(
                f"wrong number of args for {name}: want at least {least} got {len(args)}"
            )
        if name in SCOPED:
            return self._scoped[name]()
        if name in ("and", "or"):
            return self._shortcut(dot, name, args, final)
        types = [*function.takes, *[function.more or "any"] * (count - least)]
        given = [self._argument(dot, kind, arg) for kind, arg in zip(types, args, strict=False)]
        if final is not MISSING:
            given.append(self._fitting(final, types[-1]))
        return self._called(function, name, node, given)

    def _called(self, function: Function, name: str, node: Node, given: list[object]) -> object:
        try:
            return function.call(*given)
        except CallError as error:
            self._node = node
            raise self._fail(f"error calling {name}: {error}") from error

    def _shortcut(self, dot: object, name: str, args: Sequence[Node], final: object) -> object:
        value: object = None
        for each in args:
            value = self._argument(dot, "any", each)
            if is_true(value) is (name == "or"):
                return value
        return value if final is MISSING else final

    def _argument(self, dot: object, kind: str, node: Node) -> object:
        self._node = node
        match node:
            case Dot():
                return self._fitting(dot, kind)
            case Nil():
                if kind == "text":
                    raise self._fail("cannot assign nil to string")
                return None
            case Field() | Variable() | Chain():
                return self._fitting(self._named(dot, node, (), MISSING), kind)
            case Pipe():
                return self._fitting(self._pipeline(dot, node), kind)
            case Name():
                value = self._call(dot, node.name, node, (), MISSING)
                return self._fitting(value, kind)
        assert isinstance(node, Literal)
        if kind == "text" and not isinstance(node.value, str):
            raise self._fail(f"expected string; found {node.shown}")
        return node.value

    def _fitting(self, value: object, kind: str) -> object:
        if kind == "text" and not isinstance(value, str):
            raise self._fail(_wrong_type("string", value))
        return value


def _wrong_type(wanted: str, value: object) -> str:
    if value is None:
        return f"invalid value; expected {wanted}"
    return f"wrong type for value; expected {wanted}; got {type_name(value)}"
