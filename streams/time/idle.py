"""Idle: the verdict that a source partition has nothing to read, and who comes to it.

A partition that brings nothing would hold back the watermark of all. Whether it is silent or only read late cannot be
seen behind ingest, so its reader says it: at the end of the log, with nothing new for `idle_after`. The verdict is a
record on tocsin.samples, so whoever reads that log comes to the same end in every replay.
"""

from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

P = TypeVar("P", bound=Hashable)


class Idle(NamedTuple):
    """A partition has had nothing to read until this record time, ms."""

    at_ms: int


class IdleWatch(Generic[P]):
    """Watches partitions; time comes in with each look, from a clock or from the records of others."""

    def __init__(self, idle_after_ms: int) -> None:
        self._idle_after_ms = idle_after_ms
        self._since: dict[P, tuple[int, int]] = {}

    def look(self, partition: P, position: int, now_ms: int, *, at_end: bool) -> Idle | None:
        """The verdict, if this partition has stood at this position, at the end of its log, for `idle_after`.

        It is given again each time that another `idle_after` has passed, so that time goes on where all are silent.
        """
        before, since = self._since.get(partition, (-1, now_ms))
        if not at_end or position != before:
            self._since[partition] = (position, now_ms)
            return None
        if now_ms - since < self._idle_after_ms:
            return None
        self._since[partition] = (position, now_ms)
        return Idle(now_ms)

    def forget(self, kept: set[P]) -> None:
        """Forget the partitions that are not among these."""
        self._since = {p: s for p, s in self._since.items() if p in kept}
