"""Timers: when each incident will next do something by itself.

A timer that no longer holds, because something happened meanwhile, is passed over by whoever takes it. The same time
for the same incident again is no further timer.
"""

import heapq
from collections.abc import Iterable

SPARE = 1_000


class Timers:
    """Times and ids, the earliest first."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._latest: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def next_due(self) -> int | None:
        """The earliest time; None without any."""
        return self._heap[0][0] if self._heap else None

    def set(self, due: int, identity: str) -> None:
        """Set one more."""
        if self._latest.get(identity) != due:
            self._latest[identity] = due
            heapq.heappush(self._heap, (due, identity))

    def take(self) -> tuple[int, str]:
        """The earliest one, which is gone then."""
        timer = due, identity = heapq.heappop(self._heap)
        if self._latest.get(identity) == due:
            del self._latest[identity]
        return timer

    def crowded(self, incidents: int) -> bool:
        """Whether there are many more than incidents: then they are to be set anew."""
        return len(self._heap) > 4 * incidents + SPARE

    def set_anew(self, dues: Iterable[tuple[int | None, str]]) -> None:
        """Forget all, and set these."""
        self._heap = [(due, identity) for due, identity in dues if due is not None]
        self._latest = {identity: due for due, identity in self._heap}
        heapq.heapify(self._heap)
