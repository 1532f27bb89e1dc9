"""Learn: take a block that was judged into the state, and at its end look again at what the row is like.

Sketches take in what was new, tails are fitted, the usual step, the share of the time of day and whether the row only
counts are found anew: that is how a row that changes its nature gets other votes.
"""

import numpy as np

from detectors.auto import sketch, tails
from detectors.auto.blocks import Block
from detectors.auto.judge import Thought
from detectors.auto.state import (
    CHANNELS,
    FRESH,
    SEASON,
    SEASON_LEFT,
    VIEWS,
    block_size,
)
from detectors.base import IntArray
from detectors.columns import Columns

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


def learn(columns: Columns, block: Block, thought: Thought) -> None:
    """Take a block in."""
    at = block.at
    length = block.times.shape[1]
    samples = columns["samples"][at].copy()
    for name, value in thought.state.items():
        columns[name][at] = value
    first_ms = block.times[:, 0]
    for name in ("first_ms", "block_ms"):
        columns[name][at] = np.where(samples == 0, first_ms, columns[name][at])
    value = thought.views[:, :, 0]
    columns["low"][at] = np.minimum(columns["low"][at], value.min(axis=1))
    columns["high"][at] = np.maximum(columns["high"][at], value.max(axis=1))
    columns["latest"][at] = thought.views[:, -1]
    _count(columns, block.rows, thought)
    _gather(columns, block, thought)
    columns["samples"][at] = samples + length
    columns["last_ms"][at] = block.times[:, -1]
    size = block_size(samples)
    ended = np.flatnonzero((samples + length) % size == 0)
    if ended.size:
        _end(columns, block.rows[ended], size[ended])


def _count(columns: Columns, rows: IntArray, thought: Thought) -> None:
    """Take the distances into the histograms."""
    shape = thought.distances.shape
    moved = np.broadcast_to(columns["moved"][rows][:, None, :], shape)
    channel = (rows[:, None] * CHANNELS + np.arange(CHANNELS))[:, None, :] * tails.CELLS
    place = channel + tails.cells(thought.distances, moved)
    counts = columns["counts"].reshape(-1)
    told = thought.valid[:, :, SEASON]
    if not told.all():
        every = np.ones(shape, np.bool_)
        every[:, :, SEASON] = every[:, :, SEASON_LEFT] = told
        place = place[every]
    if shape[1] == 1:
        counts[place.reshape(-1)] += np.uint16(1)
    else:
        np.add.at(counts, place.reshape(-1), np.uint16(1))


def _gather(columns: Columns, block: Block, thought: Thought) -> None:
    """Keep new values of the views until the block ends, as many as there is room for."""
    at = block.at
    new = (thought.apart > columns["grid"][at][:, None, :]) & thought.valid
    if not new.any():
        return
    had = columns["fresh_count"][at].copy()
    rank = had[:, None, :] + np.cumsum(new, axis=1) - 1
    row, step, view = np.nonzero(new & (rank < FRESH))
    cell = view * FRESH + rank[row, step, view]
    columns["fresh"][block.rows[row], cell] = thought.views[row, step, view]
    columns["fresh_count"][at] = np.minimum(had + new.sum(axis=1), FRESH)


def _end(columns: Columns, rows: IntArray, size: IntArray) -> None:
    """End a block."""
    row, view = np.nonzero(columns["fresh_count"][rows])
    if row.size:
        row = rows[row]
        kept = columns["kept"].reshape(-1, VIEWS, sketch.SIZE)
        fresh = columns["fresh"].reshape(-1, VIEWS, FRESH)
        kept[row, view], columns["grid"][row, view] = sketch.merge(
            kept[row, view], columns["grid"][row, view], fresh[row, view]
        )
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


def _fit(columns: Columns, rows: IntArray) -> None:
    counts = columns["counts"][rows].reshape(-1, tails.CELLS)
    counts, moved = tails.recentred(counts, columns["moved"][rows].reshape(-1))
    columns["counts"][rows] = counts.reshape(len(rows), -1)
    columns["moved"][rows] = moved.reshape(len(rows), CHANNELS)
    least = np.zeros((len(rows), CHANNELS))
    least[:, :VIEWS] = (RANGE_SHARE * (columns["high"][rows] - columns["low"][rows]))[:, None]
    knots, slopes, beyond = tails.fit(counts, moved, least.reshape(-1))
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
