"""Graves: incidents that are over for good, until their last record may go from the topic.

An incident that can no longer be reopened is kept on the topic for `retention`, and then a tombstone of its key lets
compaction remove it. Bounds: `GRAVES_MAX` incidents; beyond it the oldest goes early.
"""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

GRAVES_MAX = 100_000


class Tombstone(NamedTuple):
    """The end of an incident's key; time is event time, ms."""

    id: str
    tenant: str
    time: int


class Graves:
    """Ids of forgotten incidents by the time at which their records may go."""

    def __init__(self, retention_ms: int) -> None:
        self._retention_ms = retention_ms
        self._waiting: deque[Tombstone] = deque()

    def bury(self, identity: str, tenant: str, at: int) -> None:
        """An incident of which there are records is forgotten; with a retention of 0 they stay for ever."""
        if self._retention_ms:
            self._waiting.append(Tombstone(identity, tenant, at + self._retention_ms))

    def due(self, until: int) -> list[Tombstone]:
        """Those whose time has come."""
        found = []
        while self._waiting and (self._waiting[0].time <= until or len(self._waiting) > GRAVES_MAX):
            found.append(self._waiting.popleft())
        return found

    def snapshot(self) -> list[Tombstone]:
        """The whole state."""
        return list(self._waiting)

    def restore(self, state: Iterable[Tombstone]) -> None:
        """Continue from a snapshot."""
        self._waiting = deque(state)
