"""Extreme: how improbable by the law of the series' own largest values (SPOT; with a drift window DSPOT).

Each side has a threshold from the first samples, and the last excesses over it, to which a generalised Pareto law is
fitted whenever there is a new one. The raw number is the normal quantile of the law's tail probability, so that
probability is what `tail: normal` gives. A run of loud samples is learnt as one, until there were eight in a row.
Cost: 1.6 KB, and 8 bytes for each sample of the drift window.

Refuses seasons, and levels that move unless `drift_samples` is given; bounded tails count as exponential ones, since
few excesses cannot tell where the end is.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from msgspec import Meta
from scipy.special import ndtr, ndtri_exp  # type: ignore[import-untyped]  # scipy ships no types

from detectors.bank import LARGEST_RAW, LONGEST_RUN, Bank, Judgement, Settings
from detectors.base import FloatArray, IntArray, Round
from detectors.columns import Column

# A tail heavier than this has no variance, which the method of moments needs (Hosking and Wallis 1987).
HEAVIEST_SHAPE = 0.49
# Twice these many samples are counted, then both counts are halved.
REMEMBERED_SAMPLES = 4096.0
# A side that is exceeded by half of the samples is no tail.
LARGEST_SHARE = 0.45
SIDES = ("up", "down")


class ExtremeSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of `extreme`."""

    tail: Annotated[
        Literal["past", "normal"],
        Meta(description="calibrate against its own past, or take the law's own probability"),
    ] = "normal"
    first_samples: Annotated[
        int, Meta(ge=40, le=2000, description="samples that set the thresholds")
    ] = 200
    tail_share: Annotated[
        float, Meta(ge=0.01, le=0.2, description="share of them beyond each threshold")
    ] = 0.05
    drift_samples: Annotated[
        int, Meta(ge=0, le=1000, description="window of the local mean; 0: none (SPOT)")
    ] = 0


class Extreme(Bank):
    """Generalised Pareto tails of the largest and the smallest values.

    P(x) = (n_t / n) (1 + g (x - t) / s)^(-1/g), raw = -Phi^-1(P); shape g and scale s by the method of moments,
    g = (1 - m^2 / v) / 2, s = m (m^2 / v + 1) / 2 with mean m and variance v of the excesses (Siffer et al. 2017,
    doi 10.1145/3097983.3098144; Hosking and Wallis 1987, doi 10.1080/00401706.1987.10488243), g cut to 0..0.49.
    """

    parameters: ClassVar[type[Settings]] = ExtremeSettings
    settings: ExtremeSettings

    def __init__(self, settings: ExtremeSettings, seed: int = 0) -> None:  # noqa: ARG002  # nothing random
        super().__init__(settings)
        self._begins = settings.first_samples + settings.drift_samples
        self._mute_samples = max(settings.warm_up_samples, self._begins)
        self._peaks = settings.first_samples // 2

    def _forms(self) -> Mapping[str, Column]:
        drift = self.settings.drift_samples
        return {
            # The first samples, later the excesses of both sides.
            "cells": Column(np.float64, 0, self.settings.first_samples),
            "middle": Column(),
            "counted": Column(),
            "quiet": Column(np.int64),
            **{
                f"{what}_{side}": Column()
                for what in ("start", "shape", "scale", "over")
                for side in SIDES
            },
            **{f"peaks_{side}": Column(np.int64) for side in SIDES},
            **({"recent": Column(np.float64, 0, drift)} if drift else {}),
        }

    def _local(self, now: Round) -> FloatArray | float:
        """Return the mean of the drift window."""
        width = self.settings.drift_samples
        if not width:
            return 0.0
        filled = np.clip(self.columns["quiet"][now.at], 1, width)
        local: FloatArray = self.columns["recent"][now.rows].sum(axis=1) / filled
        return local

    def _judge(self, now: Round) -> Judgement:
        columns = self.columns
        local = self._local(now)
        apart = now.values - local - columns["middle"][now.at]
        ready = columns["samples"][now.at] >= self._begins
        up, down = (
            self._quantile(now, side, np.maximum(s * apart, 0.0))
            for side, s in zip(SIDES, (1, -1), strict=True)
        )
        deviation = np.where(apart > 0, up, -down)
        expected = columns["middle"][now.at] + local
        return Judgement(
            expected, np.full(apart.size, np.nan), np.where(ready, deviation, 0.0), ready, apart
        )

    def _law(self, now: Round, side: str) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return the distance of the threshold from the middle, its share, and the law beyond it."""
        columns = self.columns
        start = columns[f"start_{side}"][now.at]
        start = self.floored(start, columns["middle"][now.at])
        share = columns[f"over_{side}"][now.at] / np.maximum(columns["counted"][now.at], 1.0)
        share = np.clip(share, 1e-6, LARGEST_SHARE)
        scale = self.floored(columns[f"scale_{side}"][now.at], columns["middle"][now.at])
        return start, share, columns[f"shape_{side}"][now.at], scale

    def _quantile(self, now: Round, side: str, apart: FloatArray) -> FloatArray:
        """Return the normal quantile of a distance from the middle; straight up to the threshold."""
        start, share, shape, scale = self._law(now, side)
        at_start = -ndtri_exp(np.log(share))
        ratio = np.maximum(apart - start, 0.0) / scale
        # The largest double of this exponent: beyond it odd is odd.
        ratio = np.minimum(ratio, 1e100)
        heavy = shape > 0
        bent = np.log1p(shape * ratio) / np.where(heavy, shape, 1.0)
        log_tail = np.log(share) - np.where(heavy, bent, ratio)
        beyond = np.minimum(-ndtri_exp(np.maximum(log_tail, -1e6)), LARGEST_RAW)
        raw: FloatArray = np.where(apart > start, beyond, at_start * np.minimum(apart / start, 1.0))
        return raw

    def _band(
        self, now: Round, judgement: Judgement, reach: FloatArray | float
    ) -> tuple[FloatArray, FloatArray]:
        edges = []
        for side in SIDES:
            start, share, shape, scale = self._law(now, side)
            times_rarer = np.maximum(share / np.maximum(ndtr(-np.asarray(reach)), 1e-300), 1.0)
            safe = np.where(shape > 0, shape, 1.0)
            bent = np.expm1(safe * np.log(times_rarer)) / safe
            excess = scale * np.where(shape > 0, bent, np.log(times_rarer))
            inside = start * np.minimum(reach / -ndtri_exp(np.log(share)), 1.0)
            edges.append(np.where(times_rarer > 1, start + excess, inside))
        ready = judgement.ready
        high, low = (np.where(ready, edge, np.nan) for edge in edges)
        return judgement.expected - low, judgement.expected + high

    def _learn(self, now: Round, judgement: Judgement, weight: FloatArray | float) -> None:  # noqa: ARG002  # a run has its own rule
        assert judgement.note is not None
        columns, run = self.columns, self.columns["run"][now.at]
        learns = np.flatnonzero((run <= 1) | (run >= LONGEST_RUN))
        now, apart = now.take(learns), judgement.note[learns]
        rows = now.rows
        if rows.size == 0:
            return
        drift, quiet = self.settings.drift_samples, columns["quiet"][rows]
        columns["quiet"][rows] += 1
        first = (quiet >= drift) & (quiet < self._begins)
        # While there is no middle yet, what is apart from it is the value less the local mean.
        cell = np.where(first, quiet - drift, 0)
        columns["cells"][rows[first], cell[first]] = apart[first]
        ready = np.flatnonzero(quiet >= self._begins)
        for side, s in zip(SIDES, (1, -1), strict=True):
            self._count(rows[ready], s * apart[ready], side)
        full = rows[ready][columns["counted"][rows[ready]] >= 2 * REMEMBERED_SAMPLES]
        for name in ("counted", "over_up", "over_down"):
            columns[name][full] *= 0.5
        if drift:
            columns["recent"][rows, quiet % drift] = now.values
        self._set(rows[quiet + 1 == self._begins])

    def _count(self, rows: IntArray, apart: FloatArray, side: str) -> None:
        columns = self.columns
        if side == SIDES[0]:
            columns["counted"][rows] += 1
        excess = apart - columns[f"start_{side}"][rows]
        over = np.flatnonzero(excess > 0)
        chosen = rows[over]
        columns[f"over_{side}"][chosen] += 1
        place = columns[f"peaks_{side}"][chosen] % self._peaks + SIDES.index(side) * self._peaks
        columns["cells"][chosen, place] = excess[over]
        columns[f"peaks_{side}"][chosen] += 1
        self._fit(chosen, side)

    def _set(self, rows: IntArray) -> None:
        """Set middle, thresholds and first excesses of rows that have seen enough."""
        if rows.size == 0:
            return
        columns, size = self.columns, self.settings.first_samples
        beyond = max(int(self.settings.tail_share * size), 2)
        ordered = np.sort(columns["cells"][rows], axis=1)
        middle = 0.5 * (ordered[:, (size - 1) // 2] + ordered[:, size // 2])
        columns["middle"][rows] = middle
        columns["cells"][rows] = 0.0
        columns["counted"][rows] = size
        for number, side in enumerate(SIDES):
            apart = (
                (ordered - middle[:, None])
                if side == "up"
                else (middle[:, None] - ordered)[:, ::-1]
            )
            start = apart[:, size - beyond - 1]
            columns[f"start_{side}"][rows] = start
            place = number * self._peaks
            columns["cells"][rows, place : place + beyond] = (
                apart[:, size - beyond :] - start[:, None]
            )
            columns[f"peaks_{side}"][rows] = beyond
            columns[f"over_{side}"][rows] = beyond
            self._fit(rows, side)

    def _fit(self, rows: IntArray, side: str) -> None:
        """Fit the law to the excesses of these rows by the method of moments."""
        columns, start = self.columns, SIDES.index(side) * self._peaks
        shape, scale = moments(
            columns["cells"][rows, start : start + self._peaks],
            np.minimum(columns[f"peaks_{side}"][rows], self._peaks),
        )
        columns[f"shape_{side}"][rows], columns[f"scale_{side}"][rows] = shape, scale


def moments(excesses: FloatArray, filled: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return shape and scale of the generalised Pareto law of the first `filled` cells of each row."""
    there = np.arange(excesses.shape[1]) < filled[:, None]
    mean = np.where(there, excesses, 0.0).sum(axis=1) / filled
    spread = np.where(there, excesses - mean[:, None], 0.0)
    variance = (spread * spread).sum(axis=1) / np.maximum(filled - 1, 1)
    # Lighter than exponential: the shape is 0 and the scale the mean.
    heavy = variance > mean * mean
    ratio = mean * mean / np.where(heavy, variance, 1.0)
    shape = np.where(heavy, np.minimum(0.5 * (1.0 - ratio), HEAVIEST_SHAPE), 0.0)
    # The mean of the law is scale / (1 - shape), with the shape that is used.
    return shape, mean * (1.0 - shape)
