"""Reads `tocsin.yaml`: YAML 1.2 with positions kept, every fault at once, each with file and line.

It reads text and returns a configuration or problems; opening files is the caller's matter.
"""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError

from schemas.config.fault import explain, known_keys
from schemas.config.names import find_clashes
from schemas.config.near import nearest
from schemas.config.root import Config
from schemas.errors import ConfigError


@dataclass(frozen=True)
class Document:
    """A configuration and the YAML that it came from, so that later checks can name lines too.

    Attributes:
        unsound: sections with faults; `config` lacks those of their entries that have one, or has their defaults.

    """

    name: str
    config: Config
    tree: Any
    unsound: frozenset[str] = frozenset()

    def line(self, *path: str | int) -> int:
        """Line, from 1, of the deepest part of the path that stands in the file."""
        return find_line(self.tree, path)


def find_line(tree: Any, path: tuple[str | int, ...]) -> int:
    """Line, from 1, of the deepest part of the path that stands in a tree read by ruamel."""
    line = 1
    for step in path:
        # pydantic puts the tag of a discriminated union into the path; it is no key of the file
        if isinstance(tree, CommentedMap) and step in tree:
            line = holder(tree, step).lc.key(step)[0] + 1
        elif isinstance(tree, CommentedSeq) and isinstance(step, int) and step < len(tree):
            line = tree.lc.item(step)[0] + 1
        else:
            continue
        tree = tree[step]
    return line


def holder(tree: CommentedMap, key: Any) -> CommentedMap:
    """The map in which a key of this one stands: itself, or one that is merged into it by `<<`."""
    if key in (tree.lc.data or ()):
        return tree
    return next(holder(merged, key) for merged in tree.merge.value if key in merged)


def parse_yaml(text: str, name: str) -> Any:
    """The tree of a YAML text, with positions.

    Raises:
        ConfigError: it is no YAML; names file and line.

    """
    yaml = YAML(typ="rt")
    yaml.version = (1, 2)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)  # YAML allows it
            return yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        what = " ".join(str(error.problem or error.context).split())
        raise ConfigError([f"{name}:{line}: not YAML: {what}"]) from error
    except RecursionError as error:
        raise ConfigError([f"{name}:1: not YAML that we read: nested too deeply"]) from error
    # a character that YAML forbids has no mark; a bad date or number is Python's own error
    except (YAMLError, ValueError, TypeError, LookupError, AttributeError) as error:
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        what = next(iter(str(error).splitlines()), type(error).__name__)
        raise ConfigError([f"{name}:{line}: not YAML: {what}"]) from error


def read_document(text: str, name: str) -> tuple[Document, list[str]]:
    """What is sound of a configuration, and every fault as `file:line: what`.

    Raises:
        ConfigError: nothing can be read of it.

    """
    tree = parse_yaml(text, name)
    if tree is None:
        tree = CommentedMap()
    if not isinstance(tree, CommentedMap):
        raise ConfigError([f"{name}:1: the file must hold keys and values, such as 'sources:'"])
    faults: list[tuple[int, str]] = []
    places: set[tuple[str | int, ...]] = set()
    try:
        config = _validated(tree)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        for found in errors:
            if found["type"] == "too_short" and _holds_another(found["loc"], errors):
                continue  # pydantic counts the sound entries alone
            faults.append((find_line(tree, found["loc"]), _what(tree, found)))
            places.add(tuple(found["loc"][:2]))
        config = _validated(_sound(tree, places))
    for place, what in find_clashes(tree):
        faults.append((find_line(tree, place), what))
        places.add(place[:2])
    unsound = frozenset(str(place[0]) for place in places if place)
    problems = [f"{name}:{line}: {what}" for line, what in sorted(faults, key=lambda f: f[0])]
    return Document(name, config, tree, unsound), problems


def load_document(text: str, name: str) -> Document:
    """Read a configuration.

    Raises:
        ConfigError: holds every fault found, each as `file:line: what`.

    """
    document, problems = read_document(text, name)
    if problems:
        raise ConfigError(problems)
    return document


def find_problems(text: str, name: str) -> list[str]:
    """Every fault of a configuration, none when it is sound."""
    try:
        return read_document(text, name)[1]
    except ConfigError as error:
        return error.problems


def _validated(tree: Any) -> Config:
    return Config.model_validate(tree, context={"file": True})


def _sound(tree: CommentedMap, places: set[tuple[str | int, ...]]) -> dict[Any, Any]:
    """The tree without the entries and sections in which something is wrong."""
    left: dict[Any, Any] = {}
    for key, section in tree.items():
        inside = {place[1] for place in places if place[0] == key and len(place) > 1}
        if isinstance(section, list) and inside:
            sound = [entry for at, entry in enumerate(section) if at not in inside]
            left |= {key: sound} if sound else {}
        elif isinstance(key, str) and not any(place[0] == key for place in places):
            left[key] = section
    return left


def _holds_another(path: tuple[str | int, ...], errors: Iterable[Any]) -> bool:
    """Whether one of these errors is of an entry of the list at this path."""
    return any(len(e["loc"]) > len(path) and e["loc"][: len(path)] == path for e in errors)


def _what(tree: Any, error: Any) -> str:
    path = error["loc"]
    where = ".".join(map(str, _shown(tree, path)))
    if error["type"] == "extra_forbidden":
        return f"unknown key '{where}': {nearest(str(path[-1]), known_keys(Config, path[:-1]))}"
    if error["type"] == "missing":
        return f"'{where}' is missing"
    return f"{where}: {explain(error)}"


def _shown(tree: Any, path: tuple[str | int, ...]) -> list[str | int]:
    """The path without what stands in it for a variant or a key, and not in the file."""
    shown: list[str | int] = []
    for at, step in enumerate(path):
        inside = isinstance(tree, CommentedMap) and step in tree
        inside = inside or (isinstance(tree, CommentedSeq) and isinstance(step, int))
        if inside or at == len(path) - 1:
            shown.append(step)
        if inside:
            tree = tree[step]
    return shown
