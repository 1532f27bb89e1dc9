"""State: what `auto` keeps of a row, as columns, and the numbers of its views and channels.

Channels are what a rareness is kept of: novelty of the four views, then the size of three residuals: to the profile of
the day, to the slow level, to the fast one. Everything is in units of the row's first step away from its first value,
so that no unit matters. Under 4 KB a row.
"""

import numpy as np

from detectors.auto import alarms, sketch, tails
from detectors.auto.walk import SLOTS, STATE
from detectors.base import IntArray
from detectors.columns import Column

VIEWS, CHANNELS = 4, 7
# Of the views and channels, those that hang on the profile of the day; the residual to the slow level.
SEASON, SEASON_LEFT, LEVEL_LEFT = 2, 4, 5
# New values that a view takes in within a block.
FRESH = 8
# Blocks end at multiples of so many samples; older rows learn in longer ones.
YOUNG_BLOCK, GROWN_BLOCK, OLD_BLOCK = 8, 32, 64
GROWN_SAMPLES, OLD_SAMPLES = 256, 4096

FORMS = {
    "samples": Column(np.int64),
    "frozen": Column(np.bool_, fill=False),
    "origin": Column(),
    "unit": Column(),
    "low": Column(),
    "high": Column(),
    "first_ms": Column(np.int64),
    "block_ms": Column(np.int64),
    "last_ms": Column(np.int64),
    "step_ms": Column(np.float64, alarms.COMMON_STEP_MS),
    **{name: Column() for name in STATE},
    "profile": Column(np.float64, 0, SLOTS),
    "visits": Column(np.uint8, 0, SLOTS),
    "kept": Column(np.float32, np.inf, VIEWS * sketch.SIZE),
    "grid": Column(np.float64, 0, VIEWS),
    "fresh": Column(np.float32, np.inf, VIEWS * FRESH),
    "fresh_count": Column(np.int8, 0, VIEWS),
    "latest": Column(np.float32, np.nan, VIEWS),
    "counts": Column(np.uint16, 0, CHANNELS * tails.CELLS),
    "moved": Column(np.int16, 0, CHANNELS),
    **{f"knot{n}": Column(np.float32, 0, CHANNELS) for n in range(len(tails.QUANTILES))},
    **{f"slope{n}": Column(np.float32, 0, CHANNELS) for n in range(len(tails.QUANTILES))},
    "beyond": Column(np.float32, 0, CHANNELS),
    "peak_now": Column(),
    "peak_before": Column(),
    "stretch_end_ms": Column(np.int64, np.iinfo(np.int64).min),
    "daily": Column(),
    "counter": Column(np.bool_, fill=False),
}


def block_size(samples: IntArray) -> IntArray:
    """Samples of a block of a row that has seen so many."""
    return np.where(
        samples < GROWN_SAMPLES,
        YOUNG_BLOCK,
        np.where(samples < OLD_SAMPLES, GROWN_BLOCK, OLD_BLOCK),
    )
