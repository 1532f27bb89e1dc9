"""Machine: what `judge` and `learn` do with a block, by compiled code.

The arithmetic is theirs, operation by operation and of the same widths, so the bits are the same; but what a row holds
is touched once, while it is near, and little is made in between. Logarithms and powers are left to numpy, which makes
them in its own way: `glance` comes before the one, `weigh` before the other.

Refuses the end of a block: it says which rows have come to theirs.
"""

import numpy as np

from detectors.auto import tails
from detectors.auto.alarms import AGE_SHARE, LEAST_MS, MOST_MS
from detectors.auto.judge import RESIDUAL_WEIGHT, VOTES
from detectors.auto.parts import (
    NOVEL,
    Clocks,
    Desk,
    Glance,
    Machine,
    Sketches,
    Tails,
    Walks,
    Weighed,
    parts_of,
)
from detectors.auto.state import (
    CHANNELS,
    GROWN_BLOCK,
    GROWN_SAMPLES,
    LEVEL_LEFT,
    OLD_BLOCK,
    OLD_SAMPLES,
    SEASON_LEFT,
    VIEWS,
    YOUNG_BLOCK,
    State,
)
from detectors.auto.strides import begin, compare, find, gather, rate, settle, tally, walk
from detectors.base import FloatArray, IntArray
from schemas.compiled import Int, compiled

# Rows whose samples are on the desk at once: all that is there fits into a processor's first cache.
ROWS = 64
_ONE = np.float32(1.0)
_KNEE, _HEAVY = np.float32(sum(tails.RISES)), tails.HEAVY
_USUAL = tails.RESIDUAL_POWER**2


@compiled
def _desk() -> Desk:
    return Desk(
        np.empty(ROWS),
        np.empty(ROWS),
        np.empty(ROWS),
        np.empty(ROWS),
        np.empty(ROWS),
        np.empty(ROWS, np.bool_),
        np.empty((ROWS, VIEWS), np.float32),
        np.empty((ROWS, VIEWS), np.float32),
        np.empty((ROWS, VIEWS), np.int32),
        np.zeros((ROWS, CHANNELS), np.float32),
        np.empty((ROWS, CHANNELS), np.float32),
        np.empty((ROWS, CHANNELS), np.int32),
        np.zeros(ROWS * CHANNELS, np.float32),
        np.zeros((2, ROWS * CHANNELS), np.float32),
    )


@compiled
def _note(
    start: int,
    count: int,
    step: int,
    length: int,
    side: int,
    desk: Desk,
    seen: Glance,
    beyonds: int,
) -> int:
    """Write down what was seen of one sample of each of `count` rows; how much lies beyond a last knot so far."""
    rare, settled, middle, half, gap = desk.rare, desk.settled, desk.middle, desk.half, desk.gap
    beyond, places = seen.beyond, seen.places
    rares, leasts, off = seen.rare, seen.least, seen.off
    expected, low, high = seen.expected, seen.low, seen.high
    for at in range(count):
        number = (start + at) * length + step
        expected[number] = middle[at]
        low[number], high[number] = middle[at] - half[at], middle[at] + half[at]
        if side != 0:
            off[number] = side * gap[at] <= 0.0
        least = min(rare[at, LEVEL_LEFT], rare[at, LEVEL_LEFT + 1])
        leasts[number] = min(least, rare[at, SEASON_LEFT]) if settled[at] else least
        for channel in range(NOVEL):
            found = rare[at, channel]
            rares[number, channel] = found
            if found > _KNEE:
                beyond[beyonds] = (found - _KNEE) * _HEAVY + _ONE
                places[beyonds] = number * NOVEL + channel
                beyonds += 1
    return beyonds


@compiled
def glance(
    rows: IntArray,
    times: IntArray,
    values: FloatArray,
    learns: bool,
    side: int,
    rests: FloatArray,
    walks: Walks,
    sketches: Sketches,
    tail: Tails,
) -> Glance:
    """Look at `times` and `values` [m, n] of different rows, and learn all but what hangs on how loud they are.

    `side`: 1 where values above the level alone count, -1 for those below it, else 0. `rests` [m] or [1]: how rare
    beyond the last knot a residual alone leaves the band.
    """
    count, length = values.shape
    size = count * length
    seen = Glance(
        np.empty((size, NOVEL), np.float32),
        np.empty(size, np.float32),
        np.empty(size * NOVEL, np.float32),
        np.empty(size * NOVEL, np.int64),
        np.zeros(size, np.bool_),
        np.empty(size),
        np.empty(size),
        np.empty(size),
    )
    desk, beyonds = _desk(), 0
    for start in range(0, count, ROWS):
        some, now = rows[start : start + ROWS], values[start : start + ROWS]
        now_ms, rest = times[start : start + ROWS], rests
        if len(rests) > 1:
            rest = rests[start : start + ROWS]
        begin(some, now, rest, desk, walks, tail)
        for step in range(length):
            walk(some, now_ms, now, step, learns, desk, walks)
            find(some, desk, sketches)
            compare(some, desk, sketches)
            rate(some, desk, tail)
            if learns:
                tally(some, desk, tail)
                gather(some, desk, sketches)
            beyonds = _note(start, len(some), step, length, side, desk, seen, beyonds)
        if learns:
            settle(some, desk, walks)
    beyond, places = seen.beyond[:beyonds], seen.places[:beyonds]
    return Glance(
        seen.rare, seen.least, beyond, places, seen.off, seen.expected, seen.low, seen.high
    )


@compiled
def _block_size(samples: Int) -> int:
    """See `state.block_size`."""
    if samples < GROWN_SAMPLES:
        return YOUNG_BLOCK
    return GROWN_BLOCK if samples < OLD_SAMPLES else OLD_BLOCK


@compiled
def _stretch_ms(age_ms: Int) -> Int:
    """See `alarms.stretch_ms`."""
    return min(max(int(AGE_SHARE * age_ms), LEAST_MS), MOST_MS)


@compiled
def _vote(rare: tails.Small, number: int, channel: int) -> float:
    voice = np.float64(rare[number, channel])
    return voice * voice


@compiled
def _loudest(v0: float, v1: float, v2: float, v3: float) -> int:
    """Which view has the largest vote, the first of equal ones."""
    if max(v2, v3) > max(v0, v1):
        return 3 if v3 > v2 else 2
    return 1 if v1 > v0 else 0


@compiled
def weigh(
    rows: IntArray,
    times: IntArray,
    learns: bool,
    mute: int,
    shifts: FloatArray,
    needs: FloatArray,
    seen: Glance,
    clocks: Clocks,
) -> Weighed:
    """Join what was seen of each sample in one loudness, and learn the peaks and the ages.

    `mute` samples say nothing. `shifts`, `needs` [m] or [1]: what brings a loudness to the common step, and from what
    loudness on a sample may be rare.
    """
    count, length = times.shape
    size, many = count * length, shifts.size > 1
    loudness, spoke = np.empty(size), np.empty(size, np.int8)
    doubtful, stands, doubts = np.empty(size, np.int64), np.empty(size, np.bool_), 0
    ended, sizes, ends = np.empty(count, np.int64), np.empty(count, np.int64), 0
    for at in range(count):
        row = rows[at]
        daily, plain = clocks.daily[row], 0.0 if clocks.counter[row] else 1.0
        w0, w1, w2, w3 = plain * VOTES[0], plain * VOTES[1], VOTES[2], VOTES[3]
        weight = w0 + w1 + w2 + w3 + daily
        shift, need = shifts[at if many else 0], needs[at if many else 0]
        age = clocks.samples[row]
        now, before = clocks.peak_now[row], clocks.peak_before[row]
        now_ms, end_ms = times[at, 0], clocks.stretch_end_ms[row]
        if now_ms >= end_ms:
            end_ms = now_ms + _stretch_ms(0 if age == 0 else now_ms - clocks.first_ms[row])
            now, before = 0.0, now
        bar = max(now, before)
        for step in range(length):
            number = at * length + step
            odd = RESIDUAL_WEIGHT * np.float64(seen.least[number])
            odd *= odd
            v0, v1 = _vote(seen.rare, number, 0), _vote(seen.rare, number, 1)
            v2, v3 = _vote(seen.rare, number, 2), _vote(seen.rare, number, 3)
            usual = _vote(seen.rare, number, SEASON_LEFT) * _USUAL
            novel = w0 * v0 + w1 * v1 + w2 * v2 + w3 * v3 + daily * usual
            novel /= weight
            loud = np.sqrt(max(novel, odd)) + shift
            if not loud > 0.0 or seen.off[number]:
                loud = 0.0
            loudness[number] = loud
            spoke[number] = VIEWS if odd > novel else _loudest(v0, v1, v2, v3)
            if (loud > bar or loud > need) and age + step >= mute:
                doubtful[doubts] = number
                stands[doubts] = loud > bar
                doubts += 1
            now = max(now, loud)
            if learns:
                bar = max(bar, loud)
        if not learns:
            continue
        clocks.peak_now[row], clocks.peak_before[row] = now, before
        clocks.stretch_end_ms[row] = end_ms
        if age == 0:
            clocks.first_ms[row] = clocks.block_ms[row] = now_ms
        clocks.samples[row] = age + length
        clocks.last_ms[row] = times[at, length - 1]
        block = _block_size(age)
        if (age + length) % block == 0:
            ended[ends], sizes[ends] = at, block
            ends += 1
    return Weighed(loudness, spoke, doubtful[:doubts], stands[:doubts], ended[:ends], sizes[:ends])


MACHINE = Machine(glance, weigh)


def _compile() -> None:
    """Have both compiled, for the types that they are called with."""
    columns = State()
    columns.grow(1)
    rows, times, one = np.zeros(0, np.int64), np.zeros((0, 1), np.int64), np.ones(1)
    walks, sketches, tail, clocks = parts_of(columns)
    seen = glance(rows, times, np.zeros((0, 1)), True, 0, one, walks, sketches, tail)
    weigh(rows, times, True, 0, one, one, seen, clocks)


_compile()
