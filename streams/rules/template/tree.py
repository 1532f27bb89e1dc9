"""The nodes of a parsed template. Each knows where it stands and how Go writes it, which its messages quote.

Frozen but for lists that the parser fills; nothing here evaluates.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from streams.rules.template.gofmt import quote


@dataclass(frozen=True)
class Node:
    """Part of a template; `at` is its offset in the text."""

    at: int

    @property
    def shown(self) -> str:
        """As Go writes it."""
        raise NotImplementedError


@dataclass(frozen=True)
class Literal(Node):
    """A constant as it was written, and its value: bool, int, float or str."""

    text: str
    value: bool | int | float | str

    @property
    def shown(self) -> str:
        """As it was written."""
        return self.text

    @property
    def kind(self) -> str:
        """How Go's messages call it."""
        return {bool: "bool", str: "string"}.get(type(self.value), "number")


@dataclass(frozen=True)
class Nil(Node):
    """`nil`."""

    @property
    def shown(self) -> str:
        """`nil`."""
        return "nil"


@dataclass(frozen=True)
class Dot(Node):
    """`.`."""

    @property
    def shown(self) -> str:
        """`.`."""
        return "."


@dataclass(frozen=True)
class Field(Node):
    """`.a.b`."""

    names: tuple[str, ...]

    @property
    def shown(self) -> str:
        """With the points."""
        return "".join(f".{name}" for name in self.names)


@dataclass(frozen=True)
class Variable(Node):
    """`$x.a.b`; the first name has the dollar sign."""

    names: tuple[str, ...]

    @property
    def shown(self) -> str:
        """With the points."""
        return ".".join(self.names)


@dataclass(frozen=True)
class Name(Node):
    """A function."""

    name: str

    @property
    def shown(self) -> str:
        """Its name."""
        return self.name


@dataclass(frozen=True)
class Chain(Node):
    """`(pipeline).a.b`."""

    node: Node
    names: tuple[str, ...]

    @property
    def shown(self) -> str:
        """With brackets around a pipeline."""
        inner = f"({self.node.shown})" if isinstance(self.node, Pipe) else self.node.shown
        return inner + "".join(f".{name}" for name in self.names)


@dataclass(frozen=True)
class Command(Node):
    """An operand, or a function and its arguments."""

    args: list[Node] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """With spaces between."""
        return " ".join(f"({a.shown})" if isinstance(a, Pipe) else a.shown for a in self.args)


@dataclass(frozen=True)
class Pipe(Node):
    """Commands that hand on their values, and the variables that get the last one."""

    declared: list[Variable] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    assigns: list[bool] = field(default_factory=list)
    """Not empty where the variables are assigned, not declared."""

    @property
    def shown(self) -> str:
        """With pipe signs between."""
        names = ", ".join(each.shown for each in self.declared)
        lead = f"{names} {'=' if self.assigns else ':='} " if self.declared else ""
        return lead + " | ".join(each.shown for each in self.commands)


@dataclass(frozen=True)
class Text(Node):
    """What is printed as it stands."""

    text: str

    @property
    def shown(self) -> str:
        """The text."""
        return self.text


@dataclass(frozen=True)
class Action(Node):
    """`{{pipeline}}`."""

    pipe: Pipe

    @property
    def shown(self) -> str:
        """In double braces."""
        return f"{{{{{self.pipe.shown}}}}}"


@dataclass(frozen=True)
class Branch(Node):
    """`if`, `with` or `range`, by `kind`."""

    kind: str
    pipe: Pipe
    body: Sequence[Node]
    otherwise: Sequence[Node] | None

    @property
    def shown(self) -> str:
        """With all that is in it."""
        body = "".join(each.shown for each in self.body)
        other = "{{else}}" + "".join(each.shown for each in self.otherwise or ())
        middle = other if self.otherwise is not None else ""
        return f"{{{{{self.kind} {self.pipe.shown}}}}}{body}{middle}{{{{end}}}}"


@dataclass(frozen=True)
class Jump(Node):
    """`break` or `continue`, by `kind`."""

    kind: str

    @property
    def shown(self) -> str:
        """In double braces."""
        return f"{{{{{self.kind}}}}}"


@dataclass(frozen=True)
class Include(Node):
    """`template "name" pipeline`."""

    name: str
    pipe: Pipe | None

    @property
    def shown(self) -> str:
        """In double braces."""
        tail = f" {self.pipe.shown}" if self.pipe else ""
        return f"{{{{template {quote(self.name)}{tail}}}}}"
