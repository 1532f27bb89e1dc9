"""Gaussian: how many standard deviations from the mean of everything seen so far.

The mean and variance are Welford's (1962, doi 10.1080/00401706.1962.10490022), exact for the whole life of the
row, and the same bits however the samples are cut into calls. Cost: 24 bytes and a few tens of nanoseconds.

Refuses to forget: after a lasting change it takes as long as the life before it to adapt. Use `ewma` for that.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from msgspec import Meta

from detectors.bank import Bank, Judgement, Settings
from detectors.base import BoolArray, FloatArray, IntArray, Round
from detectors.calibrate import NormalTail
from detectors.columns import Column
from schemas.compiled import Lazily

LEARN_WITHIN = Lazily[Callable[..., BoolArray]]("detectors.welford", "learn_within")
MARGIN = 2.0
"""What is well below a score has a tail probability of at least so many times that of the score."""


class GaussianSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of `gaussian`."""

    tail: Annotated[
        Literal["past", "normal"],
        Meta(description="calibrate against its own past or a normal law"),
    ] = "normal"


class Gaussian(Bank):
    """Exact running mean and variance; the fast one, for noise that is near normal and does not drift.

    z = (x - mean) / s with the sample variance s^2 = M2 / (n - 1), both of the samples before x.
    """

    parameters: ClassVar[type[Settings]] = GaussianSettings
    guarded = False

    def __init__(self, settings: Settings, seed: int = 0) -> None:  # noqa: ARG002  # nothing random here
        super().__init__(settings)

    def _forms(self) -> Mapping[str, Column]:
        return {"mean": Column(), "squares": Column()}

    def _judge(self, now: Round) -> Judgement:
        samples, mean = self.columns["samples"][now.at], self.columns["mean"][now.at].copy()
        variance = self.columns["squares"][now.at] / np.maximum(samples - 1, 1)
        scale = self.floored(np.sqrt(variance), mean)
        gap = now.values - mean
        ready = samples >= self.settings.settled_samples
        return Judgement(mean, scale, gap / scale, ready, gap)

    def _learn(
        self,
        now: Round,
        judgement: Judgement,
        weight: FloatArray | float,  # noqa: ARG002  # exact: every sample counts once
    ) -> None:
        assert judgement.note is not None
        mean = judgement.expected + judgement.note / (self.columns["samples"][now.at] + 1)
        self.columns["mean"][now.at] = mean
        self.columns["squares"][now.at] += judgement.note * (now.values - mean)

    def is_swift(self, samples: int) -> bool:
        """Whether `learn_calm` can be called for so many samples: where it pays, and only the normal law is asked."""
        plain = isinstance(self._tail, NormalTail) and not self._refractory
        return plain and LEARN_WITHIN.get(samples) is not None

    def learn_calm(
        self, rows: IntArray, values: FloatArray, wary: BoolArray, score: float
    ) -> BoolArray:
        """Learn what is calm; see `SwiftDetector`."""
        assert isinstance(self._tail, NormalTail)
        settings, columns = self.settings, self.columns
        left: BoolArray = columns["frozen"].copy()
        left[rows[wary]] = True
        return LEARN_WITHIN.load()(
            rows,
            values,
            left,
            self._mute_samples,
            self._tail.raw_of(MARGIN * (1.0 - score)),
            (settings.relative_floor, settings.absolute_floor),
            columns["samples"],
            columns["mean"],
            columns["squares"],
        )
