"""PCA: what a member says beside what the common movements of its group make it say.

The main directions in which the members of a group move together are learnt one sample at a time. A member keeps its
own coordinate of each, so a group has no state beside its members', and one that joins or leaves disturbs nobody. Each
member is judged by what the others tell: its own value does not help to explain itself. Cost: 32 bytes, 8 for each
component, and the calibration.

Refuses groups of fewer than three, and what moves together in ways that are no sums (take `half_space_trees`).
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from detectors.bank import Judgement
from detectors.base import BoolArray, FloatArray, Round
from detectors.columns import Column
from detectors.ewma import CUT_SCALES
from detectors.group import GroupSettings, Members, Sections, cut

# Directions are learnt from standings within so many deviations, and speak for members in groups of three and more.
LARGEST_STANDING = 8.0
FEWEST = 3
# A direction weaker than this, in variances of a member, is none.
LEAST_STRENGTH = 1e-6
# Of members that are sums of each other without any noise, a little is assumed.
LEAST_NOISE = 1e-9


class PcaSettings(GroupSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of `pca`."""

    components: Annotated[
        int, Meta(ge=1, le=16, description="directions of common movement that are followed")
    ] = 3


class Pca(Members):
    """Residual of a member beside the principal components of its group.

    With u = (x - mean) / s of each member, the components v by CCIPCA: v <- (1 - a) v + a (u.v / |v|) u, then u less
    its part along v for the next one (Weng, Zhang and Hwang 2003, doi 10.1109/TPAMI.2003.1217609). expected = mean + s
    sum_j y_j v_j / |v_j|, where y_j is the score of the others alone, shrunk by noise over strength, and members
    beyond three residual deviations count less (Huber 1964, doi 10.1214/aoms/1177703732); z = (x - expected) / r.
    """

    parameters: ClassVar[type[GroupSettings]] = PcaSettings
    settings: PcaSettings

    def __init__(self, settings: PcaSettings, seed: int = 0) -> None:  # noqa: ARG002  # nothing random
        super().__init__(settings)

    def _forms(self) -> Mapping[str, Column]:
        return {
            **super()._forms(),
            "loading": Column(np.float64, 0, self.settings.components),
            "residual_square": Column(np.float64, 1.0),
            "trust": Column(np.float64, 1.0),
        }

    def _judge(self, now: Round) -> Judgement:
        mean, scale = self._standing(now)
        settled = self._settled(now)
        gap = now.values - mean
        u = np.where(settled, np.clip(gap / scale, -1e6, 1e6), 0.0)
        sections = self._sections(now)
        width = np.sqrt(self.columns["residual_square"][now.at])
        trust = self.columns["trust"][now.at] * settled
        trust *= CUT_SCALES / np.maximum(np.abs(u), CUT_SCALES)
        common = self._projected(now, sections, u, trust)
        expected = mean + scale * common
        spread = self.floored(scale * width, expected)
        enough = sections.sizes[sections.of] >= FEWEST
        return Judgement(expected, spread, (now.values - expected) / spread, settled & enough)

    def _projected(
        self, now: Round, sections: Sections, u: FloatArray, trust: FloatArray
    ) -> FloatArray:
        """Return what the others' standings make of each member's, in its deviations.

        The scores y of all are M^-1 b with M = sum w v v' + diag(noise / strength), b = sum w v u. Without member i the
        prediction is (v' M^-1 b - h u) / (1 - h), h = w v' M^-1 v, by the identity of Sherman and Morrison (1950).
        """
        count, of = sections.count, sections.of
        loading = self.columns["loading"][now.at]
        noise = np.bincount(of, self.columns["residual_square"][now.at], count) / sections.sizes
        strength = np.maximum(
            np.sqrt(np.array([np.bincount(of, each * each, count) for each in loading.T])),
            LEAST_STRENGTH,
        )
        unit = loading.T / strength[:, of]
        matrix = np.array(
            [[np.bincount(of, trust * one * other, count) for other in unit] for one in unit]
        )
        each = np.arange(len(unit))
        matrix[each, each] += np.maximum(noise, LEAST_NOISE) / strength
        known = np.array([np.bincount(of, trust * u * one, count) for one in unit])
        inverse = np.linalg.inv(np.moveaxis(matrix, 2, 0))
        turned = np.einsum("jn,njk->kn", unit, inverse[of])
        own = trust * (turned * unit).sum(axis=0)
        whole = (turned * known[:, of]).sum(axis=0)
        common: FloatArray = (whole - own * u) / np.maximum(1.0 - own, LEAST_NOISE)
        return common

    def _learn(self, now: Round, judgement: Judgement, weight: FloatArray | float) -> None:
        columns = self.columns
        ready = judgement.ready
        credible = cut(now.values, judgement.expected, judgement.scale, ready)
        mean, scale = self._standing(now)
        settled = self._settled(now)
        u = np.where(
            settled, np.clip((credible - mean) / scale, -LARGEST_STANDING, LARGEST_STANDING), 0.0
        )
        share = self._shares(now) * weight
        residual = np.where(ready, (credible - judgement.expected) / scale, 0.0)
        square = columns["residual_square"][now.at]
        columns["residual_square"][now.at] = square + share * ready * (residual * residual - square)
        apart = np.where(ready, np.abs(judgement.deviation), 0.0)
        columns["trust"][now.at] = CUT_SCALES / np.maximum(apart, CUT_SCALES)
        self._turn(now, u, share, settled)
        self._take_in(now, credible, weight)

    def _turn(
        self, now: Round, u: FloatArray, share: FloatArray | float, settled: BoolArray
    ) -> None:
        """Move the components towards this section."""
        sections = self._sections(now)
        loading = self.columns["loading"][now.at].copy()
        rest = u
        for number, each in enumerate(loading.T):
            strength = np.sqrt(sections.sums(each * each))
            known = strength > LEAST_STRENGTH
            along = sections.sums(rest * each) / np.maximum(strength, LEAST_STRENGTH)
            # The first section that is left to a component begins it.
            moved = np.where(known, each + share * (along * rest - each), rest)
            moved = np.where(settled, moved, each)
            loading[:, number] = moved
            length = np.sqrt(sections.sums(moved * moved))
            unit = moved / np.maximum(length, LEAST_STRENGTH)
            rest = rest - sections.sums(rest * unit) * unit
        self.columns["loading"][now.at] = loading
