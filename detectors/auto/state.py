"""State: what `auto` keeps of a row, as columns, and the numbers of its views and channels.

Channels are what a rareness is kept of: novelty of the four views, then the size of three residuals: to the profile of
the day, to the slow level, to the fast one. Everything is in units of the row's first step away from its first value,
so that no unit matters. Under 4 KB a row.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.auto import alarms, sketch, tails
from detectors.auto.walk import SLOTS, STATE
from detectors.base import IntArray
from detectors.columns import Column, Columns

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


class State(Columns):
    """The columns of `auto`, and what is only a copy of some of them: the pivots of all sketches."""

    def __init__(self) -> None:
        super().__init__(FORMS)
        self._pivots: sketch.Values | None = None

    @property
    def pivots(self) -> sketch.Values:
        """The pivots [p, capacity, VIEWS] of what is kept; who changes that changes these."""
        if self._pivots is None:
            self._pivots = sketch.pivots_of(self["kept"].reshape(-1, VIEWS, sketch.SIZE))
        return self._pivots

    def grow(self, capacity: int) -> None:
        """Add blank rows up to `capacity`."""
        super().grow(capacity)
        self._pivots = None

    def reset(self, rows: IntArray) -> None:
        """Make these rows blank again."""
        super().reset(rows)
        self._pivots = None

    def take(self, rows: IntArray, capacity: int) -> None:
        """Keep these rows alone, in this order."""
        super().take(rows, capacity)
        self._pivots = None

    def give(self, rows: IntArray, columns: Mapping[str, NDArray[Any]], source: IntArray) -> None:
        """Let these rows hold what rows of a snapshot hold."""
        super().give(rows, columns, source)
        self._pivots = None

    def restore(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Take copies of the columns of a snapshot."""
        super().restore(columns)
        self._pivots = None
