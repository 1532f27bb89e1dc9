"""Learn: take a block that was judged into the state, and at its end look again at what the row is like.

Sketches take in what was new, tails are fitted, the usual step, the share of the time of day and whether the row only
counts are found anew: that is how a row that changes its nature gets other votes.
"""

import numpy as np

from detectors.auto import sketch, tails
from detectors.auto.blocks import Block
from detectors.auto.judge import Thought, span
from detectors.auto.state import (
    CHANNELS,
    FRESH,
    SEASON,
    SEASON_LEFT,
    VIEWS,
    State,
    block_size,
)
from detectors.base import IntArray

# Tails are fitted at the end of each block of a young row, then after so many samples; the second for old rows.
FIT_YOUNG, FIT_GROWN, GROWN_SAMPLES, FIT_OLD, OLD_SAMPLES = 256, 128, 1024, 512, 1024
# Rows whose tails are fitted at once: their counts fit into a processor's cache.
FIT_ROWS = 64
# A novelty is measured in this share of the range at least.
RANGE_SHARE = 0.02
# The residual to the time of day votes beside the views with up to this weight, where the time of day explains much.
DAILY_WEIGHT = 0.5
# Steps in one direction, as a share of all: above this the row only counts.
COUNTER_RISE = 0.95
STEP_SHARE = 0.05
TINY = 1e-300
POWERS = np.where(np.arange(CHANNELS) < VIEWS, 1.0, tails.RESIDUAL_POWER)


def learn(columns: State, block: Block, thought: Thought) -> None:
    """Take a block in."""
    at = block.at
    length = block.times.shape[1]
    samples = columns["samples"][at].copy()
    for name, value in thought.state.items():
        columns[name][at] = value
    born = block.rows[samples == 0]
    if born.size:
        first_ms = block.times[samples == 0, 0]
        columns["first_ms"][born] = first_ms
        columns["block_ms"][born] = first_ms
    low, high = span(thought.views[:, :, 0])
    columns["low"][at] = np.minimum(columns["low"][at], low)
    columns["high"][at] = np.maximum(columns["high"][at], high)
    columns["latest"][at] = thought.views[:, -1]
    _count(columns, block, thought)
    _gather(columns, block, thought)
    columns["samples"][at] = samples + length
    columns["last_ms"][at] = block.times[:, -1]
    size = block_size(samples)
    ended = np.flatnonzero((samples + length) % size == 0)
    if ended.size:
        end(columns, block.rows[ended], size[ended])


def until_fit(samples: int) -> int:
    """In how many samples the tails of a row are fitted next; 0 where that is at the end of each block."""
    every = FIT_GROWN if samples < OLD_SAMPLES else FIT_OLD
    return 0 if samples < FIT_YOUNG else every - samples % every


def _age(columns: State, row: int) -> tuple[int, int]:
    """How many samples a row has seen, and how many a block of it has."""
    samples = columns["samples"][row : row + 1]
    return int(samples[0]), int(block_size(samples)[0])


def quiet(columns: State, block: Block, thought: Thought) -> int:
    """How many samples of one row, judged at once, are judged as they are block after block.

    Up to the first end of a block that changes anything: takes in something new, or finds another step. Where none
    does, one more than there are.
    """
    row, count = int(block.rows[0]), block.times.shape[1]
    samples, size = _age(columns, row)
    ends = np.arange(size - samples % size, count + 1, size)
    new = thought.apart[0] > columns["grid"][row]
    new[:, SEASON] &= thought.settled[0]
    first = int(new.any(axis=1).argmax()) if new.any() else count
    if columns["fresh_count"][row].any():
        first = 0
    last_ms = np.append(columns["block_ms"][row], block.times[0, ends - 1])
    moves = np.maximum(np.diff(last_ms) / size, 1.0) != columns["step_ms"][row]
    changes = ends[(ends > first) | moves]
    return int(changes[0]) if changes.size else count + 1


def pass_ends(columns: State, block: Block) -> None:
    """Go past the ends of blocks within one that nothing changes at."""
    row, count = int(block.rows[0]), block.times.shape[1]
    samples, size = _age(columns, row)
    last = (samples + count - 1) // size * size - samples
    if last > 0:
        columns["block_ms"][row] = block.times[0, last - 1]


def _count(columns: State, block: Block, thought: Thought) -> None:
    """Take the distances into the histograms."""
    moved = columns["moved"][block.at][:, None, :]
    begins = block.begins(CHANNELS, tails.CELLS)[:, None, :]
    place = begins + tails.cells(thought.distances, moved)
    if not thought.settled.all():
        told = np.ones(place.shape, np.bool_)
        told[:, :, SEASON] = told[:, :, SEASON_LEFT] = thought.settled
        place = place[told]
    np.add.at(columns["counts"].reshape(-1), place.reshape(-1), np.uint16(1))


def _gather(columns: State, block: Block, thought: Thought) -> None:
    """Keep new values of the views until the block ends, as many as there is room for."""
    new = thought.apart > columns["grid"][block.at][:, None, :]
    new[:, :, SEASON] &= thought.settled
    some = np.flatnonzero(new) // new[0].size
    if not some.size:
        return
    some = some[np.append(True, some[1:] > some[:-1])]
    rows, new = block.rows[some], new[some]
    had = columns["fresh_count"][rows]
    rank = had[:, None, :] + np.cumsum(new, axis=1) - 1
    row, step, view = np.nonzero(new & (rank < FRESH))
    cell = view * FRESH + rank[row, step, view]
    columns["fresh"][rows[row], cell] = thought.views[some[row], step, view]
    columns["fresh_count"][rows] = np.minimum(had + new.sum(axis=1), FRESH)


def end(columns: State, rows: IntArray, size: IntArray) -> None:
    """End a block."""
    row, view = np.nonzero(columns["fresh_count"][rows])
    if row.size:
        row = rows[row]
        kept = columns["kept"].reshape(-1, VIEWS, sketch.SIZE)
        fresh = columns["fresh"].reshape(-1, VIEWS, FRESH)
        merged, columns["grid"][row, view] = sketch.merge(
            kept[row, view], columns["grid"][row, view], fresh[row, view]
        )
        kept[row, view] = merged
        columns.pivots[:, row, view] = sketch.pivots_of(merged)
        fresh[row, view] = np.inf
        columns["fresh_count"][rows] = 0
    samples = columns["samples"][rows]
    # the first block has one step less than samples
    steps = size - (samples == size)
    step_ms = np.maximum((columns["last_ms"][rows] - columns["block_ms"][rows]) / steps, 1.0)
    old_ms = columns["step_ms"][rows]
    away = np.clip(np.log(step_ms / old_ms), -1.0, 1.0)
    moved_ms = old_ms * np.exp(np.maximum(STEP_SHARE, size / samples) * away)
    columns["step_ms"][rows] = np.where(samples == size, step_ms, moved_ms)
    columns["block_ms"][rows] = columns["last_ms"][rows]
    wait = np.where(samples <= OLD_SAMPLES, FIT_GROWN, FIT_OLD)
    due = rows[(samples <= FIT_YOUNG) | (samples % wait == 0)]
    for start in range(0, due.size, FIT_ROWS):
        _fit(columns, due[start : start + FIT_ROWS])


def _fit(columns: State, rows: IntArray) -> None:
    counts = columns["counts"][rows].reshape(-1, tails.CELLS)
    counts, moved = tails.recentred(counts, columns["moved"][rows].reshape(-1))
    columns["counts"][rows] = counts.reshape(len(rows), -1)
    columns["moved"][rows] = moved.reshape(len(rows), CHANNELS)
    least = np.zeros((len(rows), CHANNELS))
    least[:, :VIEWS] = (RANGE_SHARE * (columns["high"][rows] - columns["low"][rows]))[:, None]
    powers = np.tile(POWERS, len(rows))
    knots, slopes, beyond = tails.fit(counts, moved, least.reshape(-1), powers)
    for number, (knot, slope) in enumerate(zip(knots, slopes, strict=True)):
        columns[f"knot{number}"][rows] = knot.reshape(len(rows), CHANNELS)
        columns[f"slope{number}"][rows] = slope.reshape(len(rows), CHANNELS)
    columns["beyond"][rows] = beyond.reshape(len(rows), CHANNELS)
    spread, left = columns["spread"][rows], columns["left"][rows]
    told = (spread > 0) & (left > 0)
    explained = 1.0 - left / np.where(told, spread, 1.0)
    columns["daily"][rows] = np.where(told, DAILY_WEIGHT * np.clip(2.0 * explained, 0.0, 1.0), 0.0)
    travel = np.maximum(columns["travel"][rows], TINY)
    columns["counter"][rows] = np.abs(columns["net"][rows]) > COUNTER_RISE * travel
