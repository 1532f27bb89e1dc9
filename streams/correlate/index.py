"""Index: which incidents hold an alert about an entity, or about something that runs on a host.

Keys carry the tenant, so nothing of one tenant is ever found for another.
"""

from collections.abc import Iterable
from enum import IntEnum, auto
from typing import TypeAlias

from streams.correlate.lifecycle import Lifecycle
from streams.correlate.symptom import Symptom


class Place(IntEnum):
    """As what a name is known; a number, since keys are hashed for each alert."""

    ENTITY = auto()
    HOST = auto()
    SHARED = auto()


Key: TypeAlias = tuple[Place, str, str]
"""As what, tenant, name."""


class Index:
    """Identities of incidents by key; as large as the incidents that were put into it."""

    def __init__(self) -> None:
        self._ids: dict[Key, set[str]] = {}
        self._keys: dict[str, set[Key]] = {}

    def put(self, life: Lifecycle) -> None:
        """Learn what an incident is about now."""
        keys = {key for s in life.symptoms.values() for key in _keys(life.tenant, s)}
        known = self._keys.get(life.id, set())
        self._remove(life.id, known - keys)
        for key in keys - known:
            self._ids.setdefault(key, set()).add(life.id)
        self._keys[life.id] = keys

    def add(self, life: Lifecycle, symptom: Symptom) -> None:
        """Learn of one more symptom of an incident."""
        keys = self._keys.setdefault(life.id, set())
        for key in _keys(life.tenant, symptom):
            if key not in keys:
                keys.add(key)
                self._ids.setdefault(key, set()).add(life.id)

    def drop(self, identity: str) -> None:
        """Forget an incident."""
        self._remove(identity, self._keys.pop(identity, set()))

    def find(self, keys: Iterable[Key]) -> set[str]:
        """Incidents under any of these keys."""
        found: set[str] = set()
        for key in keys:
            if ids := self._ids.get(key):
                found |= ids
        return found

    def _remove(self, identity: str, keys: set[Key]) -> None:
        for key in keys:
            self._ids[key].discard(identity)
            if not self._ids[key]:
                del self._ids[key]


def _keys(tenant: str, symptom: Symptom) -> list[Key]:
    """Under what an incident with this symptom is found."""
    keys = [(Place.SHARED, tenant, text) for text in symptom.shared]
    if symptom.entity:
        keys.append((Place.ENTITY, tenant, symptom.entity))
    if symptom.host:
        keys.append((Place.HOST, tenant, symptom.host))
    return keys
