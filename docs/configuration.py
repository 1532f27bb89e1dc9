"""docs/configuration.md and the keys of rule files, from the pydantic models that read them.

A key's meaning is its line under `Attributes` in the docstring of its section; where that has none, the line in
meanings.yml. Refuses a key without a meaning.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from docs.layout import code, table
from schemas.config import Config
from schemas.config.document import parse_yaml
from schemas.config.intervals import TimeOfDay
from schemas.config.section import SecretText, format_duration
from streams.rules.rule_file import Budget, DetectSection, GroupSection, RuleSection, Text

HEAD = """# Configuration

One file, `tocsin.yaml`. Every section has defaults, so an empty file is a configuration. Keys that are not in these
tables are refused, with the nearest known one as a hint; `tocsin check` names every fault with its line.

The file is the one that `--config` names, else the one in the environment variable `TOCSIN_CONFIG`, else
`tocsin.yaml` in the current directory. Rule files are named by `rules`, relative to this file; their keys are in
[rules.md](rules.md).

* **duration**: a number with a unit, `ms s m h d w y`, such as `30s` or `1h30m`. A bare number is refused, but 0.
* **secret**: a text in which `${env:NAME}` and `${file:PATH}` are replaced when it is used. It is never printed.
* **matcher**: as in Alertmanager, `name="value"` with `=`, `!=`, `=~` or `!~`.

This page is written by `make docs` from the models in `schemas/config/`.
"""

TYPES: dict[Any, str] = {
    SecretText: "secret",
    TimeOfDay: "time of day",
    Text: "text",
    Budget: "`N per SPAN`",
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
}

_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)


class Place(NamedTuple):
    """A section and where it stands in the file."""

    path: str
    model: type[BaseModel]


def page() -> str:
    """The whole of docs/configuration.md."""
    parts = [HEAD]
    for place in places(Place("", Config)):
        title = f"`{place.path}`" if place.path else "Top level"
        parts.append(f"## {title}\n\n{_first_line(place.model)}\n\n{keys_table(place)}\n")
    return "\n".join(parts)


def rule_keys() -> str:
    """Tables of the keys of a group, a rule and a `detect` block."""
    sections = (
        Place("groups[]", GroupSection),
        Place("groups[].rules[]", RuleSection),
        Place("groups[].rules[].detect", DetectSection),
    )
    return "\n".join(f"`{place.path}`\n\n{keys_table(place)}\n" for place in sections)


def places(place: Place, above: tuple[type[BaseModel], ...] = ()) -> Iterator[Place]:
    """The section and all below it, in the order of the models; one that holds its own kind is told of once."""
    yield place
    for name, field in place.model.model_fields.items():
        key = field.alias or name
        path = f"{place.path}.{key}" if place.path else key
        many = "[]" if get_origin(field.annotation) is tuple else ""
        for model in models(field.annotation):
            if model in (place.model, *above):
                continue
            kind = model.model_fields.get("type")
            tag = f", type {get_args(kind.annotation)[0]}" if kind else ""
            yield from places(Place(f"{path}{many}{tag}", model), (place.model, *above))


def models(annotation: Any) -> list[type[BaseModel]]:
    """Sections that a type names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models(part)]


def keys_table(place: Place) -> str:
    """One row a key: name, type, default, meaning."""
    hints = get_type_hints(place.model, include_extras=True)
    said = {
        name: " ".join(text.split())
        for model in reversed(place.model.__mro__)
        if issubclass(model, BaseModel)
        for name, text in _ATTRIBUTE.findall(_doc(model))
    }
    rows = []
    for name, field in place.model.model_fields.items():
        key = field.alias or name
        meaning = said.get(name) or MEANINGS.get(place.path or "top", {}).get(key)
        if not meaning:
            raise LookupError(f"{place.path}.{key} has no meaning: give it one in meanings.yml")
        shown = _default(field, hints[name])
        rows.append((code(key), _type(hints[name]), shown, meaning[0].upper() + meaning[1:]))
    return table(("key", "type", "default", "meaning"), rows)


def _doc(model: type[BaseModel]) -> str:
    return re.sub(r"^    ", "", model.__doc__ or "", flags=re.MULTILINE)


def _first_line(model: type[BaseModel]) -> str:
    return _doc(model).strip().splitlines()[0]


def _is_duration(hint: Any) -> bool:
    """Whether a type is Duration, or Duration with a bound."""
    notes = getattr(hint, "__metadata__", ())
    return any(getattr(note, "func", None) is format_duration for note in notes)


def _type(hint: Any) -> str:
    if _is_duration(hint):
        return "duration"
    for known, name in TYPES.items():
        if hint == known:
            return name
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return ", ".join(map(code, hint))
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _type(parts[0])
    if models(hint):
        return {tuple: "list of sections"}.get(origin, "section")
    if origin is Literal:
        return ", ".join(code(str(part)) for part in parts)
    if origin in (Union, UnionType):
        return " or ".join(_type(part) for part in parts if part is not NoneType)
    if origin is tuple or hint == list[Any]:
        return "list of texts" if origin is tuple else "list of rules"
    assert origin is dict, f"no words for {hint}"
    inner = get_args(parts[1])
    return (
        "lists of texts by name"
        if get_origin(parts[1]) is tuple and inner
        else (f"{_type(parts[1])}s by name")
    )


def _default(field: FieldInfo, hint: Any) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if models(hint):
        return "see below" if value not in (None, ()) else "none"
    if value is None or value in ((), {}, [], ""):
        return "none"
    if isinstance(value, bool):
        return code(str(value).lower())
    if _is_duration(hint):
        return code(format_duration(value))
    if hint == Budget:
        return code(f"{value[0]:g} per {format_duration(value[1])}")
    if isinstance(value, tuple):
        return code(f"[{', '.join(value)}]")
    return code(str(value))


MEANINGS: dict[str, dict[str, str]] = parse_yaml(
    (Path(__file__).parent / "meanings.yml").read_text(), "meanings.yml"
)
