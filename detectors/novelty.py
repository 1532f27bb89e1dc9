"""Novelty: how far from the nearest value that the series ever had, in usual distances.

The values that were seen are kept as a sketch of bounded size. When it is full, every second value is a candidate to
go, and the quarter of all cells whose loss leaves the smallest gaps goes; so no gap more than doubles at a time, and
what is rare is kept. Values that are odd are taken in when eight in a row were. Cost: 8 bytes a cell, 4 KB by default.

Refuses time: an ordinary value at the wrong hour is not novel, and what happened once is never novel again.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from detectors.bank import LONGEST_RUN, Bank, Judgement, Settings
from detectors.base import FloatArray, IntArray, Round
from detectors.columns import Column
from detectors.ewma import CUT_SCALES

# Rows searched or thinned at once: bounds the working memory, and fits into a processor's cache.
PART_ROWS = 64
# Its exponential, times a scale, is a double yet.
LARGEST_LOGARITHM = 300.0


class NoveltySettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of `novelty`."""

    values: Annotated[int, Meta(ge=16, le=8192, description="earlier values that are kept")] = 512
    half_life_samples: Annotated[
        float, Meta(gt=0, description="samples after which a distance counts half in the usual one")
    ] = 500.0


class Novelty(Bank):
    """Distance to the nearest earlier value, in usual distances.

    d = min |x - v| over the kept values v, the distance to the nearest neighbour as a score of oddness (Ramaswamy et
    al. 2000, doi 10.1145/342009.335437); raw = ln(1 + d / m) with m the exponentially weighted mean of earlier d, cut
    at three times itself. Gaps have tails like a power and their logarithms an exponential one, as the calibration
    wants. Not divided by the range so far: that would make old distances incomparable with new ones.
    """

    parameters: ClassVar[type[Settings]] = NoveltySettings
    settings: NoveltySettings

    def __init__(self, settings: NoveltySettings, seed: int = 0) -> None:  # noqa: ARG002  # nothing random
        super().__init__(settings)
        self._share = -np.expm1(-np.log(2.0) / settings.half_life_samples)

    def _forms(self) -> Mapping[str, Column]:
        return {
            # Empty cells are infinitely far from everything.
            "seen": Column(np.float64, np.inf, self.settings.values),
            "filled": Column(np.int64),
            "usual": Column(),
        }

    def _judge(self, now: Round) -> Judgement:
        nearest = np.empty(now.values.size)
        for start in range(0, nearest.size, PART_ROWS):
            part = slice(start, start + PART_ROWS)
            kept, x = self.columns["seen"][now.rows[part]], now.values[part]
            best = np.abs(kept - x[:, None]).argmin(axis=1)
            nearest[part] = kept[np.arange(best.size), best]
        expected = np.where(np.isfinite(nearest), nearest, now.values)
        gap = now.values - expected
        scale = self.floored(self.columns["usual"][now.at], expected)
        ready = self.columns["samples"][now.at] >= self.settings.settled_samples
        raw = np.copysign(np.log1p(np.abs(gap) / scale), gap)
        return Judgement(expected, scale, raw, ready, np.abs(gap))

    def _band(
        self, now: Round, judgement: Judgement, reach: FloatArray | float
    ) -> tuple[FloatArray, FloatArray]:
        del now
        half = judgement.scale * np.expm1(np.minimum(reach, LARGEST_LOGARITHM))
        return judgement.expected - half, judgement.expected + half

    def _learn(self, now: Round, judgement: Judgement, weight: FloatArray | float) -> None:
        assert judgement.note is not None
        distance = judgement.note
        samples = self.columns["samples"][now.at]
        reach = np.where(judgement.ready, CUT_SCALES * judgement.scale, np.inf)
        usual = self.columns["usual"][now.at]
        # The first value has no distance.
        share = np.maximum(1.0 / np.maximum(samples, 1), self._share) * weight
        self.columns["usual"][now.at] = np.where(
            samples > 0, usual + share * (np.minimum(distance, reach) - usual), usual
        )
        run = self.columns["run"][now.at]
        new = (samples == 0) | (distance > 0)
        chosen = np.flatnonzero(new & ((run == 0) | (run >= LONGEST_RUN)))
        rows = now.rows[chosen]
        full = rows[self.columns["filled"][rows] == self.settings.values]
        for start in range(0, full.size, PART_ROWS):
            self._thin(full[start : start + PART_ROWS])
        self.columns["seen"][rows, self.columns["filled"][rows]] = now.values[chosen]
        self.columns["filled"][rows] += 1

    def _thin(self, rows: IntArray) -> None:
        """Let go of a quarter of the values, where they are densest."""
        size = self.settings.values
        ordered = np.sort(self.columns["seen"][rows], axis=1)
        # Neighbours of a candidate are no candidates: the gap that it leaves is between them.
        gaps = ordered[:, 2::2] - ordered[:, :-2:2]
        gone = 1 + 2 * np.argsort(gaps, axis=1, kind="stable")[:, : size // 4]
        ordered[np.arange(rows.size)[:, None], gone] = np.inf
        self.columns["seen"][rows] = np.sort(ordered, axis=1)
        self.columns["filled"][rows] = size - size // 4
