"""Names inside a route tree that must stand elsewhere in the file: receivers and time intervals.

Like `names` it reads plain data and passes over what is of another type than expected.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from schemas.config.near import nearest

Place = tuple[str | int, ...]

_INTERVALS = ("mute_time_intervals", "active_time_intervals")


def find_missing(
    tree: Mapping[Any, Any], receivers: Collection[str]
) -> Iterator[tuple[Place, str]]:
    """Every name in `route` that is not there, and `notify.routes` beside it, which would never be asked."""
    root = tree.get("route")
    if not isinstance(root, Mapping):
        return
    notify = tree.get("notify")
    if isinstance(notify, Mapping) and notify.get("routes"):
        yield ("notify", "routes"), "notify.routes is not asked where 'route' says who is told"
    known = {
        "receiver": sorted(receivers),
        **dict.fromkeys(_INTERVALS, sorted(_interval_names(tree))),
    }
    yield from _node(root, ("route",), known)


def _interval_names(tree: Mapping[Any, Any]) -> set[str]:
    given = tree.get("time_intervals")
    entries = given if isinstance(given, Sequence) and not isinstance(given, str) else ()
    names = (entry.get("name") for entry in entries if isinstance(entry, Mapping))
    return {name for name in names if isinstance(name, str)}


def _node(
    node: Mapping[Any, Any], place: Place, known: Mapping[str, list[str]]
) -> Iterator[tuple[Place, str]]:
    for key, names in known.items():
        given = node.get(key, ())
        for name in (given,) if isinstance(given, str) else given or ():
            if isinstance(name, str) and name not in names:
                what = "receiver" if key == "receiver" else "time interval"
                hint = nearest(name, names) if names else "there is none"
                yield (*place, key), f"route to unknown {what} '{name}': {hint}"
    children = node.get("routes")
    if isinstance(children, Sequence) and not isinstance(children, str):
        for at, child in enumerate(children):
            if isinstance(child, Mapping):
                yield from _node(child, (*place, "routes", at), known)
