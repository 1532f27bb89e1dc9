"""Tally: counters and histograms of things that are counted, told when a second of event time has closed.

The first thing of another second closes the open one, and what was touched in it is told at its end, as running totals;
so a total does not hang on where chunks are cut. What is older counts into the open second, unless it is older by more
than `MOST_BEHIND_MS`: then the open second was opened by a wrong clock, and is closed. Where nothing comes, the open
second stays open. A total that is refused later is no loss, for the next one of its series holds it.

Bounded: at the cap those go that were not touched for an hour of event time; then what is new is not counted.
"""

from bisect import bisect_left
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.errors import CheckpointError
from schemas.labels import Labels

SECOND_MS = 1000
MOST_BEHIND_MS = 60_000
FORGET_SECONDS = 3600
MOST = 20_000
BOUNDS_SECONDS = (
    *(0.002, 0.004, 0.006, 0.008, 0.01, 0.05, 0.1, 0.2),
    *(0.4, 0.8, 1.0, 1.4, 2.0, 5.0, 10.0, 15.0),
)
"""Of histograms of durations: those of the Collector's connectors spanmetrics and servicegraph."""
_BOUND_LABELS = (*(f"{bound:g}" for bound in BOUNDS_SECONDS), "+Inf")

Key: TypeAlias = tuple[str, Labels]
"""Name and labels of a metric."""


class Told(NamedTuple):
    """A total at the end of a second."""

    time_ms: int
    metric: str
    labels: Labels
    value: float


class _Entry(msgspec.Struct, array_like=True):
    """A counter has one number; a histogram its sum, and counts by bucket."""

    numbers: list[float]
    second: int


class _State(msgspec.Struct, array_like=True):
    second: int | None
    entries: list[tuple[Key, _Entry]]
    touched: list[Key]
    swept: int | None


class Tally:
    """Running totals of one source partition."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._state_of(_State(None, [], [], None))

    def _state_of(self, state: _State) -> None:
        self.second = state.second
        self._entries = dict(state.entries)
        # a dict, for the order in which they are told
        self._touched = dict.fromkeys(state.touched)
        self._swept = state.swept

    def __len__(self) -> int:
        return len(self._entries)

    def advance(self, time_ms: int) -> list[Told]:
        """Say when the next things are; what is told because of that."""
        second = time_ms // SECOND_MS
        if self.second is None:
            self.second = second
        behind = (self.second - second) * SECOND_MS
        if 0 <= behind <= MOST_BEHIND_MS:
            return []
        told = self._close(self.second)
        self.second = second
        return told

    def _close(self, second: int) -> list[Told]:
        end_ms = (second + 1) * SECOND_MS
        told: list[Told] = []
        for metric, labels in self._touched:
            numbers = self._entries[metric, labels].numbers
            if len(numbers) == 1:
                told.append(Told(end_ms, metric, labels, numbers[0]))
                continue
            running = 0.0
            for label, count in zip(_BOUND_LABELS, numbers[1:], strict=True):
                running += count
                bucket = tuple(sorted((*labels, ("le", label))))
                told.append(Told(end_ms, f"{metric}_bucket", bucket, running))
            told.append(Told(end_ms, f"{metric}_count", labels, running))
            told.append(Told(end_ms, f"{metric}_sum", labels, numbers[0]))
        self._touched.clear()
        return told

    def count(self, metric: str, labels: Labels, amount: float = 1.0) -> bool:
        """Count something that is now; False where there is no room for it."""
        entry = self._entry((metric, labels), 1)
        if entry is not None:
            entry.numbers[0] += amount
        return entry is not None

    def observe(self, metric: str, labels: Labels, seconds: float) -> bool:
        """Note a duration that is now; False where there is no room for it."""
        entry = self._entry((metric, labels), 1 + len(_BOUND_LABELS))
        if entry is not None:
            entry.numbers[0] += seconds
            entry.numbers[1 + bisect_left(BOUNDS_SECONDS, seconds)] += 1.0
        return entry is not None

    def _entry(self, key: Key, width: int) -> _Entry | None:
        second = self.second or 0
        entry = self._entries.get(key)
        if entry is None:
            if len(self._entries) >= self._most and not self._make_room(second):
                return None
            entry = self._entries[key] = _Entry([0.0] * width, second)
        entry.second = second
        self._touched[key] = None
        return entry

    def _make_room(self, second: int) -> bool:
        """Forget what was not touched for long; at most once a second, for it looks at all."""
        if self._swept != second:
            self._swept = second
            self._entries = {
                key: entry
                for key, entry in self._entries.items()
                if key in self._touched or abs(second - entry.second) < FORGET_SECONDS
            }
        return len(self._entries) < self._most

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Columns that `restore` takes."""
        state = _State(self.second, list(self._entries.items()), list(self._touched), self._swept)
        return {"tally": np.frombuffer(msgspec.msgpack.encode(state), np.uint8)}

    def restore(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Continue from a snapshot.

        Raises:
            CheckpointError: it is none.

        """
        try:
            found = msgspec.msgpack.decode(columns["tally"].tobytes(), type=_State)
        except (KeyError, msgspec.MsgspecError) as error:
            raise CheckpointError(f"tally of a checkpoint: {error!r}") from error
        self._state_of(found)
