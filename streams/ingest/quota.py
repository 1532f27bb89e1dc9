"""Quota: samples a second of each tenant, as token buckets.

A bucket begins full, holds what `burst` seconds bring, and is refilled at each whole second of the log's own time. What
finds it empty is refused, so of a second's samples the newest go; whoever is within the limit loses nothing. The
verdict hangs on the log alone, not on where chunks are cut.

It refuses to know the time: seconds come with the samples and never fall.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import CheckpointError
from schemas.samples import Int64s

Bools = NDArray[np.bool_]
Int32s = NDArray[np.int32]

MOST_CELLS = 65_536
"""Tenants times seconds that are looked at in one go; more is looked at in two halves."""


class Quota:
    """Token buckets by tenant number; a sample costs one token."""

    def __init__(self, per_second: int, burst_seconds: int) -> None:
        self._per_second = per_second
        self._most = per_second * burst_seconds
        self._tokens = np.zeros(0, np.int64)
        self._filled_at = np.zeros(0, np.int64)

    def admit(self, tenants: Int32s, seconds: Int64s) -> Bools | None:
        """Which samples are within their tenant's quota, None when all are.

        `tenants` int32[n] and `seconds` int64[n], of each sample in the order of the log; `seconds` never fall.
        """
        if not len(tenants):
            return None
        self._widen(int(tenants.max()) + 1)
        if seconds[0] == seconds[-1] and self._spend(np.bincount(tenants), int(seconds[0])):
            return None
        starts = np.flatnonzero(np.diff(seconds, prepend=seconds[0] - 1))
        present = np.flatnonzero(np.bincount(tenants))
        if len(present) * len(starts) > MOST_CELLS:
            half = len(tenants) // 2
            first = self.admit(tenants[:half], seconds[:half])
            second = self.admit(tenants[half:], seconds[half:])
            return _joined(first, half, second, len(tenants) - half)
        first_cell = np.zeros(len(self._tokens), np.int64)
        first_cell[present] = np.arange(len(present)) * len(starts)
        cells = first_cell[tenants]
        cells += np.repeat(np.arange(len(starts)), np.diff(starts, append=len(tenants)))
        counts = np.bincount(cells, minlength=len(present) * len(starts))
        counts = counts.reshape(len(present), len(starts))
        taken = self._take(present, counts, seconds[starts])
        if taken is None:
            return None
        return rank(cells) < taken.ravel()[cells]

    def _spend(self, counts: Int64s, second: int) -> bool:
        """Take so many tokens of each of the first tenants in one second, where all of them have as many."""
        tenants = slice(len(counts))
        gained = (second - self._filled_at[tenants]) * self._per_second
        left = np.minimum(self._most, self._tokens[tenants] + gained) - counts
        if left.min() < 0:
            return False
        self._tokens[tenants] = left
        self._filled_at[tenants] = second
        return True

    def _take(self, tenants: NDArray[np.intp], counts: Int64s, seconds: Int64s) -> Int64s | None:
        """Of `counts`[tenant, second] samples how many are taken, None when all are."""
        gained = (seconds - seconds[0]) * self._per_second
        spent = np.cumsum(counts, axis=1)
        begin = np.minimum(
            self._most,
            self._tokens[tenants] + (seconds[0] - self._filled_at[tenants]) * self._per_second,
        )
        # a bucket that is never empty: what it began with or what it last was full with, and what came and went since
        full = self._most - gained + spent - counts
        full[:, 0] = begin
        level = np.minimum.accumulate(full, axis=1) + gained - spent
        short = np.flatnonzero(level.min(axis=1) < 0)
        self._tokens[tenants] = level[:, -1]
        self._filled_at[tenants] = seconds[-1]
        if not len(short):
            return None
        taken = counts.copy()
        left = begin[short]
        for at, gain in enumerate(np.diff(gained, prepend=0).tolist()):
            left = np.minimum(self._most, left + gain)
            taken[short, at] = np.minimum(left, counts[short, at])
            left -= taken[short, at]
        self._tokens[tenants[short]] = left
        return taken

    def keep(self, tenants: NDArray[np.intp]) -> None:
        """Only these tenants stay, numbered anew in this order; who comes back finds a full bucket."""
        known = tenants[tenants < len(self._tokens)]
        self._tokens, self._filled_at = self._tokens[known], self._filled_at[known]

    def _widen(self, size: int) -> None:
        more = size - len(self._tokens)
        if more > 0:
            self._tokens = np.append(self._tokens, np.full(more, self._most))
            self._filled_at = np.append(self._filled_at, np.zeros(more, np.int64))

    def snapshot(self) -> dict[str, Int64s]:
        """Columns that `restore` takes."""
        return {"tokens": self._tokens, "filled_at": self._filled_at}

    def restore(self, tokens: Int64s, filled_at: Int64s) -> None:
        """Continue from a snapshot; a limit that was lowered since holds at once.

        Raises:
            CheckpointError: the columns do not fit together.

        """
        if len(tokens) != len(filled_at):
            raise CheckpointError("quotas of a checkpoint: columns of different lengths")
        self._tokens = np.minimum(tokens, self._most)
        self._filled_at = filled_at.copy()


def rank(cells: NDArray[np.integer[Any]]) -> Int64s:
    """How many samples of the same cell, a number from 0, stand before each."""
    order = np.argsort(cells, kind="stable")
    placed = cells[order]
    starts = np.flatnonzero(np.diff(placed, prepend=-1))
    rank = np.empty(len(cells), np.int64)
    rank[order] = np.arange(len(cells)) - np.repeat(starts, np.diff(starts, append=len(cells)))
    return rank


def _joined(first: Bools | None, left: int, second: Bools | None, right: int) -> Bools | None:
    if first is None and second is None:
        return None
    return np.concatenate(
        (
            np.ones(left, np.bool_) if first is None else first,
            np.ones(right, np.bool_) if second is None else second,
        )
    )
