"""Reads `tocsin.yaml`: YAML 1.2 with positions kept, every fault at once, each with file and line.

It reads text and returns a configuration or problems; opening files is the caller's matter.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from schemas.config.root import Config
from schemas.errors import ConfigError


@dataclass(frozen=True)
class Document:
    """A configuration and the YAML that it came from, so that later checks can name lines too."""

    name: str
    config: Config
    tree: Any

    def line(self, *path: str | int) -> int:
        """Line, from 1, of the deepest part of the path that stands in the file."""
        return find_line(self.tree, path)


def find_line(tree: Any, path: tuple[str | int, ...]) -> int:
    """Line, from 1, of the deepest part of the path that stands in a tree read by ruamel."""
    line = 1
    for step in path:
        # pydantic puts the tag of a discriminated union into the path; it is no key of the file
        if isinstance(tree, CommentedMap) and step in tree:
            line = tree.lc.key(step)[0] + 1
        elif isinstance(tree, CommentedSeq) and isinstance(step, int) and step < len(tree):
            line = tree.lc.item(step)[0] + 1
        else:
            continue
        tree = tree[step]
    return line


def parse_yaml(text: str, name: str) -> Any:
    """The tree of a YAML text, with positions.

    Raises:
        ConfigError: it is no YAML; names file and line.

    """
    yaml = YAML(typ="rt")
    yaml.version = (1, 2)
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ConfigError([f"{name}:{line}: not YAML: {error.problem or error.context}"]) from error


def nearest(given: str, known: list[str]) -> str:
    """Hint for a mistyped name: the nearest known one, or all of them when none is near."""
    near = get_close_matches(given, known, n=1)
    return f"did you mean '{near[0]}'?" if near else f"known are {', '.join(sorted(known))}"


def _known_keys(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """Keys that the section at this path knows."""
    kinds: list[Any] = [model]
    for step in path:
        deeper: list[Any] = []
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                field = kind.model_fields.get(str(step)) or next(
                    (f for f in kind.model_fields.values() if f.alias == step), None
                )
                if field is not None:
                    deeper += _models(field.annotation)
        # a list index or the tag of a union leads no deeper
        kinds = deeper or kinds
    keys = {f.alias or n for k in kinds for n, f in k.model_fields.items()}
    return sorted(keys)


def _models(annotation: Any) -> list[Any]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for part in getattr(annotation, "__args__", ()) for m in _models(part)]


def _problem(name: str, tree: Any, error: Any) -> str:
    path = tuple(error["loc"])
    line = find_line(tree, path)
    where = ".".join(str(p) for p in path)
    if error["type"] == "extra_forbidden":
        hint = nearest(str(path[-1]), _known_keys(Config, path[:-1]))
        return f"{name}:{line}: unknown key '{where}': {hint}"
    if error["type"] == "missing":
        return f"{name}:{line}: '{where}' is missing"
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{name}:{line}: {where + ': ' if where else ''}{message}"


def load_document(text: str, name: str) -> Document:
    """Read a configuration.

    Raises:
        ConfigError: holds every fault found, each as `file:line: what`.

    """
    tree = parse_yaml(text, name)
    if tree is None:
        tree = CommentedMap()
    if not isinstance(tree, CommentedMap):
        raise ConfigError([f"{name}:1: the file must hold keys and values, such as 'sources:'"])
    try:
        config = Config.model_validate(tree, context={"file": True})
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise ConfigError([_problem(name, tree, e) for e in found]) from error
    return Document(name, config, tree)


def find_problems(text: str, name: str) -> list[str]:
    """Every fault of a configuration, none when it is sound."""
    try:
        load_document(text, name)
    except ConfigError as error:
        return error.problems
    return []
