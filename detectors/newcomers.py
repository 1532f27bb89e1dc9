"""Newcomers: label values or templates that were never there before, more of them than usual.

The rows are what an expression yields for each label set, the group is what they belong to: log templates of a
service, versions, tenants of a shard, error codes. A member is judged when it is first seen, by how many are new with
it, against the rate at which members have come to its group before. Values do not matter, but for being there. Cost: 8
bytes and 40 for each group.

Refuses to say anything of members that are known, and of those that fall silent. One that is forgotten (the rule keeps
label sets for a time) is new again.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from msgspec import Meta
from scipy.special import betainc, ndtri  # type: ignore[import-untyped]  # scipy ships no types

from detectors.bank import Judgement
from detectors.base import BoolArray, FloatArray, IntArray, Round
from detectors.columns import Column
from detectors.group import GroupSettings, Keepers
from detectors.numbering import NOWHERE

# Jeffreys' prior of a rate: half an arrival in no time.
PRIOR_ARRIVALS = 0.5
LEAST_TAIL = 1e-300


class NewcomersSettings(GroupSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of `newcomers`."""

    tail: Annotated[
        Literal["past", "normal"],
        Meta(description="calibrate against its own past, or take the law's own probability"),
    ] = "normal"
    half_life_seconds: Annotated[
        float, Meta(gt=0, description="event time after which an arrival counts half in the rate")
    ] = 604_800.0


class Newcomers(Keepers):
    """Members that come to a group for the first time, against its usual rate of arrivals.

    With a arrivals in b seconds of the past (both forgotten exponentially), the count k in the d seconds since the last
    section is negative binomial, from a Poisson law whose rate is Gamma(a + 1/2, b): P(k or more) = I_{d/(b+d)}(k, a +
    1/2) (Gelman et al. 2013, section 2.6). raw = -Phi^-1(P) for those that are new, 0 for all others.
    """

    parameters: ClassVar[type[GroupSettings]] = NewcomersSettings
    sided = False
    guarded = False
    settings: NewcomersSettings

    def __init__(self, settings: NewcomersSettings, seed: int = 0) -> None:  # noqa: ARG002  # nothing random
        super().__init__(settings)
        self._forgetting = np.log(2.0) / settings.half_life_seconds

    def _group_forms(self) -> Mapping[str, Column]:
        return {
            "arrivals": Column(),
            "seconds": Column(),
            "last_ms": Column(np.int64),
            "sections": Column(np.int64),
        }

    def _age(self, now: Round) -> IntArray:
        slot = self.columns["slot"][now.at]
        age = np.zeros(slot.size, np.int64)
        told = slot != NOWHERE
        age[told] = self.groups["sections"][slot[told]]
        return age

    def _new(self, now: Round) -> BoolArray:
        new: BoolArray = self.columns["samples"][now.at] == 0
        return new

    def _passed(self, slot: IntArray, times: IntArray) -> FloatArray:
        """Return the seconds since the group was last heard; time that goes backwards counts as none."""
        passed: FloatArray = np.maximum(times - self.groups["last_ms"][slot], 0) / 1000.0
        return passed

    def _judge(self, now: Round) -> Judgement:
        slot, new = self.columns["slot"][now.at], self._new(now)
        count = self._sections(now).sums(new.astype(np.float64))
        nothing = np.full(now.rows.size, np.nan)
        deviation = np.zeros(now.rows.size)
        judged = np.flatnonzero(new & (slot != NOWHERE))
        of = slot[judged]
        passed = self._passed(of, now.times[judged])
        past = self.groups["seconds"][of]
        share = passed / np.maximum(past + passed, 1e-9)
        tail = betainc(count[judged], self.groups["arrivals"][of] + PRIOR_ARRIVALS, share)
        deviation[judged] = np.maximum(-ndtri(np.maximum(tail, LEAST_TAIL)), 0.0)
        ready = (self._age(now) > 0) & (slot != NOWHERE)
        return Judgement(nothing, nothing, deviation, ready)

    def _learn(
        self,
        now: Round,
        judgement: Judgement,  # noqa: ARG002  # arrivals count whatever was thought of them
        weight: FloatArray | float,  # noqa: ARG002  # likewise
    ) -> None:
        slot = self.columns["slot"][now.at]
        told, first = np.unique(slot, return_index=True)
        first, told = first[told != NOWHERE], told[told != NOWHERE]
        new = np.bincount(
            slot[slot != NOWHERE], self._new(now)[slot != NOWHERE], self.groups.capacity
        )
        known = self.groups["sections"][told] > 0
        passed = np.where(known, self._passed(told, now.times[first]), 0.0)
        kept = np.exp(-self._forgetting * passed)
        # Those of the first section were there before anybody looked.
        arrived = np.where(known, new[told], 0.0)
        self.groups["arrivals"][told] = kept * self.groups["arrivals"][told] + arrived
        self.groups["seconds"][told] = kept * self.groups["seconds"][told] + passed
        last = self.groups["last_ms"][told]
        self.groups["last_ms"][told] = np.where(
            known, np.maximum(last, now.times[first]), now.times[first]
        )
        self.groups["sections"][told] += 1
