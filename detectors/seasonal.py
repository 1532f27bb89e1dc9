"""Seasonal: how far from what this time of the season usually brings.

The season is cut into equal slots of event time. Each slot keeps a level, learnt from whole visits (all samples
of one passage through the slot), so an anomaly cannot move the level by which the rest of its own visit is judged;
on top a slow drift follows the series as a whole. Warm-up is one season, then one speaks for each slot that was
visited. The season starts at the epoch on the clock of the zone: where clocks change, the hour that is skipped is a gap
and the one that comes twice a second visit. Cost: 24 bytes a slot.

Refuses to speak for a slot that it has never seen. Where the season is not given, `season` finds it.
"""

from collections.abc import Iterator, Mapping
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

    season_ms: Annotated[
        int, Meta(ge=0, description="length of the season, in ms; 0: a day or a week, as it finds")
    ] = 0
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

    @property
    def blind_ms(self) -> int:
        """The first season."""
        return self.settings.season_ms

    def _visit(self, times: IntArray) -> IntArray:
        """Return the number of the passage through a slot, counted from the epoch; one for all if the time is one."""
        if times.size > 1 and (times == times[0]).all():
            times = times[:1]
        season, slots = self.settings.season_ms, self.settings.slot_count
        shown = local(times, self._zone)
        seasons = shown // season
        visit: IntArray = seasons * slots + (shown - seasons * season) * slots // season
        return visit

    def _places(self, rows: IntArray, visit: IntArray) -> IntArray:
        """Return where in the flat columns of slots the slots of these visits are."""
        slots = self.settings.slot_count
        return rows * slots + (visit - visit // slots * slots)

    def _slots(self, now: Round) -> Iterator[FloatArray]:
        """Yield visits, level and square of the slots of a round."""
        visit, names = self._visit(now.times), ("visits", "level", "square")
        if visit.size == 1 and isinstance(now.at, slice):
            slot = int(visit[0]) % self.settings.slot_count
            return (self.columns[name][now.at, slot].copy() for name in names)
        place = self._places(now.rows, visit)
        return (self.columns[name].reshape(-1).take(place) for name in names)

    def _judge(self, now: Round) -> Judgement:
        columns = self.columns
        visits, level, square = self._slots(now)
        level += columns["drift"][now.at]
        square *= visits
        shared = self._shared_square(now)
        shared *= SHARED_VISITS
        square += shared
        square /= visits + SHARED_VISITS
        known = visits > 0
        expected = level
        if not known.all():
            expected = np.where(known, level, np.nan)
            level = np.where(known, level, now.values)
        scale = self.floored(np.sqrt(square, out=square), level)
        gap = now.values - level
        ready = now.times - columns["first_ms"][now.at] >= self.settings.season_ms
        ready &= known
        ready &= columns["samples"][now.at] > 0
        return Judgement(expected, scale, gap / scale, ready, gap)

    def _shared_square(self, now: Round) -> FloatArray:
        residuals = self.columns["residuals"][now.at]
        square: FloatArray = residuals * self.columns["residual_square"][now.at]
        square += STEP_SAMPLES * self.columns["step_square"][now.at]
        square /= residuals + STEP_SAMPLES
        return square

    def _learn(self, now: Round, judgement: Judgement, weight: FloatArray | float) -> None:
        assert judgement.note is not None
        columns = self.columns
        visit = self._visit(now.times)
        begins = visit != columns["visit"][now.at]
        young = columns["samples"][now.at] == 0
        first = bool(young.any())
        if begins.any() or first:
            self._fold(now, begins & ~young)
            self._begin(now, visit, begins | young)
        reach = CUT_SCALES * judgement.scale
        self._learn_visit(now, judgement, reach, weight)
        self._learn_scale(now, judgement, reach, young, weight)
        if first:
            columns["last_ms"][now.at] = np.where(young, now.times, columns["last_ms"][now.at])
            columns["first_ms"][now.at] = np.where(young, now.times, columns["first_ms"][now.at])
        columns["last_value"][now.at] = now.values
        columns["last_ms"][now.at] = np.maximum(columns["last_ms"][now.at], now.times)

    def _fold(self, now: Round, ended: BoolArray) -> None:
        """Take the visit that has ended into its slot."""
        columns = self.columns
        rows = now.rows[ended]
        if rows.size == 0:
            return
        place = self._places(rows, columns["visit"][rows])
        level, squares, counts = (
            columns[name].reshape(-1) for name in ("level", "square", "visits")
        )
        visits = counts[place]
        share = 1.0 / (np.minimum(visits, REMEMBERED_VISITS - 1) + 1.0)
        mean = columns["visit_sum"][rows] / columns["visit_weight"][rows]
        square = columns["visit_squares"][rows] / columns["visit_weight"][rows]
        # A first visit knows only its own spread; the steps tell what it cannot.
        first = np.maximum(square - mean * mean, columns["step_square"][rows])
        kept = squares[place]
        base = columns["visit_base"][rows]
        level[place] = base + share * mean
        squares[place] = np.where(visits > 0, kept + share * (square - kept), first)
        counts[place] = np.minimum(visits + 1, REMEMBERED_VISITS)

    def _begin(self, now: Round, visit: IntArray, begins: BoolArray) -> None:
        """Begin a visit, from the level of its slot where that has one."""
        columns = self.columns
        fresh = np.flatnonzero(begins)
        rows, visit = now.rows[fresh], np.broadcast_to(visit, begins.size)[fresh]
        place = self._places(rows, visit)
        level = now.values[fresh] - columns["drift"][rows]
        known = columns["visits"].reshape(-1)[place] > 0
        columns["visit"][rows] = visit
        columns["visit_base"][rows] = np.where(known, columns["level"].reshape(-1)[place], level)
        for name in ("visit_weight", "visit_sum", "visit_squares"):
            columns[name][rows] = 0.0

    def _learn_visit(
        self, now: Round, judgement: Judgement, reach: FloatArray, weight: FloatArray | float
    ) -> None:
        columns = self.columns
        if not judgement.ready.all():
            reach = np.where(judgement.ready, reach, np.inf)
        gap = now.values - columns["drift"][now.at]
        gap -= columns["visit_base"][now.at]
        np.maximum(gap, -reach, out=gap)
        np.minimum(gap, reach, out=gap)
        more = weight * gap
        columns["visit_weight"][now.at] += weight
        columns["visit_sum"][now.at] += more
        more *= gap
        columns["visit_squares"][now.at] += more

    def _learn_scale(
        self,
        now: Round,
        judgement: Judgement,
        reach: FloatArray,
        young: BoolArray,
        weight: FloatArray | float,
    ) -> None:
        """Learn the drift and the spread of the whole series."""
        assert judgement.note is not None
        columns, ready = self.columns, judgement.ready
        if ready.any():
            gone_ms = np.maximum(now.times - columns["last_ms"][now.at], 0)
            share = _decayed(self._decay, gone_ms) * weight
            gap = np.maximum(judgement.note, -reach)
            np.minimum(gap, reach, out=gap)
            residuals = columns["residuals"][now.at] + weight
            square = columns["residual_square"][now.at]
            pace = np.maximum(share, weight / np.maximum(residuals, 1.0))
            share = share * gap
            gap *= gap
            gap -= square
            gap *= pace
            if not ready.all():
                # among them are all that are young
                residuals = np.where(ready, residuals, columns["residuals"][now.at])
                share, gap = np.where(ready, share, 0.0), np.where(ready, gap, 0.0)
            columns["drift"][now.at] += share
            columns["residual_square"][now.at] = square + gap
            columns["residuals"][now.at] = residuals
        if ready.all():
            return
        # Half the mean square step is the variance of noise around any slow curve (von Neumann 1941).
        half = 0.5 * (now.values - columns["last_value"][now.at]) ** 2
        samples = columns["samples"][now.at]
        steps = np.maximum(samples, 1)
        step = columns["step_square"][now.at]
        settled = (samples >= STEP_SAMPLES) & (step > 0)
        half = np.where(settled, np.minimum(half, CUT_SCALES**2 * step), half)
        fresh = ~young & ~ready
        columns["step_square"][now.at] = np.where(fresh, step + (half - step) / steps, step)


def _decayed(decay: float, gone_ms: IntArray) -> FloatArray | float:
    """Return what share of the past is forgotten; one number where the same time has gone by for all rows."""
    if gone_ms.size and int(gone_ms.min()) == (most := int(gone_ms.max())):
        return float(-np.expm1(-decay * most))
    share: FloatArray = -np.expm1(-decay * gone_ms)
    return share
