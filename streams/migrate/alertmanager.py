"""Migrate: an `alertmanager.yml` to the sections of `tocsin.yaml` that mean the same.

Routes, inhibition rules and time intervals come over as they are; the matchers of old files (`match`, `match_re`,
`source_match` and so on) are put into today's form. Receivers of kinds that we have come over too. Whatever cannot
is told, each with its line, and never left out silently: a receiver of another kind becomes one that prints.

It reads text and returns text; it refuses what Alertmanager would refuse.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.compat import StringIO

from schemas.config.document import find_line, parse_yaml, read_document
from schemas.errors import ConfigError
from schemas.labels import Matcher, MatchOp
from schemas.matchers import show_matcher
from streams.migrate.receivers import migrate_receiver

Place = tuple[str | int, ...]
Tree = dict[str, Any]

_KEPT_IN_ROUTE = (
    *("group_by", "group_wait", "group_interval", "repeat_interval", "continue"),
    *("mute_time_intervals", "active_time_intervals"),
)
_OLD = (("match", "matchers", MatchOp.EQUAL), ("match_re", "matchers", MatchOp.REGEX))
_OLD_IN_RULE = (
    ("source_match", "source_matchers", MatchOp.EQUAL),
    ("source_match_re", "source_matchers", MatchOp.REGEX),
    ("target_match", "target_matchers", MatchOp.EQUAL),
    ("target_match_re", "target_matchers", MatchOp.REGEX),
)
_TAKEN = ("route", "receivers", "inhibit_rules", "time_intervals", "mute_time_intervals")


class Migrated(NamedTuple):
    """Our YAML, and what did not come over, each as `file:line: what`."""

    text: str
    notes: list[str]


def migrate(text: str, name: str) -> Migrated:
    """Our configuration for one of Alertmanager.

    Raises:
        ConfigError: it is no YAML, has no route, or Alertmanager would refuse it; names file and line.

    """
    tree = parse_yaml(text, name)
    if not isinstance(tree, CommentedMap) or not isinstance(tree.get("route"), Mapping):
        raise ConfigError([f"{name}:1: an alertmanager.yml has a 'route'"])
    migration = _Migration(tree, name)
    ours = migration.run()
    _check(ours, tree, name)
    notes = migration.sorted_notes()
    head = "".join(f"# {line}\n" for line in (f"from {name}", *notes))
    return Migrated(head + _dump(ours), notes)


class _Migration:
    """The tree of the file, and what was noted about it so far."""

    def __init__(self, tree: CommentedMap, name: str) -> None:
        self._tree = tree
        self._name = name
        self._notes: list[tuple[int, str]] = []
        self._receivers: dict[str, list[str]] = {}

    def sorted_notes(self) -> list[str]:
        """All notes in the order of the file."""
        return [f"{self._name}:{line}: {what}" for line, what in sorted(self._notes)]

    def _note(self, place: Place, what: str) -> None:
        self._notes.append((find_line(self._tree, place), what))

    def run(self) -> Tree:
        """Our sections, in the order in which people read them."""
        for key in self._tree:
            if key not in _TAKEN:
                self._note((key,), f"'{key}' has no place here; {_WHY.get(key, 'left out')}")
        ours: Tree = {"notify": {"receivers": list(self._all_receivers())}}
        ours["route"] = self._route(self._tree["route"], ("route",))
        rules = [
            self._rule(rule, ("inhibit_rules", at))
            for at, rule in enumerate(self._tree.get("inhibit_rules") or ())
        ]
        intervals = [
            entry
            for key in ("time_intervals", "mute_time_intervals")
            for entry in self._tree.get(key) or ()
        ]
        if rules:
            ours["inhibit_rules"] = rules
        if intervals:
            ours["time_intervals"] = [_plain(entry) for entry in intervals]
        return ours

    def _all_receivers(self) -> Iterator[Tree]:
        taken = {r.get("name") for r in self._tree.get("receivers") or ()}
        for at, receiver in enumerate(self._tree.get("receivers") or ()):
            place: Place = ("receivers", at)
            name = str(receiver.get("name"))
            self._receivers[name] = []
            for number, way in enumerate(migrate_receiver(_plain(receiver)), 1):
                own = name if number == 1 else _fresh(f"{name}-{number}", taken)
                taken.add(own)
                self._receivers[name].append(own)
                for what in way.notes:
                    self._note((*place, way.key, way.at), f"receiver '{name}': {what}")
                yield {"type": way.ours["type"], "name": own, **way.ours}
            if not self._receivers[name]:
                self._note(place, f"receiver '{name}' tells nobody; routes to it name no receiver")

    def _route(self, given: Mapping[str, Any], place: Place) -> Tree:
        ours: Tree = {}
        if "receiver" in given:
            wanted = str(given["receiver"])
            if wanted not in self._receivers:
                line = find_line(self._tree, (*place, "receiver"))
                raise ConfigError([f"{self._name}:{line}: undefined receiver '{wanted}'"])
            names = self._receivers[wanted]
            # a list of its own, or YAML would write a reference to the other
            ours["receiver"] = names[0] if len(names) == 1 else list(names)
        if matchers := _matchers(given, _OLD, "matchers"):
            ours["matchers"] = matchers
        ours |= {key: _plain(given[key]) for key in _KEPT_IN_ROUTE if given.get(key) is not None}
        if given.get("routes"):
            ours["routes"] = [
                self._route(child, (*place, "routes", at))
                for at, child in enumerate(given["routes"])
            ]
        known = {"receiver", "matchers", "match", "match_re", "routes", *_KEPT_IN_ROUTE}
        for key in given:
            if key not in known:
                self._note((*place, key), f"'{key}' of a route has no place here; left out")
        return ours

    def _rule(self, given: Mapping[str, Any], place: Place) -> Tree:
        ours: Tree = {"name": str(given["name"])} if given.get("name") else {}
        for key in ("source_matchers", "target_matchers"):
            old = [o for o in _OLD_IN_RULE if o[1] == key]
            if matchers := _matchers(given, old, key):
                ours[key] = matchers
        if given.get("equal"):
            ours["equal"] = _plain(given["equal"])
        known = {"name", "equal", *(key for old in _OLD_IN_RULE for key in old[:2])}
        for key in given:
            if key not in known:
                self._note((*place, key), f"'{key}' of an inhibition rule has no place; left out")
        return ours


_WHY = {
    "global": "what its receivers need of it stands in them",
    "templates": "texts of notifications are not templates",
    "tracing": "left out",
}


def _matchers(
    given: Mapping[str, Any], old: Iterable[tuple[str, str, MatchOp]], key: str
) -> list[str]:
    """The matchers of old keys in today's form, then those that have it."""
    found = [
        show_matcher(Matcher(str(name), op, str(value)))
        for before, _, op in old
        for name, value in (given.get(before) or {}).items()
    ]
    return found + [str(text) for text in given.get(key) or ()]


def _fresh(name: str, taken: set[Any]) -> str:
    return name if name not in taken else _fresh(f"{name}-", taken)


def _plain(given: Any) -> Any:
    """The same without what ruamel keeps of the text."""
    if isinstance(given, Mapping):
        return {str(key): _plain(value) for key, value in given.items()}
    if isinstance(given, list):
        return [_plain(value) for value in given]
    if isinstance(given, bool | int | float) or given is None:
        return given
    return str(given)


def _dump(ours: Tree) -> str:
    yaml, out = YAML(), StringIO()
    yaml.width = 4096  # a matcher stays on its line
    yaml.dump(ours, out)
    return str(out.getvalue())


def _check(ours: Tree, tree: CommentedMap, name: str) -> None:
    """What we refuse of the result, at its line in the original where that has the same place."""
    text = _dump(ours)
    document, problems = read_document(text, name)
    if not problems:
        return
    found = []
    for problem in problems:
        what = problem.split(": ", 1)[1]
        line = int(problem.removeprefix(f"{name}:").split(":", 1)[0])
        found.append(f"{name}:{_original(document.tree, tree, line)}: {what}")
    raise ConfigError(found)


def _original(ours: Any, theirs: CommentedMap, line: int) -> int:
    """Line of the original for one of the result: that of the deepest place which both have."""
    place: list[str | int] = []
    while True:
        steps = _steps(ours)
        nearer = [(at, step) for at, step in steps if at <= line]
        if not nearer:
            return find_line(theirs, tuple(place))
        _, step = nearer[-1]
        place.append(step)
        ours = ours[step]


def _steps(tree: Any) -> list[tuple[int, str | int]]:
    """Line, from 1, and key of what stands directly in a tree."""
    if isinstance(tree, CommentedMap):
        return [(tree.lc.key(key)[0] + 1, key) for key in tree]
    if isinstance(tree, list) and hasattr(tree, "lc"):
        return [(tree.lc.item(at)[0] + 1, at) for at in range(len(tree))]
    return []
