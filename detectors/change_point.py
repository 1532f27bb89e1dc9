"""Change point: how sure it is that the series has lately begun to obey another mean or variance.

Bayesian online change-point detection. For each possible length of the present run the row keeps its probability and
the sufficient statistics of a normal law with unknown mean and variance; lengths beyond the last are pooled by their
moments. A single sample may speak against a run by five nats at most, so one spike is no change. It is about the
moment of a change: some samples later the new law is the law, frozen or not. Cost: 24 bytes a length, twice.

Refuses seasons and slow drifts, which are changes all the time, and a band: what it says hangs on several samples.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta
from scipy.special import gammaln  # type: ignore[import-untyped]  # scipy ships no types

from detectors.bank import Bank, Judgement, Settings
from detectors.base import FloatArray, Round
from detectors.columns import Column

# Weight of the whole life's mean in a new run, in samples: next to nothing, so that a run finds its own.
PRIOR_SAMPLES = 0.1
# Shape of the prior of the variance: as much as two samples (Adams and MacKay 2007 leave it open).
PRIOR_SHAPE = 1.0
MOST_NATS = 5.0
# A pooled run weighs at most as much as this many samples, so that its law can follow.
LONGEST_SAMPLES = 4096.0
LEAST_ODDS = 1e-300
# Squared gaps count up to here, so that they can be divided by the least square.
MOST = 1e250


class ChangePointSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of `change_point`."""

    lengths: Annotated[int, Meta(ge=16, le=1000, description="run lengths that are told apart")] = (
        60
    )
    usual_run_samples: Annotated[
        float, Meta(gt=1, description="samples between two changes; the hazard is 1 over it")
    ] = 1000.0
    recent_samples: Annotated[
        int, Meta(ge=2, le=100, description="how long ago a change still counts")
    ] = 10


class ChangePoint(Bank):
    """Probability that the present run is older than `recent_samples`, as deviations.

    p(r+1) ~ p(r) t(x; r) (1 - h), p(0) ~ sum p(r) t(x; r) h with the Student law t of the run (Adams and MacKay 2007,
    "Bayesian online changepoint detection", arXiv:0710.3742); raw = sqrt(-2 ln P(r > recent)), which is the size of the
    normal deviation of that likelihood ratio. Its side is that of x against the mean expected of it.
    """

    parameters: ClassVar[type[Settings]] = ChangePointSettings
    settings: ChangePointSettings
    followed = ("odds", "run_means", "run_squares", "pooled_samples")

    def __init__(self, settings: ChangePointSettings, seed: int = 0) -> None:  # noqa: ARG002  # nothing random
        super().__init__(settings)
        self._lengths = np.arange(settings.lengths, dtype=np.float64)
        self._normal = self._normaliser(self._lengths)

    def _forms(self) -> Mapping[str, Column]:
        lengths = self.settings.lengths
        return {
            "odds": Column(np.float64, np.eye(1, lengths)[0], lengths),
            "run_means": Column(width=lengths),
            "run_squares": Column(width=lengths),
            "pooled_samples": Column(np.float64, lengths - 1.0),
            "mean": Column(),
            "step_square": Column(),
            "last_value": Column(),
        }

    @staticmethod
    def _normaliser(samples: FloatArray) -> FloatArray:
        """Return the part of the Student law's log density that hangs on the length alone."""
        shape = PRIOR_SHAPE + 0.5 * samples
        known = PRIOR_SAMPLES + samples
        normal: FloatArray = (
            gammaln(shape + 0.5)
            - gammaln(shape)
            - 0.5 * np.log(2.0 * np.pi * (known + 1.0) / known)
        )
        return normal

    def _judge(self, now: Round) -> Judgement:
        columns = self.columns
        first = columns["samples"][now.at] == 0
        mean = np.where(first, now.values, columns["mean"][now.at])
        scale = self.floored(np.sqrt(columns["step_square"][now.at]), mean)
        odds = columns["odds"][now.rows]
        means, squares = columns["run_means"][now.rows], columns["run_squares"][now.rows]
        # A run without samples has the law of the whole life.
        means[:, 0], squares[:, 0] = mean, PRIOR_SHAPE * scale * scale
        squares = np.maximum(squares, PRIOR_SHAPE * (scale * scale)[:, None] * 1e-6)
        expected = (odds * means).sum(axis=1)
        state = self._step(now, odds, means, squares)
        recent = self.settings.recent_samples
        old = np.maximum(state[:, recent + 1 : self.settings.lengths].sum(axis=1), LEAST_ODDS)
        strength = np.sqrt(np.maximum(-2.0 * np.log(old), 0.0))
        ready = columns["samples"][now.at] >= max(self.settings.settled_samples, 2 * recent)
        deviation = np.copysign(strength, now.values - expected)
        return Judgement(expected, np.full(mean.size, np.nan), deviation, ready, state)

    def _step(
        self, now: Round, odds: FloatArray, means: FloatArray, squares: FloatArray
    ) -> FloatArray:
        """Return the state after this sample: odds, means and squares of all lengths, and the pooled samples."""
        samples = np.tile(self._lengths, (odds.shape[0], 1))
        samples[:, -1] = self.columns["pooled_samples"][now.at]
        normal = np.tile(self._normal, (odds.shape[0], 1))
        normal[:, -1] = self._normaliser(samples[:, -1])
        known = PRIOR_SAMPLES + samples
        gap = now.values[:, None] - means
        more = gap * gap * (known / (2.0 * (known + 1.0)))
        shape = PRIOR_SHAPE + 0.5 * samples
        nats = (
            normal
            - 0.5 * np.log(squares)
            - (shape + 0.5) * np.log1p(np.minimum(more, MOST) / squares)
        )
        least = nats[:, :1] - MOST_NATS
        fits = nats >= least
        nats = np.maximum(nats, least)
        likely = odds * np.exp(nats - nats.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        means = np.where(fits, means + gap / (known + 1.0), means)
        squares = np.where(fits, squares + more, squares)
        hazard = 1.0 / self.settings.usual_run_samples
        size = self.settings.lengths
        state = np.zeros((odds.shape[0], 3 * size + 1))
        state[:, 0] = hazard
        for place, column in enumerate(((1.0 - hazard) * likely, means, squares)):
            state[:, place * size + 1 : (place + 1) * size] = column[:, :-1]
        # The longest run takes in the one that has come to its length.
        grown, pooled = likely[:, -2], likely[:, -1]
        total = grown + pooled
        share = np.where(total > LEAST_ODDS, pooled / np.maximum(total, LEAST_ODDS), 0.0)
        state[:, size - 1] += (1.0 - hazard) * pooled
        for place, column in ((2, means), (3, squares)):
            cell = place * size - 1
            state[:, cell] += share * (column[:, -1] - state[:, cell])
        long = share * (samples[:, -1] + 1.0) + (1.0 - share) * (size - 1.0)
        state[:, -1] = np.minimum(long, LONGEST_SAMPLES)
        return state

    def _band(
        self, now: Round, judgement: Judgement, reach: FloatArray | float
    ) -> tuple[FloatArray, FloatArray]:
        del now, reach
        return judgement.scale.copy(), judgement.scale.copy()

    def _follow(self, now: Round, judgement: Judgement) -> None:
        assert judgement.note is not None
        size = self.settings.lengths
        for place, name in enumerate(self.followed[:3]):
            self.columns[name][now.at] = judgement.note[:, place * size : (place + 1) * size]
        self.columns["pooled_samples"][now.at] = judgement.note[:, -1]

    def _learn(self, now: Round, judgement: Judgement, weight: FloatArray | float) -> None:
        self._follow(now, judgement)
        columns = self.columns
        samples = columns["samples"][now.at]
        mean = columns["mean"][now.at]
        share = weight / np.minimum(samples + 1, LONGEST_SAMPLES)
        columns["mean"][now.at] = mean + share * (now.values - mean)
        # Half the mean square step is the variance of noise around any slow curve (von Neumann 1941).
        half = 0.5 * (now.values - columns["last_value"][now.at]) ** 2
        step = columns["step_square"][now.at]
        share = weight / np.clip(samples, 1, LONGEST_SAMPLES)
        columns["step_square"][now.at] = np.where(samples > 0, step + share * (half - step), 0.0)
        columns["last_value"][now.at] = now.values
