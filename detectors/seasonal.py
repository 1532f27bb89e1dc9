"""Seasonal: how far from what this time of the season usually brings.

The season is cut into equal slots of event time. Each slot keeps a level, learnt from whole visits (all samples
of one passage through the slot), so an anomaly cannot move the level by which the rest of its own visit is judged;
on top a slow drift follows the series as a whole. Warm-up is one season, then one speaks for each slot that was
visited. The season starts at the epoch on the clock of the zone: where clocks change, the hour that is skipped is a gap
and the one that comes twice a second visit. Cost: 24 bytes a slot.

Refuses to find the season by itself, and to speak for a slot that it has never seen.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from detectors.bank import Bank, Judgement, Settings
from detectors.base import BoolArray, FloatArray, IntArray, Round
from detectors.columns import Column
from detectors.ewma import CUT_SCALES
from detectors.zone import known, local

DAY_MS = 86_400_000
# Without an order: a quarter of an hour a slot, between an hourly day and a week in quarters.
SLOT_MS = 900_000
FEWEST_SLOTS, MOST_SLOTS = 24, 672
# The latest visit weighs at least a quarter: about four seasons are remembered.
REMEMBERED_VISITS = 4
# The scale of the whole series counts as much as four visits of the slot itself.
SHARED_VISITS = 4.0
# Until the residuals have a history of their own, the steps between samples stand for this many of them.
STEP_SAMPLES = 30.0


class SeasonalSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of `seasonal`."""

    season_ms: Annotated[int, Meta(ge=1000, description="length of the season, in ms")] = DAY_MS
    slots: Annotated[
        int,
        Meta(
            ge=0, le=2016, description="cuts of the season; 0: one for each quarter hour, 24 to 672"
        ),
    ] = 0
    drift_seasons: Annotated[
        float, Meta(gt=0, description="half-life of the drift, in seasons")
    ] = 0.25
    zone: Annotated[
        str, Meta(description="time zone whose clock cuts the season, for example Europe/Berlin")
    ] = "UTC"

    @property
    def slot_count(self) -> int:
        """Return the slots, chosen by the season's length unless given."""
        return self.slots or min(max(self.season_ms // SLOT_MS, FEWEST_SLOTS), MOST_SLOTS)


class Seasonal(Bank):
    """Profile of the season plus drift.

    expected = level[slot] + drift, z = (x - expected) / s, where s^2 pools the slot's mean square residual with
    that of the whole series: (visits s_slot^2 + 4 s_all^2) / (visits + 4).
    """

    parameters: ClassVar[type[Settings]] = SeasonalSettings
    settings: SeasonalSettings

    def __init__(self, settings: SeasonalSettings, seed: int = 0) -> None:  # noqa: ARG002  # nothing random
        super().__init__(settings)
        self._zone = known(settings.zone)
        self._decay = np.log(2.0) / (settings.drift_seasons * settings.season_ms)

    def _forms(self) -> Mapping[str, Column]:
        slots = self.settings.slot_count
        return {
            "level": Column(np.float64, 0, slots),
            "square": Column(np.float64, 0, slots),
            "visits": Column(np.float64, 0, slots),
            "first_ms": Column(np.int64),
            "last_ms": Column(np.int64),
            "last_value": Column(),
            "drift": Column(),
            "step_square": Column(),
            "residual_square": Column(),
            "residuals": Column(),
            "visit": Column(np.int64),
            "visit_base": Column(),
            "visit_weight": Column(),
            "visit_sum": Column(),
            "visit_squares": Column(),
        }

    def _visit(self, times: IntArray) -> IntArray:
        """Return the number of the passage through a slot, counted from the epoch."""
        season, slots = self.settings.season_ms, self.settings.slot_count
        shown = local(times, self._zone)
        visit: IntArray = shown // season * slots + shown % season * slots // season
        return visit

    def _judge(self, now: Round) -> Judgement:
        columns = self.columns
        slot = self._visit(now.times) % self.settings.slot_count
        visits = columns["visits"][now.rows, slot]
        expected = columns["level"][now.rows, slot] + columns["drift"][now.at]
        shared = self._shared_square(now)
        own = columns["square"][now.rows, slot]
        square = (visits * own + SHARED_VISITS * shared) / (visits + SHARED_VISITS)
        known = visits > 0
        expected = np.where(known, expected, np.nan)
        level = np.where(known, expected, now.values)
        scale = self.floored(np.sqrt(square), level)
        gap = now.values - level
        season = now.times - columns["first_ms"][now.at] >= self.settings.season_ms
        ready = known & season & (columns["samples"][now.at] > 0)
        return Judgement(expected, scale, gap / scale, ready, gap)

    def _shared_square(self, now: Round) -> FloatArray:
        residuals = self.columns["residuals"][now.at]
        mean = self.columns["residual_square"][now.at]
        step = self.columns["step_square"][now.at]
        square: FloatArray = (residuals * mean + STEP_SAMPLES * step) / (residuals + STEP_SAMPLES)
        return square

    def _learn(self, now: Round, judgement: Judgement, weight: FloatArray | float) -> None:
        assert judgement.note is not None
        columns = self.columns
        visit = self._visit(now.times)
        begins = visit != columns["visit"][now.at]
        young = columns["samples"][now.at] == 0
        if begins.any():
            self._fold(now, begins & ~young)
        self._learn_visit(now, judgement, visit, begins | young, weight)
        self._learn_scale(now, judgement, young, weight)
        columns["last_value"][now.at] = now.values
        columns["last_ms"][now.at] = np.maximum(
            np.where(young, now.times, columns["last_ms"][now.at]), now.times
        )
        columns["first_ms"][now.at] = np.where(young, now.times, columns["first_ms"][now.at])

    def _fold(self, now: Round, ended: BoolArray) -> None:
        """Take the visit that has ended into its slot."""
        columns = self.columns
        rows = now.rows[ended]
        if rows.size == 0:
            return
        slot = columns["visit"][rows] % self.settings.slot_count
        visits = columns["visits"][rows, slot]
        share = 1.0 / (np.minimum(visits, REMEMBERED_VISITS - 1) + 1.0)
        mean = columns["visit_sum"][rows] / columns["visit_weight"][rows]
        square = columns["visit_squares"][rows] / columns["visit_weight"][rows]
        # A first visit knows only its own spread; the steps tell what it cannot.
        first = np.maximum(square - mean * mean, columns["step_square"][rows])
        kept = columns["square"][rows, slot]
        base = columns["visit_base"][rows]
        columns["level"][rows, slot] = base + share * mean
        columns["square"][rows, slot] = np.where(visits > 0, kept + share * (square - kept), first)
        columns["visits"][rows, slot] = np.minimum(visits + 1, REMEMBERED_VISITS)

    def _learn_visit(
        self,
        now: Round,
        judgement: Judgement,
        visit: IntArray,
        begins: BoolArray,
        weight: FloatArray | float,
    ) -> None:
        columns = self.columns
        slot = visit % self.settings.slot_count
        level = now.values - columns["drift"][now.at]
        known = columns["visits"][now.rows, slot] > 0
        start = np.where(known, columns["level"][now.rows, slot], level)
        base = np.where(begins, start, columns["visit_base"][now.at])
        reach = np.where(judgement.ready, CUT_SCALES * judgement.scale, np.inf)
        gap = np.minimum(np.maximum(level - base, -reach), reach)
        columns["visit"][now.at] = visit
        columns["visit_base"][now.at] = base
        for name, more in (
            ("visit_weight", weight),
            ("visit_sum", weight * gap),
            ("visit_squares", weight * gap * gap),
        ):
            columns[name][now.at] = np.where(begins, 0.0, columns[name][now.at]) + more

    def _learn_scale(
        self, now: Round, judgement: Judgement, young: BoolArray, weight: FloatArray | float
    ) -> None:
        """Learn the drift and the spread of the whole series."""
        assert judgement.note is not None
        columns = self.columns
        gone_ms = np.maximum(now.times - columns["last_ms"][now.at], 0)
        share = np.where(young, 0.0, -np.expm1(-self._decay * gone_ms)) * weight
        reach = CUT_SCALES * judgement.scale
        gap = np.minimum(np.maximum(judgement.note, -reach), reach)
        ready = judgement.ready
        columns["drift"][now.at] += np.where(ready, share * gap, 0.0)
        residuals = columns["residuals"][now.at] + np.where(ready, weight, 0.0)
        square = columns["residual_square"][now.at]
        pace = np.maximum(share, weight / np.maximum(residuals, 1.0))
        columns["residual_square"][now.at] = np.where(
            ready, square + pace * (gap * gap - square), square
        )
        columns["residuals"][now.at] = residuals
        # Half the mean square step is the variance of noise around any slow curve (von Neumann 1941).
        half = 0.5 * (now.values - columns["last_value"][now.at]) ** 2
        samples = columns["samples"][now.at]
        steps = np.maximum(samples, 1)
        step = columns["step_square"][now.at]
        settled = (samples >= STEP_SAMPLES) & (step > 0)
        half = np.where(settled, np.minimum(half, CUT_SCALES**2 * step), half)
        fresh = ~young & ~ready
        columns["step_square"][now.at] = np.where(fresh, step + (half - step) / steps, step)
