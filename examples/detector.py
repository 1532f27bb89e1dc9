"""A detector of one's own: how far a value jumps from the one before it, in usual jumps."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from detectors.bank import Bank, Judgement, Settings
from detectors.base import FloatArray, Round
from detectors.columns import Column


class Jump(Bank):
    """Jump from the value before, in usual jumps."""

    parameters: ClassVar[type[Settings]] = Settings
    followed = ("last",)

    def __init__(self, settings: Settings, seed: int = 0) -> None:  # noqa: ARG002  nothing random
        super().__init__(settings)

    def _forms(self) -> Mapping[str, Column]:
        return {"last": Column(), "usual": Column()}

    def _judge(self, now: Round) -> Judgement:
        last = self.columns["last"][now.at].copy()
        scale = self.floored(self.columns["usual"][now.at], last)
        jump = now.values - last
        ready = self.columns["samples"][now.at] >= self.settings.settled_samples
        return Judgement(last, scale, jump / scale, ready, np.abs(jump))

    def _learn(self, now: Round, judgement: Judgement, weight: FloatArray | float) -> None:
        share = weight / np.minimum(self.columns["samples"][now.at] + 1, 128)
        usual = self.columns["usual"][now.at]
        self.columns["usual"][now.at] = usual + share * (judgement.note - usual)
        self.columns["last"][now.at] = now.values

    def _follow(self, now: Round, judgement: Judgement) -> None:  # noqa: ARG002  frozen: the past stays, not the last
        self.columns["last"][now.at] = now.values
