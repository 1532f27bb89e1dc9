"""Blocks: a call cut into stretches of as many samples of different rows, within which only the walk moves.

A block of a row ends at an age that is fixed, and in front of the sample that begins another stretch of the refractory:
both hang on the row's own samples alone, so however a call is cut, the same is learnt at the same sample.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from detectors.auto import alarms
from detectors.auto.state import OLD_BLOCK, block_size
from detectors.base import BoolArray, FloatArray, IntArray, Selector
from detectors.columns import Columns
from schemas.order import stable_order


class Block(NamedTuple):
    """Times and values [m, n] of different rows [m], where in the call they are, and whether they are learnt.

    `at` selects the rows, `where` the m * n samples, row after row; both are slices where they can, which cost less.
    """

    rows: IntArray
    at: Selector
    times: IntArray
    values: FloatArray
    where: Selector
    learns: bool

    def begins(self, each: int, size: int) -> IntArray:
        """Where in a flat column of `each` parts of `size` cells a row the parts of these rows begin [m, each]."""
        if isinstance(self.at, slice):
            begins = np.arange(self.at.start * each, self.at.stop * each).reshape(-1, each)
        else:
            begins = self.rows[:, None] * each + np.arange(each)
        begins *= size
        return begins

    def ages(self, columns: Columns) -> IntArray:
        """How many samples each row has learnt before each sample, were all of them learnt."""
        ages: IntArray = columns["samples"][self.at][:, None] + np.arange(self.times.shape[1])
        return ages


def block_of(
    rows: IntArray, times: IntArray, values: FloatArray, places: IntArray, *, learns: bool
) -> Block:
    """The block of the samples at these places [m, n]."""
    at, where = _straight(rows), _straight(places.reshape(-1))
    shape = places.shape
    return Block(rows, at, times[where].reshape(shape), values[where].reshape(shape), where, learns)


def _straight(places: IntArray) -> Selector:
    """The same places, as a slice where each is one after the one before."""
    start, stop = int(places[0]), int(places[-1]) + 1
    straight = stop - start == places.size and bool((places[1:] > places[:-1]).all())
    return slice(start, stop) if straight else places


def cut(
    columns: Columns, rows: IntArray, times: IntArray, values: FloatArray, usable: IntArray
) -> Iterator[Block]:
    """Blocks of the usable samples of a call, each row's in order."""
    wanted = rows if usable.size == rows.size else rows[usable]
    if wanted.size == 0:
        return
    if wanted.size == 1 or bool((wanted[1:] > wanted[:-1]).all()):
        yield from _frozen_apart(columns, wanted, times, values, usable[:, None])
        return
    usable = usable[stable_order(wanted)]
    wanted = rows[usable]
    starts = np.flatnonzero(np.append(True, wanted[1:] != wanted[:-1]))
    ends = np.append(starts[1:], wanted.size)
    while starts.size:
        now, left = wanted[starts], ends - starts
        width = int(min(left.max(), OLD_BLOCK))
        seen = np.minimum(starts[:, None] + np.arange(width), ends[:, None] - 1)
        length = np.minimum(room(columns, now, times[usable[seen]]), left)
        for size in np.unique(length).tolist():
            some = np.flatnonzero(length == size)
            places = usable[starts[some, None] + np.arange(size)]
            yield from _frozen_apart(columns, now[some], times, values, places)
        starts = starts + length
        more = starts < ends
        starts, ends = starts[more], ends[more]


def _frozen_apart(
    columns: Columns, rows: IntArray, times: IntArray, values: FloatArray, places: IntArray
) -> Iterator[Block]:
    frozen = columns["frozen"][_straight(rows)]
    if not frozen.any():
        yield block_of(rows, times, values, places, learns=True)
        return
    for some, learns in ((np.flatnonzero(~frozen), True), (np.flatnonzero(frozen), False)):
        if some.size:
            yield block_of(rows[some], times, values, places[some], learns=learns)


def room(columns: Columns, rows: IntArray, times: IntArray, wide: int = 0) -> IntArray:
    """How many of the next samples, `times` [m, n], belong to one block, or are `wide` where that is more."""
    samples = columns["samples"][rows]
    size = block_size(samples)
    _, end_ms = stretch(columns, rows, times[:, 0])
    later = times >= end_ms[:, None]
    later[:, 0] = False
    until = np.where(later.any(axis=1), later.argmax(axis=1), times.shape[1])
    found: IntArray = np.minimum(np.maximum(size - samples % size, wide), until)
    return found


def stretch(columns: Columns, at: Selector, now_ms: IntArray) -> tuple[BoolArray, IntArray]:
    """Whether a stretch of the refractory begins at these times, and when the one that holds then ends."""
    end_ms = columns["stretch_end_ms"][at]
    begins = now_ms >= end_ms
    if not begins.any():
        return begins, end_ms
    born = columns["samples"][at] == 0
    age_ms = np.where(born, 0, now_ms - columns["first_ms"][at])
    return begins, np.where(begins, now_ms + alarms.stretch_ms(age_ms), end_ms)
