"""What a detector is: the protocol, the scores it returns, and the reasons it may give.

A detector is a bank: it holds the state of many series as columns and is updated for many series in one call.
A series is a row index that the caller hands out. Whatever the caller packs into one call, the result is the one
that feeding the samples one by one would have given.

Refuses to know clocks, label sets, thresholds and alerts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from schemas.order import stable_order

IntArray: TypeAlias = NDArray[np.int64]
FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
CodeArray: TypeAlias = NDArray[np.int8]
Selector: TypeAlias = slice | IntArray

# Squares of larger values, summed over a long life, would overflow to infinity and stay there.
LARGEST_VALUE = 1e150


class Reason(IntEnum):
    """Why a sample has the score that it has; the codes are stored, so they never change."""

    OK = 0
    WARM_UP = 1
    MISSING = 2
    OUT_OF_RANGE = 3
    ABOVE = 4
    BELOW = 5
    UNUSUAL = 6
    FROZEN = 7
    REFRACTORY = 8
    NO_ROOM = 9


@dataclass(frozen=True, slots=True)
class Scores:
    """One entry per sample, in the order in which the samples were given.

    raw       the detector's own number, in its own unit, larger is odder; NaN without a value
    score     calibrated: 1 - tail probability, 0 to 1; 0 in warm-up, NaN without a value
    expected  what the detector thought normal, in the unit of the value; NaN when it has no opinion
    low, high the band: outside of it the tail probability is under 0.001
    reason    codes of `Reason`
    """

    raw: FloatArray
    score: FloatArray
    expected: FloatArray
    low: FloatArray
    high: FloatArray
    reason: CodeArray

    @classmethod
    def unsaid(cls, values: FloatArray) -> "Scores":
        """Return scores that say nothing yet, and why: no value, or one out of range."""
        size = values.size
        reason = np.where(np.isnan(values), Reason.MISSING, Reason.OUT_OF_RANGE).astype(np.int8)
        raw, score, expected, low, high = np.full((5, size), np.nan)
        return cls(raw, score, expected, low, high, reason)

    def put(self, where: Selector, told: "Scores") -> None:
        """Let these scores be what is said of the samples there."""
        self.raw[where] = told.raw
        self.score[where] = told.score
        self.expected[where] = told.expected
        self.low[where] = told.low
        self.high[where] = told.high
        self.reason[where] = told.reason


@dataclass(frozen=True, slots=True)
class Round:
    """Samples of one round: no row twice; `at` selects the same rows as `rows`, as a slice where it can."""

    rows: IntArray
    at: Selector
    times: IntArray
    values: FloatArray

    @classmethod
    def of(cls, rows: IntArray, times: IntArray, values: FloatArray) -> "Round":
        """Return the round of these samples, sorted by row; views cost less than gathers."""
        start, stop = int(rows[0]), int(rows[-1]) + 1
        at = slice(start, stop) if stop - start == rows.size else rows
        return cls(rows, at, times, values)

    def take(self, chosen: IntArray) -> "Round":
        """Return the round of some of its samples."""
        rows = self.rows[chosen]
        return Round(rows, rows, self.times[chosen], self.values[chosen])


def flat(
    rows: IntArray, times: IntArray, values: FloatArray, capacity: int
) -> tuple[IntArray, IntArray, FloatArray]:
    """What is given to `Detector.update`, as flat columns of its types; raises as that does."""
    rows = np.ascontiguousarray(rows, np.int64)
    times = np.ascontiguousarray(times, np.int64)
    values = np.ascontiguousarray(values, np.float64)
    if not rows.shape == times.shape == values.shape == (rows.size,):
        raise ValueError("rows, times and values must be flat and of equal length")
    # without its sign a number below 0 is a large one
    if rows.size and int(rows.view(np.uint64).max()) >= capacity:
        raise IndexError(f"a row lies outside the capacity of {capacity}")
    return rows, times, values


class Detector(Protocol):
    """A bank of online detectors, one row per series."""

    def update(self, rows: IntArray, times: IntArray, values: FloatArray) -> Scores:
        """Score each sample by what was learnt before it, then learn it.

        `rows` int64[n] below the capacity, may repeat (samples of a series in time order); `times` int64[n]
        in ms; `values` float64[n], NaN for missing. Rows in strictly rising order are the fast path.
        Raises IndexError for a row outside the capacity and ValueError for unequal lengths.
        """
        ...

    def grow(self, capacity: int) -> None:
        """Make room for rows below `capacity`; what is known is kept."""
        ...

    def freeze(self, rows: IntArray, frozen: bool) -> None:
        """Turn learning off (or on again) for these rows; they are scored all the same."""
        ...

    def reset(self, rows: IntArray) -> None:
        """Forget these rows, so that they can be given to other series."""
        ...

    def take(self, rows: IntArray, capacity: int) -> None:
        """Keep these rows alone, all different, numbered anew from 0 in this order; room for rows below `capacity`."""
        ...

    def snapshot(self) -> Mapping[str, NDArray[Any]]:
        """Return a copy of the whole state as named columns."""
        ...

    def restore(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Replace the state by a snapshot; raises CheckpointError when it does not fit."""
        ...


@runtime_checkable
class SwiftDetector(Protocol):
    """A bank that can learn calm samples in short, many a row in one call; a detector says so by having this."""

    def is_swift(self, samples: int) -> bool:
        """Whether `learn_calm` can be called for so many samples, and pays."""
        ...

    def learn_calm(
        self, rows: IntArray, values: FloatArray, wary: BoolArray, score: float
    ) -> BoolArray:
        """Learn the samples that would score well below `score`, as `update` would; which.

        Left to `update` are samples marked in `wary` bool[n], those that may score higher, and all that follow one of
        them in its row.
        """
        ...


class GroupDetector(Detector, Protocol):
    """A bank whose rows are members of groups, judged beside the others of theirs.

    What the members of one group say at one time is a section: its samples come in one call, those of one time one
    after the other.
    """

    def assign(self, rows: IntArray, groups: IntArray) -> None:
        """Make `rows` int64[n] members of `groups` int64[n]: equal numbers, one group; -1: alone, as a new row is."""
        ...


def rounds(rows: IntArray) -> Iterator[Selector]:
    """Cut a call into rounds within which no row repeats, keeping the order of each row.

    Yields positions into `rows`, sorted by row; `slice(None)` when one round is enough as it stands.
    """
    if rows.size == 0:
        return
    if rows.size == 1 or bool((rows[1:] > rows[:-1]).all()):
        yield slice(None)
        return
    order = stable_order(rows)
    ordered = rows[order]
    position = np.arange(rows.size)
    first = np.ones(rows.size, np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    rank = position - np.maximum.accumulate(np.where(first, position, 0))
    by_rank = order[stable_order(rank)]
    yield from np.split(by_rank, np.cumsum(np.bincount(rank))[:-1])
