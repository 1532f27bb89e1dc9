"""Templates of playbooks: Jinja in a sandbox that is smaller than Jinja's own.

A template sees `incident`, `labels`, `tenant` and, where there is one, `cause`. It can read, compare and loop over what
it is given; it cannot call anything but a mapping's `get`, `items`, `keys` and `values`, nor make long texts out of
short ones (`*`, `**` and `%` on anything but numbers, padding filters, `range`), and its output ends at
`OUTPUT_BYTES_MAX`. What is not there is an error, never an empty text: "restart " without a name is not what anybody
meant.

In a URL every value is percent-encoded, so that a label cannot add a path, a query or a host.

It refuses to read a clock or a random source.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from jinja2 import StrictUndefined, Template, TemplateError, meta
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

OUTPUT_BYTES_MAX = 65_536
NAMES = frozenset({"cause", "incident", "labels", "tenant"})
_NUMBERS = (int, float)
_CALLS = frozenset({"get", "items", "keys", "values"})
_FILTERS = frozenset(
    {"default", "dictsort", "first", "float", "int", "join", "last", "length", "list", "lower"}
    | {"replace", "round", "sort", "string", "title", "tojson", "trim", "unique", "upper"}
)
_EXPONENT_MAX = 64


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's immutable sandbox without calls and without operators that multiply texts."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if not isinstance(left, _NUMBERS) or not isinstance(right, _NUMBERS):
            raise SecurityError(f"'{operator}' works on numbers only")
        if operator == "**" and abs(right) > _EXPONENT_MAX:
            raise SecurityError(f"the exponent of '**' is at most {_EXPONENT_MAX}")
        return super().call_binop(context, operator, left, right)

    def is_safe_callable(self, obj: Any) -> bool:
        owner = getattr(obj, "__self__", None)
        return isinstance(owner, dict) and getattr(obj, "__name__", "") in _CALLS


def _make(finalize: Any = None) -> _Sandbox:
    made = _Sandbox(undefined=StrictUndefined, finalize=finalize, keep_trailing_newline=True)
    made.globals.clear()
    made.filters = {name: made.filters[name] for name in sorted(_FILTERS)}
    return made


def _encode(value: Any) -> str:
    if isinstance(value, Undefined):
        return str(value)  # raises: strict
    text = str(value)
    if text in {"", ".", ".."}:
        raise SecurityError(f"{text!r} cannot stand in a URL: it would change the path")
    return quote(text, safe="")


_PLAIN = _make()
_URL = _make(_encode)


class Filled:
    """A template, compiled; `in_url` percent-encodes what is filled in."""

    def __init__(self, text: str, *, in_url: bool = False) -> None:
        self._template: Template = (_URL if in_url else _PLAIN).from_string(text)

    def fill(self, values: Mapping[str, object]) -> str:
        """The text with its values.

        Raises:
            jinja2.TemplateError: a value is missing, or the template does what it may not.

        """
        parts: list[str] = []
        size = 0
        try:
            for part in self._template.generate(values):
                size += len(part.encode())
                if size > OUTPUT_BYTES_MAX:
                    raise SecurityError(f"the output is longer than {OUTPUT_BYTES_MAX} bytes")
                parts.append(part)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise TemplateError(f"{type(error).__name__}: {error}") from error
        return "".join(parts)


def template_problems(text: str) -> list[str]:
    """What is wrong with a template before it has been filled: its syntax, filters, names; none when sound."""
    try:
        unknown = sorted(meta.find_undeclared_variables(_PLAIN.parse(text)) - NAMES)
        _PLAIN.from_string(text)
    except TemplateError as error:
        return [str(error.message)]
    known = ", ".join(sorted(NAMES))
    return [f"unknown name {name!r}; there are {known}" for name in unknown]
