"""Page-Hinkley: drifts away from the mean of the whole life, by adding up deviations with a little forgetting.

The recursion is that of `cusum`; the mean is the exact one of everything seen (Welford) and the allowance is small, so
slower drifts are found, later. Cost: 48 bytes and the calibration.

Refuses seasons, and to forget: after a lasting change it speaks until the old life is outweighed or learnt anew.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from detectors.bank import Judgement, Settings
from detectors.base import FloatArray, Round
from detectors.columns import Column
from detectors.cusum import Sums


class PageHinkleySettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of `page_hinkley`."""

    allowance_scales: Annotated[
        float, Meta(gt=0, le=10, description="deviation that is tolerated, in standard deviations")
    ] = 0.1
    forgetting: Annotated[
        float, Meta(gt=0, le=1, description="share of a sum that is left after a sample")
    ] = 0.9999


class PageHinkley(Sums):
    """Sums of deviations from the mean of the whole life: finds slow drifts.

    With the mean and standard deviation of all earlier samples, z = (x - mean) / s and
    up = max(0, f up + z - d): the Page-Hinkley statistic m_t - min m (Mouss et al. 2004, "Test of Page-Hinckley, an
    approach for fault detection in an agro-alimentary production system", doi 10.1109/ASCC.2004.184970) in standard
    deviations; f = 0.9999 as in river.
    """

    parameters: ClassVar[type[Settings]] = PageHinkleySettings
    settings: PageHinkleySettings

    def __init__(self, settings: PageHinkleySettings, seed: int = 0) -> None:  # noqa: ARG002  # nothing random
        super().__init__(settings)
        self.allowance, self.keep = settings.allowance_scales, settings.forgetting

    def _forms(self) -> Mapping[str, Column]:
        return {**super()._forms(), "mean": Column(), "squares": Column(), "weights": Column()}

    def _reference(self, now: Round) -> tuple[FloatArray, FloatArray]:
        mean = self.columns["mean"][now.at].copy()
        freedom = np.maximum(self.columns["weights"][now.at] - 1.0, 1.0)
        return mean, self.floored(np.sqrt(self.columns["squares"][now.at] / freedom), mean)

    def _learn(self, now: Round, judgement: Judgement, weight: FloatArray | float) -> None:
        super()._learn(now, judgement, weight)
        weights = self.columns["weights"][now.at] + weight
        gap = now.values - judgement.expected
        mean = judgement.expected + weight * gap / weights
        self.columns["weights"][now.at] = weights
        self.columns["mean"][now.at] = mean
        self.columns["squares"][now.at] += weight * gap * (now.values - mean)
