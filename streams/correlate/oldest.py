"""Oldest: which incident ends to make room for another: resolved ones first, then the one unchanged for longest.

The answer is that of a search through all of them, and takes the time of a heap: nothing is kept before the first
question, and after it one entry for each change; entries that no longer hold are passed over.
"""

from collections.abc import Mapping
from heapq import heapify, heappop, heappush

from streams.correlate.lifecycle import Lifecycle

_Key = tuple[bool, int, str]


class Oldest:
    """Order of eviction of the incidents of one partition."""

    def __init__(self) -> None:
        self._heap: list[_Key] | None = None

    def changed(self, life: Lifecycle, lives: Mapping[str, Lifecycle]) -> None:
        """An incident is new, or has changed."""
        if self._heap is None:
            return
        heappush(self._heap, _key(life))
        if len(self._heap) > 4 * len(lives) + 1_000:
            self._heap = None

    def first(self, lives: Mapping[str, Lifecycle]) -> Lifecycle | None:
        """The incident that goes first; None when there is none."""
        if self._heap is None:
            self._heap = [_key(life) for life in lives.values()]
            heapify(self._heap)
        while self._heap:
            life = lives.get(self._heap[0][-1])
            if life is not None and _key(life) == self._heap[0]:
                return life
            heappop(self._heap)
        return None


def _key(life: Lifecycle) -> _Key:
    return life.resolved_at is None, life.changed_at, life.id
