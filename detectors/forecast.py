"""Forecast: the error of a linear forecast from the last samples, whose weights are learnt as it goes.

An autoregression with intercept on the last values, standardised by a long exponentially weighted mean and variance;
recursive least squares with forgetting and a ridge start. Loud values enter lags and fit cut at three scales, so an
anomaly does not become its own forecast. Cost: 8 bytes for (lags + 1)^2 + 2 lags and a few: 0.9 KB at 8 lags.

Refuses uneven steps, whose lags mean nothing, and seasons longer than its lags.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from detectors.bank import Bank, Judgement, Settings
from detectors.base import FloatArray, Round
from detectors.columns import Column
from detectors.ewma import CUT_SCALES

# Standardised lags are cut here: what lies beyond tells nothing of how values follow each other.
LARGEST_LAG = 8.0
# Where nothing new comes forgetting would let the uncertainty grow without end; it stops at this many times its start.
LARGEST_GROWTH = 100.0


class ForecastSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of `forecast`."""

    lags: Annotated[int, Meta(ge=1, le=32, description="last samples that it forecasts from")] = 8
    forgetting: Annotated[
        float, Meta(gt=0.9, le=1, description="weight of a sample relative to the next one")
    ] = 0.999
    ridge: Annotated[
        float, Meta(gt=0, description="samples that speak for a weight of 0 at the start")
    ] = 1.0
    half_life_samples: Annotated[
        float, Meta(gt=0, description="samples after which a value counts half in level and scales")
    ] = 1000.0


class Forecast(Bank):
    """Error of an autoregression learnt by recursive least squares.

    With lags y = (1, standardised last values) and u the standardised value: k = P y / (f + y'P y), w += k (u - w'y),
    P = (P - k y'P) / f, P = I / ridge at first (Haykin 2002, "Adaptive filter theory", chapter 9).
    expected = mean + s w'y, z = (x - expected) / sqrt(v), v the exponentially weighted mean of squared errors.
    """

    parameters: ClassVar[type[Settings]] = ForecastSettings
    settings: ForecastSettings

    def __init__(self, settings: ForecastSettings, seed: int = 0) -> None:  # noqa: ARG002  # nothing random
        super().__init__(settings)
        self._size = settings.lags + 1
        self._share = -np.expm1(-np.log(2.0) / settings.half_life_samples)
        self._least = max(settings.settled_samples, 2 * self._size)
        self._mute_samples = max(self._mute_samples, 2 * self._least)

    def _forms(self) -> Mapping[str, Column]:
        size = self.settings.lags + 1
        return {
            "lags": Column(width=self.settings.lags),
            "weights": Column(width=size),
            "inverse": Column(np.float64, np.eye(size).ravel() / self.settings.ridge, size * size),
            "mean": Column(),
            "variance": Column(),
            "error_square": Column(),
        }

    def _inputs(self, now: Round) -> FloatArray:
        """Return the intercept and the standardised lags, float64[n, lags + 1]."""
        mean, spread = self._level(now)
        inputs = np.ones((now.rows.size, self._size))
        lags = (self.columns["lags"][now.rows] - mean[:, None]) / spread[:, None]
        inputs[:, 1:] = np.minimum(np.maximum(lags, -LARGEST_LAG), LARGEST_LAG)
        return inputs

    def _level(self, now: Round) -> tuple[FloatArray, FloatArray]:
        mean = self.columns["mean"][now.at]
        return mean, self.floored(np.sqrt(self.columns["variance"][now.at]), mean)

    def _judge(self, now: Round) -> Judgement:
        mean, spread = self._level(now)
        inputs = self._inputs(now)
        forecast = (self.columns["weights"][now.rows] * inputs).sum(axis=1)
        expected = mean + spread * forecast
        young = self.columns["samples"][now.at] == 0
        expected = np.where(young, now.values, expected)
        scale = self.floored(np.sqrt(self.columns["error_square"][now.at]), expected)
        ready = self.columns["samples"][now.at] >= self._least
        return Judgement(expected, scale, (now.values - expected) / scale, ready, inputs)

    def _learn(self, now: Round, judgement: Judgement, weight: FloatArray | float) -> None:
        columns = self.columns
        samples = columns["samples"][now.at]
        error = now.values - judgement.expected
        reach = np.where(judgement.ready, CUT_SCALES * judgement.scale, np.inf)
        cut = np.minimum(np.maximum(error, -reach), reach)
        value = judgement.expected + cut
        self._fit(now, judgement, cut, weight)
        share = np.maximum(1.0 / (samples + 1), self._share) * weight
        mean, variance = columns["mean"][now.at], columns["variance"][now.at]
        gap = value - mean
        columns["variance"][now.at] = (1.0 - share) * (variance + share * gap * gap)
        columns["mean"][now.at] = mean + share * gap
        square = columns["error_square"][now.at]
        share = np.maximum(1.0 / np.maximum(samples, 1), self._share) * weight
        columns["error_square"][now.at] = np.where(
            samples > 0, square + share * (cut * cut - square), 0.0
        )
        lags = columns["lags"][now.rows]
        lags[:, 1:] = np.where(samples == 0, value, lags.T[:-1]).T
        lags[:, 0] = value
        columns["lags"][now.at] = lags

    def _fit(
        self, now: Round, judgement: Judgement, error: FloatArray, weight: FloatArray | float
    ) -> None:
        """Move the weights by the error, in the unit of the value, and the inverse by the inputs."""
        assert judgement.note is not None
        columns, inputs = self.columns, judgement.note
        size, forgetting = self._size, self.settings.forgetting
        _, spread = self._level(now)
        # As long as the level is young an error in spreads has no meaning yet.
        step = np.minimum(np.maximum(error / spread, -LARGEST_LAG), LARGEST_LAG)
        inverse = columns["inverse"][now.rows].reshape(-1, size, size)
        leaning = (inverse * inputs[:, None, :]).sum(axis=2)
        length = forgetting + np.maximum((leaning * inputs).sum(axis=1), 0.0)
        move = weight * step / length
        columns["weights"][now.at] = columns["weights"][now.rows] + move[:, None] * leaning
        inverse -= leaning[:, :, None] * leaning[:, None, :] / length[:, None, None]
        trace = inverse.reshape(-1, size * size)[:, :: size + 1].sum(axis=1)
        free = trace < LARGEST_GROWTH * size / self.settings.ridge
        inverse /= np.where(free, forgetting, 1.0)[:, None, None]
        columns["inverse"][now.at] = inverse.reshape(-1, size * size)
