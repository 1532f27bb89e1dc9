"""CUSUM: small shifts of the mean that last, by adding up what each sample lies beyond an allowance.

Two sums, one for each side, of standardised deviations; each begins again where it would fall under 0. Mean and scale
are those of `ewma`, with a long half-life. A frozen row's sums go on but do not rise over where they stood, so an
alert ends soon after its shift does. Cost: 40 bytes and the calibration.

Refuses seasons and slow trends: they add up like a shift. Spikes of one sample are found sooner by `robust`.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta
from scipy.special import log_ndtr, ndtri_exp  # type: ignore[import-untyped]  # scipy ships no types

from detectors.bank import KEPT, LARGEST_RAW, Bank, Judgement, Settings
from detectors.base import FloatArray, Round
from detectors.columns import Column
from detectors.ewma import CUT_SCALES

# A sum stops at this over the allowance k: of normal noise a share of about e^(-2 k h) exceeds h (Siegmund 1985,
# "Sequential analysis", chapter 2), so e^-40; and it is drained again within a few of `for`'s minutes.
LARGEST_SUM = 20.0
# Twice the mean overshoot of a normal random walk over a bound (Siegmund 1985): sums move in steps.
OVERSHOOT = 1.166


class CusumSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of `cusum`."""

    allowance_scales: Annotated[
        float, Meta(gt=0, le=10, description="half the shift to be found, in standard deviations")
    ] = 0.5
    half_life_samples: Annotated[
        float, Meta(gt=0, description="samples after which a value counts half in the mean")
    ] = 1000.0


class Sums(Bank):
    """Two one-sided sums over standardised deviations; subclasses say of which mean and scale.

    With z = (x - mean) / s: up = max(0, keep up + z - k), down = max(0, keep down - z - k). Of normal noise the share
    p = e^(-2 k (S + 1.166)) of the larger one exceeds S; the deviation is the normal quantile of p with the side's
    sign, so that sums of any allowance are as large as deviations. What is stored of z is cut at three scales.
    """

    followed = ("up", "down")
    allowance: float
    keep: float = 1.0

    def _forms(self) -> Mapping[str, Column]:
        return {"up": Column(), "down": Column()}

    def _reference(self, now: Round) -> tuple[FloatArray, FloatArray]:
        """Return copies of the mean and of the scale before this sample."""
        raise NotImplementedError

    def _judge(self, now: Round) -> Judgement:
        mean, scale = self._reference(now)
        z = (now.values - mean) / scale
        up = self.keep * self.columns["up"][now.at] + z - self.allowance
        down = self.keep * self.columns["down"][now.at] - z - self.allowance
        ready = self.columns["samples"][now.at] >= self.settings.settled_samples
        larger = np.minimum(np.maximum(up, down), LARGEST_RAW / self.allowance)
        odd = -ndtri_exp(-2.0 * self.allowance * (np.maximum(larger, 0.0) + OVERSHOOT))
        odd = np.where(larger > 0, odd, 0.0)
        return Judgement(mean, scale, np.where(up >= down, odd, -odd), ready, z)

    def _band(
        self, now: Round, judgement: Judgement, reach: FloatArray | float
    ) -> tuple[FloatArray, FloatArray]:
        total = -log_ndtr(-np.asarray(reach)) / (2.0 * self.allowance) - OVERSHOOT
        up = total + self.allowance - self.keep * self.columns["up"][now.at]
        down = total + self.allowance - self.keep * self.columns["down"][now.at]
        return (
            judgement.expected - down * judgement.scale,
            judgement.expected + up * judgement.scale,
        )

    def _added(self, now: Round, judgement: Judgement) -> tuple[FloatArray, FloatArray]:
        assert judgement.note is not None
        z = np.minimum(np.maximum(judgement.note, -CUT_SCALES), CUT_SCALES)
        most = LARGEST_SUM / self.allowance
        up, down = (
            np.minimum(np.maximum(self.keep * self.columns[name][now.at] + side, 0.0), most)
            for name, side in (("up", z - self.allowance), ("down", -z - self.allowance))
        )
        return up, down

    def _learn(self, now: Round, judgement: Judgement, weight: FloatArray | float) -> None:  # noqa: ARG002  # sums count all
        for name, total in zip(("up", "down"), self._added(now, judgement), strict=True):
            self.columns[name][now.at] = np.where(judgement.ready, total, 0.0)

    def _follow(self, now: Round, judgement: Judgement) -> None:
        for name, total in zip(("up", "down"), self._added(now, judgement), strict=True):
            self.columns[name][now.at] = np.minimum(total, self.columns[KEPT + name][now.at])


class Cusum(Sums):
    """Two-sided sums of small deviations: finds shifts of half a deviation that last.

    Page 1954, "Continuous inspection schemes", doi 10.1093/biomet/41.1-2.100; mean and variance as in `ewma`.
    """

    parameters: ClassVar[type[Settings]] = CusumSettings
    settings: CusumSettings

    def __init__(self, settings: CusumSettings, seed: int = 0) -> None:  # noqa: ARG002  # nothing random
        super().__init__(settings)
        self.allowance = settings.allowance_scales
        self._share = -np.expm1(-np.log(2.0) / settings.half_life_samples)

    def _forms(self) -> Mapping[str, Column]:
        return {**super()._forms(), "mean": Column(), "variance": Column()}

    def _reference(self, now: Round) -> tuple[FloatArray, FloatArray]:
        mean = self.columns["mean"][now.at].copy()
        return mean, self.floored(np.sqrt(self.columns["variance"][now.at]), mean)

    def _learn(self, now: Round, judgement: Judgement, weight: FloatArray | float) -> None:
        super()._learn(now, judgement, weight)
        share = np.maximum(1.0 / (self.columns["samples"][now.at] + 1), self._share) * weight
        reach = np.where(judgement.ready, CUT_SCALES * judgement.scale, np.inf)
        gap = np.minimum(np.maximum(now.values - judgement.expected, -reach), reach)
        self.columns["mean"][now.at] = judgement.expected + share * gap
        variance = self.columns["variance"][now.at]
        self.columns["variance"][now.at] = (1.0 - share) * (variance + share * gap * gap)
