"""Decodes YAML nodes into values as strictly, and with the words, of the library that promtool uses (go-yaml v2).

A decoder takes a node and a list of faults; it returns the zero value where there is a fault. Faults of a wrong type,
an unknown or a repeated key are gathered; a value that has the type but makes no sense ends the decoding at once.
Scalars are taken as they were written: a text may be a number without quotes.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias, TypeVar

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from streams.rules.template.gofmt import quote
from streams.rules.template.span import read_span

T = TypeVar("T")
Decoder: TypeAlias = Callable[[Node, list[str]], T]

_INT = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0b[01]+|\d[\d_]*)")
_FLOAT = re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?")
_SPECIAL = {
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_TRUE = frozenset(word for w in ("y", "yes", "true", "on") for word in (w, w.title(), w.upper()))
_FALSE = frozenset(word for w in ("n", "no", "false", "off") for word in (w, w.title(), w.upper()))
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))


def line_of(node: Node) -> int:
    """Line of a node, from 1."""
    return int(node.start_mark.line) + 1


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.style is None and node.value in _NULLS


def _tag(node: Node) -> str:
    if isinstance(node, MappingNode):
        return "!!map"
    if isinstance(node, SequenceNode):
        return "!!seq"
    assert isinstance(node, ScalarNode)
    word = node.value
    if node.style is not None:
        return "!!str"
    if _INT.fullmatch(word):
        return "!!int"
    if _FLOAT.fullmatch(word) or word in _SPECIAL:
        return "!!float"
    return "!!bool" if word in _TRUE | _FALSE else "!!str"


def _mismatch(node: Node, wanted: str, faults: list[str]) -> None:
    word = node.value if isinstance(node, ScalarNode) else ""
    shown = f" `{word[:7]}...`" if len(word) > 10 else f" `{word}`" if word else ""
    faults.append(f"line {line_of(node)}: cannot unmarshal {_tag(node)}{shown} into {wanted}")


def text(node: Node, faults: list[str]) -> str:
    """A scalar as it was written."""
    if isinstance(node, ScalarNode):
        return "" if _is_null(node) else str(node.value)
    _mismatch(node, "string", faults)
    return ""


def number(node: Node, faults: list[str]) -> float:
    """A float64."""
    word = node.value if isinstance(node, ScalarNode) and node.style is None else None
    if word is None or not (word in _SPECIAL or _INT.fullmatch(word) or _FLOAT.fullmatch(word)):
        if not _is_null(node):
            _mismatch(node, "float64", faults)
        return 0.0
    if word in _SPECIAL:
        return _SPECIAL[word]
    plain = word.replace("_", "")
    bases = {"0x": 16, "0b": 2}
    if plain.lstrip("+-")[:2].lower() in bases:
        return float(int(plain, bases[plain.lstrip("+-")[:2].lower()]))
    octal = re.fullmatch(r"[-+]?0[0-7]+", plain)
    return float(int(plain, 8) if octal else float(plain))


def boolean(node: Node, faults: list[str]) -> bool:
    """A bool."""
    word = node.value if isinstance(node, ScalarNode) and node.style is None else None
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    if not _is_null(node):
        _mismatch(node, "bool", faults)
    return False


def duration(node: Node, faults: list[str]) -> int:
    """Milliseconds of a Prometheus duration.

    Raises:
        ValueError: it is a text, but no duration.

    """
    before = len(faults)
    word = text(node, faults)
    if _is_null(node) or len(faults) > before:
        return 0
    return read_span(word)


def listing(of: Decoder[T], type_name: str) -> Decoder[list[T]]:
    """A list; the name of its type is Go's."""

    def decode(node: Node, faults: list[str]) -> list[T]:
        if isinstance(node, SequenceNode):
            return [of(each, faults) for each in node.value]
        if not _is_null(node):
            _mismatch(node, f"[]{type_name}", faults)
        return []

    return decode


def texts(node: Node, faults: list[str]) -> dict[str, str]:
    """A map of texts."""
    if not isinstance(node, MappingNode):
        if not _is_null(node):
            _mismatch(node, "map[string]string", faults)
        return {}
    found: dict[str, str] = {}
    for key, value, _ in _pairs(node):
        name = text(key, faults)
        if name in found:
            faults.append(f"line {line_of(key)}: key {quote(name)} already set in map")
        found[name] = text(value, faults)
    return found


def struct(
    type_name: str, fields: Mapping[str, Decoder[Any]], make: Callable[..., T]
) -> Decoder[T]:
    """A record: keys other than these are faults; `make` gets what was given, and the node's `line`."""

    def decode(node: Node, faults: list[str]) -> T:
        found: dict[str, Any] = {}
        own: set[str] = set()
        if isinstance(node, MappingNode):
            for key, value, merged in _pairs(node):
                name = text(key, faults)
                if name in own and not merged:
                    faults.append(
                        f"line {line_of(key)}: field {name} already set in type {type_name}"
                    )
                elif name not in fields:
                    faults.append(
                        f"line {line_of(key)}: field {name} not found in type {type_name}"
                    )
                else:
                    found[name] = fields[name](value, faults)
                    own |= set() if merged else {name}
        elif not _is_null(node):
            _mismatch(node, type_name, faults)
        return make(line=line_of(node), **found)

    return decode


def _pairs(node: MappingNode) -> Iterator[tuple[Node, Node, bool]]:
    """Keys and values in order, and whether they come from a merged mapping (`<<`)."""
    for key, value in node.value:
        if key.value != "<<":
            yield key, value, False
            continue
        for source in value.value if isinstance(value, SequenceNode) else [value]:
            if isinstance(source, MappingNode):
                yield from ((k, v, True) for k, v, _ in _pairs(source))
