"""What people are told about a fault that pydantic found: their words for types, the nearest name for a typo."""

from typing import Any

from pydantic import BaseModel

from schemas.config.near import nearest

_MUST = {
    "tuple_type": "must be a list, such as [a, b]",
    "list_type": "must be a list, such as [a, b]",
    "model_type": "must hold keys and values",
    "model_attributes_type": "must hold keys and values",
    "dict_type": "must hold keys and values",
    "string_type": "must be a text: put it in quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "finite_number": "must be a finite number",
    "union_tag_not_found": "'type' is missing",
    "invalid_key": "must be a text, as every key",
    "too_short": "must have an entry",
    "recursion_loop": "holds itself",
}
_LIMITS = {
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
}


def explain(error: Any) -> str:
    """One fault of `ValidationError.errors()` in words, without its place."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in _MUST:
        return _MUST[kind]
    if kind in _LIMITS:
        return _LIMITS[kind].format(**context)
    if kind in {"literal_error", "enum"}:
        return f"must be one of {context['expected']}"
    if kind == "union_tag_invalid":
        known = [tag.strip().strip("'") for tag in context["expected_tags"].split(",")]
        return f"unknown type '{context['tag']}': {nearest(context['tag'], known)}"
    return str(error["msg"]).removeprefix("Value error, ")


def known_keys(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """Keys that the section at this path knows; the tag of a union picks its variant."""
    kinds: list[type[BaseModel]] = [model]
    for step in path:
        deeper = [m for kind in kinds for m in _models_of(kind, step)]
        tagged = [kind for kind in kinds if step in _tags(kind)]
        # a list index leads no deeper
        kinds = deeper or tagged or kinds
    return sorted({f.alias or n for kind in kinds for n, f in kind.model_fields.items()})


def _models_of(kind: type[BaseModel], step: str | int) -> list[type[BaseModel]]:
    for name, field in kind.model_fields.items():
        if step in (name, field.alias):
            return _models(field.annotation)
    return []


def _tags(kind: type[BaseModel]) -> tuple[Any, ...]:
    """What the key `type` of a variant may be."""
    field = kind.model_fields.get("type")
    return getattr(field.annotation, "__args__", ()) if field is not None else ()


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for part in getattr(annotation, "__args__", ()) for m in _models(part)]
