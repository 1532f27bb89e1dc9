"""Templates: log lines without what differs from one to the next, so that they can be counted by kind.

Words with a digit or an `@`, quoted texts and the values behind `=` are masked by rule. What else differs, such as
names, is found as Drain finds it (He et al., ICWS 2017): templates are a tree of words, and where a node has had so
many different next words, any further one is masked too. Each service has a tree of its own.

Bounded in words, nodes and services; what finds no room is `OTHER`. It refuses to move a line to another template
later: a template that is known stays what it is.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.errors import CheckpointError
from schemas.labels import content_id

MASK = "<*>"
OTHER = "<other>"
MOST_CHILDREN = 8
MOST_WORDS = 24
MOST_TEMPLATES = 100
MOST_SERVICES = 500
_MOST_TEXT = 512
_MOST_SHOWN = 80
_ID_DIGITS = 8
REMEMBERED = 4096

_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`")
_VALUE = re.compile(r"^([A-Za-z_][\w.-]*=).+$")
_VARIES = re.compile(r"[\d@]")

_Node = dict[str, "_Node"]


@lru_cache(REMEMBERED)
def words(text: str) -> tuple[str, ...]:
    """The words of a line's beginning, those masked that differ by rule."""
    line = text.partition("\n")[0]
    found = _QUOTED.sub(MASK, line).split()[:MOST_WORDS]
    return tuple(map(_masked, found))


def _masked(word: str) -> str:
    value = _VALUE.match(word)
    if value is not None:
        return value[1] + MASK
    return MASK if _VARIES.search(word) else word


class Templates:
    """The templates of one source partition."""

    def __init__(self) -> None:
        self._trees: dict[str, _Node] = {}
        self._counts: dict[str, int] = {}

    def find(self, service: str, text: str) -> str:
        """Template of a line: its beginning, and an id of the whole."""
        if service not in self._trees:
            if len(self._trees) >= MOST_SERVICES:
                return OTHER
            self._trees[service], self._counts[service] = {}, 0
        path = self._path(service, words(text.lstrip()[:_MOST_TEXT]))
        return OTHER if path is None else _show(path)

    def _path(self, service: str, found: tuple[str, ...]) -> tuple[str, ...] | None:
        node = self._trees[service]
        path: list[str] = []
        full = self._counts[service] >= MOST_TEMPLATES
        # the end of a line is a word as well, which no other can be
        for word in (*found, ""):
            if word not in node:
                if word and len(node) >= MOST_CHILDREN:
                    word = MASK  # noqa: PLW2901  from here on it is masked
                if word not in node:
                    if full:
                        return None
                    node[word] = {}
                    self._counts[service] += not word
            node = node[word]
            path.append(word)
        return tuple(path[:-1])

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Columns that `restore` takes."""
        packed = msgspec.msgpack.encode((self._trees, self._counts))
        return {"templates": np.frombuffer(packed, np.uint8)}

    def restore(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Continue from a snapshot.

        Raises:
            CheckpointError: it is none.

        """
        try:
            self._trees, self._counts = msgspec.msgpack.decode(
                columns["templates"].tobytes(),
                type=tuple[dict[str, dict[str, Any]], dict[str, int]],
            )
        except (KeyError, msgspec.MsgspecError) as error:
            raise CheckpointError(f"templates of a checkpoint: {error!r}") from error


@lru_cache(REMEMBERED)
def _show(path: tuple[str, ...]) -> str:
    text = " ".join(path)
    shown = text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN].rsplit(" ", 1)[0] + " ..."
    return f"{shown} #{content_id(text)[:_ID_DIGITS]}"
