"""Fluctuation: how much farther from the recent level than ever at this time of the last days.

A step or a spike that comes every day at this hour is no news; the same at another hour is. The deviation from a
short exponentially weighted mean is held against the largest one that the same slot of the day and its two neighbours
had on the last days. Days without samples are passed over; what a frozen row is fed is not remembered. The day is
that of the zone's clock. Cost: 8 bytes a slot and day, 2.3 KB by default.

Refuses slow changes: the level follows them. It compares with what has been at this time: the first day is warm-up
where `days` is not 0.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from detectors.bank import Bank, Judgement, Settings
from detectors.base import FloatArray, IntArray, Round
from detectors.columns import Column
from detectors.ewma import CUT_SCALES
from detectors.zone import known, local

DAY_MS = 86_400_000


class FluctuationSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of `fluctuation`."""

    half_life_samples: Annotated[
        float, Meta(gt=0, description="samples after which a value counts half in the level")
    ] = 5.0
    scale_half_life_samples: Annotated[
        float, Meta(gt=0, description="the same of a deviation in the scale")
    ] = 240.0
    season_ms: Annotated[int, Meta(ge=1000, description="what is called a day here, in ms")] = (
        DAY_MS
    )
    days: Annotated[int, Meta(ge=0, le=14, description="days that are remembered; 0: none")] = 5
    slots: Annotated[int, Meta(ge=3, le=1440, description="cuts of the day")] = 48
    zone: Annotated[
        str, Meta(description="time zone whose clock cuts the season, for example Europe/Berlin")
    ] = "UTC"


class Fluctuation(Bank):
    """Deviation from a short mean, less the largest of the same time of the last days.

    With e = x - m: raw = max(|e| - max |e'|, 0) / s, e' being those of the last days in this slot and beside it, s^2
    the exponentially weighted mean of e^2. After FluxEV (Li et al. 2021, doi 10.1145/3437963.3441823), with one
    smoothing less: the calibration stands for its threshold.
    """

    parameters: ClassVar[type[Settings]] = FluctuationSettings
    settings: FluctuationSettings

    def __init__(self, settings: FluctuationSettings, seed: int = 0) -> None:  # noqa: ARG002  # nothing random
        super().__init__(settings)
        self._zone = known(settings.zone)
        self._share = -np.expm1(-np.log(2.0) / settings.half_life_samples)
        self._scale_share = -np.expm1(-np.log(2.0) / settings.scale_half_life_samples)

    @property
    def _ring(self) -> int:
        """Days in the record: the remembered ones and the present one."""
        return self.settings.days + 1

    def _forms(self) -> Mapping[str, Column]:
        cells = self._ring * self.settings.slots if self.settings.days else 0
        record = {"record": Column(np.float64, 0, cells)} if cells else {}
        return {
            "mean": Column(),
            "variance": Column(),
            "first_ms": Column(np.int64),
            "visit": Column(np.int64),
            **record,
        }

    @property
    def blind_ms(self) -> int:
        """The first day, where days are compared."""
        return self.settings.season_ms if self.settings.days else 0

    def _visit(self, times: IntArray) -> IntArray:
        """Return the number of the passage through a slot, counted from the epoch."""
        season, slots = self.settings.season_ms, self.settings.slots
        shown = local(times, self._zone)
        visit: IntArray = shown // season * slots + shown % season * slots // season
        return visit

    def _judge(self, now: Round) -> Judgement:
        columns = self.columns
        mean = columns["mean"][now.at].copy()
        scale = self.floored(np.sqrt(columns["variance"][now.at]), mean)
        gap = now.values - mean
        ready = columns["samples"][now.at] >= self.settings.settled_samples
        largest = np.zeros(mean.size)
        if self.settings.days:
            largest = self._largest(now)
            ready &= now.times - columns["first_ms"][now.at] >= self.blind_ms
        beyond = np.copysign(np.maximum(np.abs(gap) - largest, 0.0), gap)
        return Judgement(mean, scale, beyond / scale, ready, np.stack((gap, largest), axis=1))

    def _largest(self, now: Round) -> FloatArray:
        """Return the largest deviation of the last days at this time."""
        slots, ring = self.settings.slots, self._ring
        visit = self._visit(now.times)
        # The neighbours' days: the slot before the first one belongs to the day before.
        beside = visit[:, None] + np.array([-1, 0, 1])
        before = np.arange(1, ring)[None, :, None]
        day = (beside // slots)[:, None, :] - before
        cell = day % ring * slots + (beside % slots)[:, None, :]
        found = self.columns["record"][now.rows[:, None], cell.reshape(visit.size, -1)]
        largest: FloatArray = found.max(axis=1)
        return largest

    def _band(
        self, now: Round, judgement: Judgement, reach: FloatArray | float
    ) -> tuple[FloatArray, FloatArray]:
        del now
        assert judgement.note is not None
        half = reach * judgement.scale + judgement.note[:, 1]
        return judgement.expected - half, judgement.expected + half

    def _learn(self, now: Round, judgement: Judgement, weight: FloatArray | float) -> None:
        assert judgement.note is not None
        columns = self.columns
        gap, largest = judgement.note.T
        samples = columns["samples"][now.at]
        columns["first_ms"][now.at] = np.where(samples == 0, now.times, columns["first_ms"][now.at])
        settled = samples >= self.settings.settled_samples
        reach = np.where(settled, CUT_SCALES * judgement.scale, np.inf)
        first = 1.0 / (samples + 1)
        # Within its largest usual step the level follows freely, or it would lag behind every daily one.
        free = np.where(judgement.ready, reach + largest, np.inf)
        step = np.minimum(np.maximum(gap, -free), free)
        columns["mean"][now.at] = (
            judgement.expected + np.maximum(first, self._share) * weight * step
        )
        cut = np.minimum(np.abs(gap), reach)
        variance = columns["variance"][now.at]
        share = np.maximum(1.0 / np.maximum(samples, 1), self._scale_share) * weight
        columns["variance"][now.at] = np.where(
            samples > 0, variance + share * (cut * cut - variance), 0.0
        )
        if self.settings.days:
            self._enter(now, np.where(samples > 0, np.abs(gap), 0.0))

    def _enter(self, now: Round, size: FloatArray) -> None:
        """Take a deviation into the record of its slot; the first of a visit begins it anew."""
        slots = self.settings.slots
        visit = self._visit(now.times)
        cell = visit // slots % self._ring * slots + visit % slots
        begins = visit != self.columns["visit"][now.at]
        record = self.columns["record"]
        held = np.where(begins, 0.0, record[now.rows, cell])
        record[now.rows, cell] = np.maximum(held, size)
        self.columns["visit"][now.at] = visit
