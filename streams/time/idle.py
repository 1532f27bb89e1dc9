"""Idle: the verdict that a source partition has nothing to read, and who comes to it.

A partition that brings nothing would hold back the watermark of all. Whether it is silent or only read late cannot be
seen behind ingest, so its reader says it: at the end of the log, with nothing new for `idle_after`. The verdict is a
record on tocsin.samples, so whoever reads that log comes to the same end in every replay.

It refuses to take for silence what nobody has listened to: time in which the broker did not answer, or in which the
worker itself stood still.
"""

from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

P = TypeVar("P", bound=Hashable)


class Idle(NamedTuple):
    """A partition has had nothing to read until this record time, ms."""

    at_ms: int


class _Seen(NamedTuple):
    """What the last look found: how far was read, when that was, and for how long it had been silent, ms."""

    position: int
    at_ms: int
    silent_ms: int


class IdleWatch(Generic[P]):
    """Watches partitions; time comes in with each look, from a clock that goes steadily.

    `most_gap_ms` is how much of the time between two looks counts at most: whoever had no answer for longer has heard
    no silence.
    """

    def __init__(self, idle_after_ms: int, most_gap_ms: int) -> None:
        self._idle_after_ms = idle_after_ms
        self._most_gap_ms = most_gap_ms
        self._seen: dict[P, _Seen] = {}

    def look(self, partition: P, position: int, now_ms: int, *, at_end: bool) -> bool:
        """Whether a partition has been listened to for `idle_after` at this position, at the end of its log.

        It is so again each time that another `idle_after` has passed, and time goes on where all are silent.
        """
        before = self._seen.get(partition)
        silent_ms = 0
        if before is not None and at_end and position == before.position:
            silent_ms = before.silent_ms + min(now_ms - before.at_ms, self._most_gap_ms)
        is_idle = at_end and silent_ms >= self._idle_after_ms
        self._seen[partition] = _Seen(position, now_ms, 0 if is_idle else silent_ms)
        return is_idle

    def forget(self, kept: set[P]) -> None:
        """Forget the partitions that are not among these."""
        self._seen = {p: s for p, s in self._seen.items() if p in kept}
