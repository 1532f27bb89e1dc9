"""EWMA: how far from the exponentially weighted mean, in exponentially weighted standard deviations.

Half-life in samples, or in seconds of event time for series with uneven steps. While the row is young the plain
mean is used, which is the same thing with the largest weight that is honest. Deviations are learnt cut at three
scales, so that one wild value does not widen the band for everything after it. Cost: 24 bytes and the calibration.

Refuses seasons: a daily rhythm is either followed (short half-life) or widens the band (long one).
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from detectors.bank import Bank, Judgement, Settings
from detectors.base import FloatArray, Round
from detectors.columns import Column

# Of normal samples 0.3 % lie beyond, and cutting them lowers the variance by 1 %.
CUT_SCALES = 3.0


class EwmaSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of `ewma`."""

    half_life_samples: Annotated[
        float, Meta(gt=0, description="samples after which a value counts half")
    ] = 120.0
    half_life_seconds: Annotated[
        float, Meta(ge=0, description="the same in event time; used instead when not 0")
    ] = 0.0


class Ewma(Bank):
    """Exponentially weighted mean and variance.

    With d = x - m and a = 1 - 2^(-step / half-life): m += a d, v = (1 - a)(v + a d^2) (Finch 2009, "Incremental
    calculation of weighted mean and variance"); a >= 1/(n+1). z = (x - m) / sqrt(v), both from before x.
    """

    parameters: ClassVar[type[Settings]] = EwmaSettings
    settings: EwmaSettings

    def __init__(self, settings: EwmaSettings, seed: int = 0) -> None:  # noqa: ARG002  # nothing random
        super().__init__(settings)
        self._share = -np.expm1(-np.log(2.0) / settings.half_life_samples)

    def _forms(self) -> Mapping[str, Column]:
        return {"mean": Column(), "variance": Column(), "time_ms": Column(np.int64)}

    def _judge(self, now: Round) -> Judgement:
        mean = self.columns["mean"][now.at].copy()
        scale = self.floored(np.sqrt(self.columns["variance"][now.at]), mean)
        gap = now.values - mean
        ready = self.columns["samples"][now.at] >= self.settings.settled_samples
        return Judgement(mean, scale, gap / scale, ready, gap)

    def _learn(self, now: Round, judgement: Judgement, weight: FloatArray | float) -> None:
        assert judgement.note is not None
        share = self._shares(now) * weight
        reach = np.where(judgement.ready, CUT_SCALES * judgement.scale, np.inf)
        gap = np.minimum(np.maximum(judgement.note, -reach), reach)
        step = share * gap
        self.columns["mean"][now.at] = judgement.expected + step
        variance = self.columns["variance"][now.at]
        self.columns["variance"][now.at] = (1.0 - share) * (variance + gap * step)

    def _shares(self, now: Round) -> FloatArray:
        share: FloatArray = 1.0 / (self.columns["samples"][now.at] + 1)
        if not self.settings.half_life_seconds:
            np.maximum(share, self._share, out=share)
            return share
        # A time that goes backwards counts as no time gone by.
        last_ms = self.columns["time_ms"][now.at]
        gone_ms = np.maximum(now.times - last_ms, 0)
        half_lives = gone_ms / (1000.0 * self.settings.half_life_seconds)
        np.maximum(share, -np.expm1(-np.log(2.0) * half_lives), out=share)
        self.columns["time_ms"][now.at] = np.maximum(last_ms, now.times)
        return share
