"""Names that must fit together across the sections: a route's receiver is there, no name stands twice, locality.

It reads plain data, as it stands in the file, so that these faults are told beside those of single keys. It refuses to
judge the data's types: what is not of the expected type is passed over.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from schemas.config.near import nearest
from schemas.config.references import find_missing
from schemas.topics import OWN_NAMES

Place = tuple[str | int, ...]

_UNIQUE = (
    ("receiver", ("notify", "receivers"), "name"),
    ("playbook", ("playbooks",), "name"),
    ("source topic", ("sources",), "topic"),
    ("time interval", ("time_intervals",), "name"),
    ("calendar", ("detect", "calendar"), "name"),
)


def find_clashes(tree: Mapping[Any, Any]) -> list[tuple[Place, str]]:
    """Every name that does not fit another, with the place of it in the tree."""
    return [
        *_locality(tree),
        *_routes(tree),
        *find_missing(tree, _receivers(tree.get("notify"))),
        *_twice(tree),
        *_changes(tree),
    ]


def _locality(tree: Mapping[Any, Any]) -> Iterator[tuple[Place, str]]:
    names = tree.get("locality", ("tenant",))
    if _is_list(names) and list(names[:1]) != ["tenant"]:
        reason = "must begin with 'tenant', so that no two tenants are ever joined"
        yield ("locality",), f"locality {reason}"


def _routes(tree: Mapping[Any, Any]) -> Iterator[tuple[Place, str]]:
    notify = tree.get("notify")
    if not isinstance(notify, Mapping):
        return
    names = _receivers(notify)
    for index, route in _entries(notify, "routes"):
        wanted = route.get("receiver")
        if isinstance(wanted, str) and wanted not in names:
            hint = nearest(wanted, names) if names else "there is none"
            yield (
                ("notify", "routes", index, "receiver"),
                f"route to unknown receiver '{wanted}': {hint}",
            )


def _receivers(notify: Any) -> list[str]:
    """Names of the receivers, in order; without the key there is the one that the defaults name."""
    if not isinstance(notify, Mapping) or "receivers" not in notify:
        return ["stdout"]
    given = [entry.get("name") for _, entry in _entries(notify, "receivers")]
    return sorted({name for name in given if isinstance(name, str)})


def _twice(tree: Mapping[Any, Any]) -> Iterator[tuple[Place, str]]:
    for what, path, key in _UNIQUE:
        holder: Any = tree
        for step in path[:-1]:
            holder = holder.get(step) if isinstance(holder, Mapping) else None
        seen: set[str] = set()
        for index, entry in _entries(holder, path[-1]):
            name = entry.get(key)
            if isinstance(name, str) and name in seen:
                yield (*path, index, key), f"two entries for {what} '{name}'"
            elif isinstance(name, str):
                seen.add(name)


def _changes(tree: Mapping[Any, Any]) -> Iterator[tuple[Place, str]]:
    changes = tree.get("changes")
    topic = changes.get("topic") if isinstance(changes, Mapping) else None
    sources = {entry.get("topic") for _, entry in _entries(tree, "sources")}
    if isinstance(topic, str) and topic and (topic in sources or topic in OWN_NAMES):
        whose = "a source" if topic in sources else "Tocsin itself"
        yield ("changes", "topic"), f"changes cannot come from '{topic}', the topic of {whose}"


def _entries(holder: Any, key: str) -> Iterator[tuple[int, Mapping[Any, Any]]]:
    """The entries of a list that are mappings; none where there is no list."""
    given = holder.get(key) if isinstance(holder, Mapping) else None
    if not _is_list(given):
        return
    for index, entry in enumerate(given):
        if isinstance(entry, Mapping):
            yield index, entry


def _is_list(given: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(given, Sequence) and not isinstance(given, str)
