"""Watermarks of many sources, and the one that holds for all of them.

The watermark of the whole is the least over the live sources. A source that is expected but silent holds it back until
the record times of the others say that it has been silent for `idle_after`; a source never heard of counts as silent
since the first record of any other. Nothing here reads a clock, so the verdict is
the same in every replay of the same log.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Generic, TypeVar

S = TypeVar("S", bound=Hashable)

BEFORE_ALL = -(2**62)
"""Watermark of a source of which nothing is known."""


class Watermarks(Generic[S]):
    """Watermark and latest record time of each source."""

    def __init__(self, expected: Iterable[S], *, idle_after_ms: int) -> None:
        self._expected = tuple(expected)
        self._idle_after_ms = idle_after_ms
        self._marks: dict[S, tuple[int, int]] = {}
        self._first_record_time: int | None = None

    def advance(self, source: S, watermark: int, record_time: int) -> None:
        """Take in what a source says; neither of its times ever goes back."""
        if self._first_record_time is None:
            self._first_record_time = record_time
        before = self._marks.get(source, (BEFORE_ALL, BEFORE_ALL))
        self._marks[source] = (max(watermark, before[0]), max(record_time, before[1]))

    def current(self) -> int:
        """Event time in ms before which no live source brings more; `BEFORE_ALL` when one must be waited for."""
        if self._first_record_time is None:
            return BEFORE_ALL
        horizon = max(r for _, r in self._marks.values()) - self._idle_after_ms
        live = [w for w, r in self._marks.values() if r >= horizon]
        waited_for = self._first_record_time >= horizon and any(
            s not in self._marks for s in self._expected
        )
        return BEFORE_ALL if waited_for else min(live)

    def idle(self) -> list[S]:
        """The sources that hold nobody back because they are silent."""
        if self._first_record_time is None:
            return []
        horizon = max(r for _, r in self._marks.values()) - self._idle_after_ms
        silent = [s for s, (_, r) in self._marks.items() if r < horizon]
        never = [s for s in self._expected if s not in self._marks]
        return silent + (never if self._first_record_time < horizon else [])

    def snapshot(self) -> tuple[int | None, Mapping[S, tuple[int, int]]]:
        """What `restore` takes."""
        return self._first_record_time, dict(self._marks)

    def restore(self, first_record_time: int | None, marks: Mapping[S, tuple[int, int]]) -> None:
        """Continue from a snapshot."""
        self._first_record_time = first_record_time
        self._marks = dict(marks)


class SourceWatermarks(Generic[S]):
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
