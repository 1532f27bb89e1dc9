"""Peers: one member unlike its group, whatever the group as a whole does.

Each member is brought to its own usual level and spread, so that a busy and an idle one compare. What it should say is
what the median of the others says now, in the share in which it usually goes along with them; a rise of all is
therefore no news, and one that stays behind is. Cost: 56 bytes and the calibration; the sorting of each section.

Refuses groups of fewer than three, and faults of half the members at once: then the median is the fault.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from detectors.bank import Judgement
from detectors.base import FloatArray, Round
from detectors.columns import Column
from detectors.group import GroupSettings, Members, cut

# The share in which a member goes along is taken for 1 until so many samples' worth of movement have told.
USUAL_MOVES = 30.0


class PeersSettings(GroupSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of `peers`."""

    fewest: Annotated[
        int, Meta(ge=2, description="others that must speak for a member to be judged")
    ] = 2
    own_level: Annotated[
        bool,
        Meta(description="compare movements from the usual level; false: the values themselves"),
    ] = True


class Peers(Members):
    """Deviation of a member from the median of the others of its group at the same time.

    With u = (x - mean) / s of each member and c the median of the others' u: expected = mean + b c s, z = (x -
    expected) / r, r the exponentially weighted root mean square of earlier x - expected; b = (sum u c + 30) / (sum c^2
    + 30) over the past is the regression on c, drawn to 1. With `own_level` false u = x and b = 1. The median of the
    others as a yardstick for one of many: Hampel 1974, doi 10.1080/01621459.1974.10482962.
    """

    parameters: ClassVar[type[GroupSettings]] = PeersSettings
    settings: PeersSettings

    def __init__(self, settings: PeersSettings, seed: int = 0) -> None:  # noqa: ARG002  # nothing random
        super().__init__(settings)

    def _forms(self) -> Mapping[str, Column]:
        return {
            **super()._forms(),
            "apart_square": Column(),
            "compared": Column(np.int64),
            "along": Column(np.float64, USUAL_MOVES),
            "moved": Column(np.float64, USUAL_MOVES),
        }

    def _common(self, now: Round) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return level, spread and usual share of each member, and what the others do; NaN where they are too few."""
        settled = self._settled(now)
        if self.settings.own_level:
            mean, scale = self._standing(now)
            u = np.where(settled, (now.values - mean) / scale, 0.0)
            share = self.columns["along"][now.at] / self.columns["moved"][now.at]
        else:
            mean, scale = np.zeros(now.values.size), np.ones(now.values.size)
            u, share = now.values, np.ones(now.values.size)
            settled = np.ones(now.values.size, np.bool_)
        # Squares of what is common are summed up.
        common, others = self._sections(now).others_median(np.clip(u, -1e75, 1e75), settled)
        return mean, scale, share, np.where(others >= self.settings.fewest, common, np.nan)

    def _judge(self, now: Round) -> Judgement:
        mean, scale, share, common = self._common(now)
        expected = mean + share * common * scale
        known = np.isfinite(expected)
        gap = np.where(known, now.values - expected, 0.0)
        apart = np.sqrt(self.columns["apart_square"][now.at])
        width = np.where(known, self.floored(apart, np.where(known, expected, 0.0)), np.nan)
        enough = self.columns["compared"][now.at] >= self.settings.settled_samples // 2
        deviation = gap / np.where(known, width, 1.0)
        return Judgement(expected, width, deviation, known & enough & self._settled(now), common)

    def _learn(self, now: Round, judgement: Judgement, weight: FloatArray | float) -> None:
        assert judgement.note is not None
        columns, ready = self.columns, judgement.ready
        credible = cut(now.values, judgement.expected, judgement.scale, ready)
        known = np.isfinite(judgement.expected) & self._settled(now)
        mean, scale = self._standing(now)
        gap = np.where(known, credible - np.where(known, judgement.expected, 0.0), 0.0)
        compared = columns["compared"][now.at] + known
        pace = np.maximum(1.0 / np.maximum(compared, 1), self._share) * weight * known
        square = columns["apart_square"][now.at]
        columns["apart_square"][now.at] = square + pace * (gap * gap - square)
        columns["compared"][now.at] = compared
        # Old movements are forgotten at the same pace as levels are; what is drawn to 1 is forgotten with them.
        common = np.where(known, judgement.note, 0.0)
        usual = (credible - mean) / scale
        for name, product in (("along", usual * common), ("moved", common * common)):
            column = columns[name][now.at]
            kept = column + self._share * known * (USUAL_MOVES - column)
            columns[name][now.at] = kept + weight * np.where(known, product, 0.0)
        self._take_in(now, credible, weight)
