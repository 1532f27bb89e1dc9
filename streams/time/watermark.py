"""Watermarks of many sources, and the one that holds for all of them.

The watermark of the whole is the least over the live sources. A source that is expected and was never heard of is
waited for; one that said that it is idle is not, until it speaks again. Nothing here reads a clock, so the verdict is
the same in every replay of the same log.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Generic, TypeVar

S = TypeVar("S", bound=Hashable)

BEFORE_ALL = -(2**62)
"""Watermark of a source of which nothing is known."""


class Watermarks(Generic[S]):
    """Watermark of each source, and whether it is idle."""

    def __init__(self, expected: Iterable[S]) -> None:
        self._expected = tuple(expected)
        self._marks: dict[S, tuple[int, bool]] = {}

    def advance(self, source: S, watermark: int, *, idle: bool = False) -> None:
        """Take in what a source says; its watermark never goes back."""
        before, _ = self._marks.get(source, (BEFORE_ALL, False))
        self._marks[source] = (max(watermark, before), idle)

    def current(self) -> int:
        """Event time in ms before which no live source brings more; `BEFORE_ALL` when one must be waited for."""
        if not self._marks or any(s not in self._marks for s in self._expected):
            return BEFORE_ALL
        live = [mark for mark, idle in self._marks.values() if not idle]
        # where all are silent, time goes on with the one that has come furthest
        return min(live) if live else max(mark for mark, _ in self._marks.values())

    def snapshot(self) -> Mapping[S, tuple[int, bool]]:
        """What `restore` takes."""
        return dict(self._marks)

    def restore(self, marks: Mapping[S, tuple[int, bool]]) -> None:
        """Continue from a snapshot."""
        self._marks = dict(marks)
