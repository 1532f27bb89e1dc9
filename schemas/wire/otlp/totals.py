"""Totals: what deltas add up to, series by series, so that rules see the running counts that they are made for.

A series' deltas are added one after the other in the order of the log, so a sum does not hang on where chunks are cut.
A total has the time of its delta, but never an earlier one than the total before: producers that share a series would
make it fall otherwise. Only a time further behind than `MOST_BEHIND_MS` is believed, for then the one before was wrong.

Bounded: at the cap the half that was added to longest ago, by event time, goes; such a series begins anew, which is a
counter's reset. It refuses a delta with the times of the last one of an earlier record, which was sent twice.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from schemas.errors import CheckpointError
from schemas.fingerprints import FingerprintIndex

Int64s = NDArray[np.int64]
UInt64s = NDArray[np.uint64]
Float64s = NDArray[np.float64]
Bools = NDArray[np.bool_]
MOST_BEHIND_MS = 60_000
LEAST = 1024
_COLUMNS = ("_sums", "_told", "_times", "_starts")


class Totals:
    """Running totals by the fingerprint of their series; at most so many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._index = FingerprintIndex()
        self._sums = np.zeros(LEAST)
        self._told = np.zeros(LEAST, np.int64)
        self._times = np.zeros(LEAST, np.int64)
        self._starts = np.zeros(LEAST, np.uint64)

    def __len__(self) -> int:
        return len(self._index)

    def add(
        self, prints: UInt64s, times: Int64s, starts: UInt64s, deltas: Float64s
    ) -> tuple[Int64s, Float64s, Bools]:
        """Add the deltas of one record, in its order: times in ms and totals, and which of them were sent twice."""
        unique, which = np.unique(prints, return_inverse=True)
        slots = self._slots(unique)[which]
        told, sums = times.copy(), deltas.copy()
        # of one record no two are the same: series may be one here that were several to their producer
        twice = (self._times[slots] == times) & (self._starts[slots] == starts)
        for now in rounds(which):
            fresh = now[~twice[now]]
            at = slots[fresh]
            self._sums[at] += deltas[fresh]
            before = self._told[at]
            late = times[fresh] < before - MOST_BEHIND_MS
            told[fresh] = np.where(late, times[fresh], np.maximum(times[fresh], before))
            sums[fresh] = self._sums[at]
            self._told[at] = told[fresh]
            self._times[at], self._starts[at] = times[fresh], starts[fresh]
        return told, sums, twice

    def _slots(self, prints: UInt64s) -> Int64s:
        """Where the totals of these series stand, all different, new ones at 0."""
        slots = self._index.find(prints)
        new = np.flatnonzero(slots < 0)
        if not len(new):
            return slots
        if len(self) + len(new) > self._most:
            self._evict(prints)
            slots = self._index.find(prints)
            new = np.flatnonzero(slots < 0)
        first, after = len(self), len(self) + len(new)
        if after > len(self._sums):
            self._resize(2 * after)
        slots[new] = np.arange(first, after)
        self._index.add(prints[new], slots[new])
        self._sums[first:after] = 0.0
        self._told[first:after] = self._times[first:after] = -(2**62)
        return slots

    def _resize(self, room: int) -> None:
        for name in _COLUMNS:
            column = getattr(self, name)
            wider = np.zeros(room, column.dtype)
            wider[: len(column)] = column
            setattr(self, name, wider)

    def _evict(self, wanted: UInt64s) -> None:
        """Forget the older half, but none of those that are wanted now."""
        count = len(self)
        order = np.argsort(self._told[:count], kind="stable")
        stays = np.zeros(count, np.bool_)
        stays[order[count // 2 :]] = True
        here = self._index.find(wanted)
        stays[here[here >= 0]] = True
        self._take(np.flatnonzero(stays))

    def _take(self, kept: NDArray[np.intp]) -> None:
        prints = self._index.fingerprints(kept)
        for name in _COLUMNS:
            column = getattr(self, name)
            column[: len(kept)] = column[kept]
        self._index.replace(prints, np.arange(len(kept)))

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Columns that `restore` takes."""
        count = len(self)
        return {
            "prints": self._index.fingerprints(np.arange(count)),
            "sums": self._sums[:count],
            "told": self._told[:count],
            "times": self._times[:count],
            "starts": self._starts[:count],
        }

    def restore(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Continue from a snapshot.

        Raises:
            CheckpointError: a column is missing, or they do not fit together.

        """
        try:
            prints = columns["prints"].astype(np.uint64)
            sums = columns["sums"].astype(np.float64)
            told = columns["told"].astype(np.int64)
            times = columns["times"].astype(np.int64)
            starts = columns["starts"].astype(np.uint64)
        except (KeyError, ValueError) as error:
            raise CheckpointError(f"totals of a checkpoint: {error!r}") from error
        if {len(sums), len(told), len(times), len(starts)} != {len(prints)}:
            raise CheckpointError("totals of a checkpoint: columns do not fit together")
        self._sums, self._told, self._times, self._starts = sums, told, times, starts
        self._index.replace(prints, np.arange(len(prints)))
        self._resize(max(LEAST, len(prints)))


def rounds(which: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Positions of the first of each number, then of the second, and so on, ascending in each round."""
    order = np.argsort(which, kind="stable")
    sorted_ = which[order]
    begins = np.flatnonzero(np.concatenate(([True], sorted_[1:] != sorted_[:-1])))
    lengths = np.diff(np.append(begins, len(which)))
    turn = np.arange(len(which)) - np.repeat(begins, lengths)
    if not len(turn):
        return []
    by_turn = np.argsort(turn, kind="stable")
    return [np.sort(order[part]) for part in np.split(by_turn, np.cumsum(np.bincount(turn))[:-1])]
