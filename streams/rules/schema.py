"""The JSON Schema of rule files, for editors: keys, types and meanings follow from the sections that read the files.

What only a reader can judge, such as an expression, is a text here. Refuses nothing: `load` does.
"""

import re
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from schemas.config.section import Duration
from streams.rules.rule_file import (
    Budget,
    DetectSection,
    FileSection,
    GroupSection,
    RuleSection,
    Text,
)

_ATTRIBUTE = re.compile(r"^ {8}(\w+): ((?:.+\n?)+?)(?=^ {8}\w+: |^\s*$)", re.MULTILINE)
_TEXT = {"type": ["string", "number", "boolean"]}
_SPAN = r"(?:\d+(?:ms|[smhdwy]))+"


def rule_schema() -> dict[str, object]:
    """JSON Schema (draft 2020-12)."""
    rule = _section(RuleSection)
    rule["oneOf"] = [{"required": ["alert"]}, {"required": ["record"]}]
    _properties(rule)["detect"] |= _section(DetectSection) | {"additionalProperties": True}
    group = _section(GroupSection)
    _properties(group)["rules"]["items"] = rule
    file = _section(FileSection)
    _properties(file)["groups"]["items"] = group
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rule file of Tocsin: Prometheus's format, and the keys `detect` and `evaluate`",
        **file,
    }


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = schema["properties"]
    return properties


def _section(model: type[BaseModel]) -> dict[str, Any]:
    said = {name: " ".join(text.split()) for name, text in _ATTRIBUTE.findall(model.__doc__ or "")}
    properties = {
        field.alias or name: {**_type(model, name), "description": said.get(name, "")}
        for name, field in model.model_fields.items()
    }
    needed = [f.alias or n for n, f in model.model_fields.items() if f.is_required()]
    required = {"required": needed} if needed else {}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        **required,
    }


def _type(model: type[BaseModel], name: str) -> dict[str, Any]:
    hint: Any = model.__annotations__[name]
    parts = [hint, *get_args(hint)]
    if Duration in parts:
        return {"type": ["string", "integer"], "pattern": f"^(?:0|{_SPAN})$", "maximum": 0}
    if hint == Budget:
        share = r"(\s+(per|for\s+each|for\s+a)\s+\w+)?"
        span = rf"^\s*\d+(\.\d+)?\s*(per|a|an|/)\s*\w+{share}\s*$"
        return {"type": "string", "pattern": span}
    if hint is Text or Text in parts[1:2]:
        return dict(_TEXT)
    if get_origin(hint) is dict:
        return {"type": "object", "additionalProperties": dict(_TEXT)}
    if get_origin(hint) is list:
        return {"type": "array"}
    if get_origin(hint) is Literal:
        return {"enum": list(get_args(hint))}
    if hint in (int, float):
        return {"type": {int: "integer", float: "number"}[hint], "minimum": 0}
    return {"type": "string"} if hint is str else {}
