"""Parts: the columns of `auto` as its compiled functions take them, and what those give back.

Refuses to compile anything: `machine` does, once there is work enough for it.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.auto.state import SEASON_LEFT, State
from detectors.auto.tails import Counts, Small
from detectors.base import BoolArray, CodeArray, FloatArray, IntArray

# Channels whose tails are heavy: the views and the residual to the time of day.
NOVEL = SEASON_LEFT + 1


class Walks(NamedTuple):
    """Columns that the walk of a row moves."""

    samples: IntArray
    origin: FloatArray
    unit: FloatArray
    low: FloatArray
    high: FloatArray
    level: FloatArray
    fast: FloatArray
    mean: FloatArray
    spread: FloatArray
    left: FloatArray
    last: FloatArray
    net: FloatArray
    travel: FloatArray
    profile: FloatArray
    visits: NDArray[np.uint8]
    daily: FloatArray


class Sketches(NamedTuple):
    """Columns of what was there before."""

    pivots: Small
    kept: Small
    grid: FloatArray
    fresh: Small
    fresh_count: CodeArray
    latest: Small


class Tails(NamedTuple):
    """Columns of how rare a distance is."""

    knot0: Small
    knot1: Small
    knot2: Small
    knot3: Small
    slope0: Small
    slope1: Small
    slope2: Small
    slope3: Small
    beyond: Small
    counts: Counts
    moved: NDArray[np.int16]


class Clocks(NamedTuple):
    """Columns of when a row may speak, and with whose votes."""

    samples: IntArray
    first_ms: IntArray
    block_ms: IntArray
    last_ms: IntArray
    stretch_end_ms: IntArray
    peak_now: FloatArray
    peak_before: FloatArray
    daily: FloatArray
    counter: BoolArray


class Desk(NamedTuple):
    """What is known of one sample each of some rows, from one step of the work to the next.

    origin, unit, half  of the row: where its scale begins, and how far the band reaches
    middle, gap         what is expected, and how far above the slow level the sample is
    settled             whether what hangs on the profile of the day means anything
    now, apart, below   the views, how far they are from what is kept of them, and how many pivots are below
    far, rare, cells    distances by channel, how rare they are, and their cells
    near, fits          zeros, and room for what columns hold of rows that do not lie side by side
    """

    origin: FloatArray
    unit: FloatArray
    half: FloatArray
    middle: FloatArray
    gap: FloatArray
    settled: BoolArray
    now: Small
    apart: Small
    below: NDArray[np.int32]
    far: Small
    rare: Small
    cells: NDArray[np.int32]
    near: Small
    fits: Small


class Glance(NamedTuple):
    """Of each sample, row after row.

    rare       rareness of the channels up to the residual to the time of day [.., NOVEL]
    least      the least rareness of the residuals
    beyond     of what the logarithm is wanted, where a rareness lies beyond the last knot; `places` in `rare`
    off        whether it lies on the side that is not watched
    """

    rare: Small
    least: Small
    beyond: Small
    places: IntArray
    off: BoolArray
    expected: FloatArray
    low: FloatArray
    high: FloatArray


class Weighed(NamedTuple):
    """Of each sample, row after row; `doubtful`: those that stand out or are rare, `stands`: which do.

    `ended`, `sizes`: places in the block of the rows whose blocks end with it, and how long those are.
    """

    loudness: FloatArray
    spoke: CodeArray
    doubtful: IntArray
    stands: BoolArray
    ended: IntArray
    sizes: IntArray


class Machine(NamedTuple):
    """The two compiled functions."""

    glance: Callable[..., Glance]
    weigh: Callable[..., Weighed]


def parts_of(columns: State) -> tuple[Walks, Sketches, Tails, Clocks]:
    """The columns, as they are."""
    _, *others = Sketches._fields
    return (
        Walks(*(columns[name] for name in Walks._fields)),
        Sketches(columns.pivots, *(columns[name] for name in others)),
        Tails(*(columns[name] for name in Tails._fields)),
        Clocks(*(columns[name] for name in Clocks._fields)),
    )
