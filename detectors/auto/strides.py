"""Strides: parts of what `judge` and `learn` do, for some rows at once, by compiled code.

Each part goes through all rows before the next one begins: its lines are few, so a processor waits for what many rows
hold side by side, and computes many numbers with one instruction. What passes from one to the next is on a `Desk`.

Columns are taken out of their tuples before the loops: within, numba would count the references to them.
"""

import numpy as np

from detectors.auto import sketch, tails
from detectors.auto.judge import LARGEST
from detectors.auto.learn import DAILY_WEIGHT
from detectors.auto.parts import Desk, Sketches, Tails, Walks
from detectors.auto.state import CHANNELS, FRESH, LEVEL_LEFT, SEASON, SEASON_LEFT, VIEWS
from detectors.auto.tails import Small
from detectors.auto.walk import (
    AFTER,
    FAST_SHARE,
    LEVEL_SHARE,
    NATURE_SHARE,
    SETTLED_VISITS,
    SLOT_MS,
    SLOTS,
    WEIGHTS,
)
from detectors.base import FloatArray, IntArray
from schemas.compiled import compiled
from schemas.fetching import fetch

# Searches whose cells are fetched from memory side by side: with more of them their lines drive each other out.
ABREAST = 8
# The age from which on every share is the least one.
LEVELLED_SAMPLES = round(1.0 / NATURE_SHARE)
EXPLAINING = 0.5 * DAILY_WEIGHT
_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_LOUDEST = np.float32(tails.LOUDEST)
_RISE0, _RISE1, _RISE2, _RISE3 = (np.float32(rise) for rise in tails.RISES)
_FIRST_CELL = 2 * 127 - tails.UNIT_CELL
_CELLS, _LAST_CELL = tails.CELLS, tails.CELLS - 1
_SIZE, _STEP, _PIVOTS = sketch.SIZE, sketch.PIVOT_STEP, sketch.SIZE // sketch.PIVOT_STEP


@compiled
def begin(
    rows: IntArray, values: FloatArray, rests: FloatArray, desk: Desk, walks: Walks, tail: Tails
) -> None:
    """Where the scales of rows begin, their units, and how far their bands reach."""
    samples, origins, units = walks.samples, walks.origin, walks.unit
    knot, beyond = tail.knot3, tail.beyond
    own_origin, own_unit, own_half = desk.origin, desk.unit, desk.half
    for at in range(len(rows)):
        row = rows[at]
        origin, unit, step = origins[row], units[row], 0
        if samples[row] == 0:
            origin = values[at, 0]
        while unit == 0.0 and step < values.shape[1]:
            # the first step away from the first value
            unit = abs(values[at, step] - origin)
            step += 1
        slope, half = np.float64(beyond[row, LEVEL_LEFT]), np.nan
        if slope > 0.0:
            rest = rests[at if len(rests) > 1 else 0]
            half = np.float64(knot[row, LEVEL_LEFT]) + rest / slope
        own_origin[at], own_unit[at], own_half[at] = origin, unit, half * unit


@compiled
def walk(
    rows: IntArray,
    times: IntArray,
    values: FloatArray,
    step: int,
    learns: bool,
    desk: Desk,
    walks: Walks,
) -> None:
    """One sample of each row: `walk.walk`, and what is seen of it."""
    samples, levels, fasts, last = walks.samples, walks.level, walks.fast, walks.last
    profile, every_visits, means, spreads = walks.profile, walks.visits, walks.mean, walks.spread
    lefts, nets, travels, lows, highs = walks.left, walks.net, walks.travel, walks.low, walks.high
    origins, units, middle, daily = desk.origin, desk.unit, desk.middle, walks.daily
    every_now, far, known, gaps = desk.now, desk.far, desk.settled, desk.gap
    for at in range(len(rows)):
        row, origin, unit = rows[at], origins[at], units[at]
        value = (values[at, step] - origin) / (unit if unit > 0.0 else 1.0)
        value = max(-LARGEST, value)
        value = min(LARGEST, value)
        half_hour = times[at, step] // SLOT_MS
        slot = half_hour - half_hour // SLOTS * SLOTS
        usual, visits = profile[row, slot], every_visits[row, slot]
        slow, fast, age = levels[row], fasts[row], samples[row] + step
        settled = visits >= SETTLED_VISITS
        slow_share, fast_share, share = LEVEL_SHARE, FAST_SHARE, NATURE_SHARE
        if age < LEVELLED_SAMPLES:
            first = 1.0 / (age + 1)
            slow_share, fast_share = max(slow_share, first), max(fast_share, first)
            share = max(share, first)
        after, gap = fast + fast_share * (value - fast), value - slow
        now = np.float32(value)
        every_now[at, 0], every_now[at, 1] = now, after
        every_now[at, 2], every_now[at, 3] = value - usual, gap
        far[at, SEASON_LEFT] = abs(every_now[at, SEASON]) if settled else _ZERO
        far[at, LEVEL_LEFT] = abs(every_now[at, SEASON + 1])
        far[at, LEVEL_LEFT + 1] = abs(value - fast)
        explained = settled and daily[row] >= EXPLAINING
        middle[at] = origin + (usual if explained else slow) * unit
        known[at], gaps[at] = settled, gap
        if not learns:
            continue
        levels[row], fasts[row] = slow + slow_share * gap, after
        profile[row, slot] = usual + WEIGHTS[visits] * (value - usual)
        every_visits[row, slot] = AFTER[visits]
        mean, spread, left = means[row], spreads[row], lefts[row]
        spreads[row] = spread + share * (abs(value - mean) - spread)
        means[row] = mean + share * (value - mean)
        lefts[row] = left + share * (abs(value - usual) - left) if settled else left
        moved, net, travel = value - last[row], nets[row], travels[row]
        nets[row] = net + share * (moved - net)
        travels[row] = travel + share * (abs(moved) - travel)
        last[row] = value
        low, high = lows[row], highs[row]
        lows[row] = low if low < now else np.float64(now)
        highs[row] = high if high > now else np.float64(now)


@compiled
def find(rows: IntArray, desk: Desk, sketches: Sketches) -> None:
    """How far the views are from the nearest values kept (`sketch.distance`)."""
    every_kept, pivots, now, apart = sketches.kept, sketches.pivots, desk.now, desk.apart
    below = desk.below
    for start in range(0, len(rows), ABREAST):
        stop = min(start + ABREAST, len(rows))
        for at in range(start, stop):
            row = rows[at]
            for view in range(VIEWS):
                below[at, view] = 0
            for pivot in range(_PIVOTS):
                for view in range(VIEWS):
                    below[at, view] += pivots[pivot, row, view] < now[at, view]
            # both ends of what is left: a processor fetches many lines at once, but in a search one by one
            for view in range(VIEWS):
                place = view * _SIZE + below[at, view] * _STEP
                fetch(every_kept, row, place)
                fetch(every_kept, row, place + _STEP - 2)
        for at in range(start, stop):
            row = rows[at]
            for view in range(VIEWS):
                value, first = now[at, view], view * _SIZE
                place = first + below[at, view] * _STEP
                place += 8 * (every_kept[row, place + 7] < value)
                place += 4 * (every_kept[row, place + 3] < value)
                place += 2 * (every_kept[row, place + 1] < value)
                place += 1 * (every_kept[row, place] < value)
                up = abs(every_kept[row, min(place, first + _SIZE - 1)] - value)
                down = abs(every_kept[row, max(place - 1, first)] - value)
                apart[at, view] = min(down, up)


@compiled
def compare(rows: IntArray, desk: Desk, sketches: Sketches) -> None:
    """How far the views are from what was there before, a sample ago too."""
    now, apart, far, settled, latest = (
        desk.now,
        desk.apart,
        desk.far,
        desk.settled,
        sketches.latest,
    )
    for at in range(len(rows)):
        row = rows[at]
        for view in range(VIEWS):
            near = abs(now[at, view] - latest[row, view])
            near = min(apart[at, view], near)
            far[at, view] = near if near < np.inf else _ZERO
        if not settled[at]:
            far[at, SEASON] = _ZERO


@compiled
def _piece(rare: Small, far: Small, knot: Small, slope: Small, rise: np.float32) -> None:
    """Add what one piece of the line says of distances."""
    for at in range(rare.size):
        part = (far[at] - knot[at]) * slope[at]
        rare[at] += min(_ONE, max(_ZERO, part)) * rise


@compiled
def _laid(rows: IntArray, column: Small, desk: Small) -> Small:
    """What a column holds of rows, one row after the other: the column itself where they are so, else copied."""
    first, count = rows[0], len(rows)
    if rows[count - 1] - first == count - 1:
        return column[first : first + count].reshape(-1)
    for at in range(count):
        row = rows[at]
        for channel in range(CHANNELS):
            desk[at * CHANNELS + channel] = column[row, channel]
    return desk


@compiled
def rate(rows: IntArray, desk: Desk, tail: Tails) -> None:
    """How rare the distances are (`tails.rareness`); rows are in rising order."""
    size = len(rows) * CHANNELS
    near, fits = desk.near, desk.fits
    far, rare = desk.far.reshape(-1)[:size], desk.rare.reshape(-1)[:size]
    over, steep = _laid(rows, tail.knot3, fits[0]), _laid(rows, tail.beyond, fits[1])
    for at in range(rare.size):
        rare[at] = max(_ZERO, far[at] - over[at]) * steep[at]
    _piece(rare, far, near, _laid(rows, tail.slope0, fits[1]), _RISE0)
    for knot, slope, rise in (
        (tail.knot0, tail.slope1, _RISE1),
        (tail.knot1, tail.slope2, _RISE2),
        (tail.knot2, tail.slope3, _RISE3),
    ):
        _piece(rare, far, _laid(rows, knot, fits[0]), _laid(rows, slope, fits[1]), rise)
    for at in range(rare.size):
        rare[at] = min(_LOUDEST, rare[at])


@compiled
def tally(rows: IntArray, desk: Desk, tail: Tails) -> None:
    """Take the distances into the histograms (`tails.cells`)."""
    every_bits, settled, cells = desk.far.view(np.int32), desk.settled, desk.cells
    counts, moved = tail.counts, tail.moved
    for at in range(len(rows)):
        row = rows[at]
        for channel in range(CHANNELS):
            bits = every_bits[at, channel]
            found = (bits >> 22) - np.int32(_FIRST_CELL) - moved[row, channel]
            found = min(max(found, 1), _LAST_CELL)
            cells[at, channel] = channel * _CELLS + (found if bits > 0 else 0)
    for at in range(len(rows)):
        row = rows[at]
        for channel in range(CHANNELS):
            if settled[at] or channel not in (SEASON, SEASON_LEFT):
                counts[row, cells[at, channel]] += 1


@compiled
def gather(rows: IntArray, desk: Desk, sketches: Sketches) -> None:
    """Keep new values of the views, as many as there is room for, and the latest."""
    now, apart, settled = desk.now, desk.apart, desk.settled
    grid, fresh, fresh_count = sketches.grid, sketches.fresh, sketches.fresh_count
    latest = sketches.latest
    for at in range(len(rows)):
        row = rows[at]
        for view in range(VIEWS):
            latest[row, view] = now[at, view]
            if apart[at, view] > grid[row, view] and (settled[at] or view != SEASON):
                had = fresh_count[row, view]
                if had < FRESH:
                    fresh[row, view * FRESH + had] = now[at, view]
                    fresh_count[row, view] = had + 1


@compiled
def settle(rows: IntArray, desk: Desk, walks: Walks) -> None:
    """Let rows have the origins and units that were found."""
    origins, units, origin, unit = walks.origin, walks.unit, desk.origin, desk.unit
    for at in range(len(rows)):
        origins[rows[at]], units[rows[at]] = origin[at], unit[at]
