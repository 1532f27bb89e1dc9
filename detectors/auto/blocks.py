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
    """Times and values [m, n] of different rows [m], their places in the call, and whether they are learnt."""

    rows: IntArray
    at: Selector
    times: IntArray
    values: FloatArray
    places: IntArray
    learns: bool


def block_of(
    rows: IntArray, times: IntArray, values: FloatArray, places: IntArray, *, learns: bool
) -> Block:
    """The block of these places; rows without a gap are selected by a slice, which costs less."""
    start, stop = int(rows[0]), int(rows[-1]) + 1
    at = slice(start, stop) if stop - start == rows.size else rows
    return Block(rows, at, times[places], values[places], places, learns)


def cut(
    columns: Columns, rows: IntArray, times: IntArray, values: FloatArray, usable: IntArray
) -> Iterator[Block]:
    """Blocks of the usable samples of a call, each row's in order."""
    wanted = rows[usable]
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
    frozen = columns["frozen"][rows]
    if not frozen.any():
        yield block_of(rows, times, values, places, learns=True)
        return
    for some, learns in ((np.flatnonzero(~frozen), True), (np.flatnonzero(frozen), False)):
        if some.size:
            yield block_of(rows[some], times, values, places[some], learns=learns)


def room(columns: Columns, rows: IntArray, times: IntArray) -> IntArray:
    """How many of the next samples, `times` [m, n], belong to one block."""
    samples = columns["samples"][rows]
    size = block_size(samples)
    _, end_ms = stretch(columns, rows, times[:, 0])
    later = times >= end_ms[:, None]
    later[:, 0] = False
    until = np.where(later.any(axis=1), later.argmax(axis=1), times.shape[1])
    found: IntArray = np.minimum(size - samples % size, until)
    return found


def stretch(columns: Columns, at: Selector, now_ms: IntArray) -> tuple[BoolArray, IntArray]:
    """Whether a stretch of the refractory begins at these times, and when the one that holds then ends."""
    end_ms = columns["stretch_end_ms"][at]
    begins = now_ms >= end_ms
    born = columns["samples"][at] == 0
    age_ms = np.where(born, 0, now_ms - columns["first_ms"][at])
    return begins, np.where(begins, now_ms + alarms.stretch_ms(age_ms), end_ms)
