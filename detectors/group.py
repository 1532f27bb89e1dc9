"""The shared half of detectors over groups of series: who belongs to whom, sections, and what is standing of a member.

A section is what the members of one group say at one time. Its samples come in one call, those of one time together; a
member that says nothing is left out of it. `Members` keeps for each member its usual level and spread, so that members
of any unit compare: u = (x - mean) / s, both exponentially weighted and learnt from values cut at what was credible.

Refuses to look at a member of another group, and to make up what a missing member would have said.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from detectors.bank import Bank, Settings
from detectors.base import BoolArray, FloatArray, IntArray, Round, Selector, rounds
from detectors.columns import Column, Columns
from detectors.ewma import CUT_SCALES
from detectors.numbering import NOWHERE, Numbering
from schemas.errors import CheckpointError

# What a row is a member of as long as nobody has said: of a group of its own.
ALONE = -1
# Before the name of a column that has a row for each group.
GROUP, KEYS = "group_", "group_keys"
# What a member's place among the groups is called; no other bank has the same places.
PLACES = {"group", "slot", "place"}


class GroupSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of all detectors over groups."""

    half_life_samples: Annotated[
        float, Meta(gt=0, description="samples after which a value counts half in level and spread")
    ] = 1000.0


class Sections:
    """The groups of the samples of a round, numbered from 0; sums and medians over each."""

    def __init__(self, groups: IntArray, rows: IntArray) -> None:
        """`groups` and `rows` int64[n]; rows that are alone are told apart."""
        apart = np.where(groups == ALONE, ALONE - 1 - rows, groups)
        _, self.of = np.unique(apart, return_inverse=True)
        self.count = int(self.of.max()) + 1 if self.of.size else 0
        self.sizes = np.bincount(self.of, minlength=self.count)

    def sums(self, values: FloatArray) -> FloatArray:
        """Return for each sample the sum over its section."""
        return np.bincount(self.of, values, self.count).astype(np.float64)[self.of]

    def others_median(self, values: FloatArray, counts: BoolArray) -> tuple[FloatArray, IntArray]:
        """Return for each sample the median of the others of its section that count, NaN for none; and how many.

        `values` float64[n] finite; `counts` bool[n].
        """
        told = np.flatnonzero(counts)
        order = told[np.lexsort((values[told], self.of[told]))]
        sizes = np.bincount(self.of[told], minlength=self.count)
        starts = np.concatenate(([0], np.cumsum(sizes)))[self.of]
        # The place of each sample among those that count; those that do not stand behind all of them.
        rank = np.full(values.size, values.size)
        rank[order] = np.arange(order.size) - starts[order]
        others = sizes[self.of] - counts
        ordered = np.append(values[order], np.nan)
        middle = np.zeros(values.size)
        for half in ((others - 1) // 2, others // 2):
            place = starts + half + (half >= rank)
            middle += 0.5 * ordered[np.where(others > 0, place, order.size)]
        return middle, others


class Members(Bank):
    """A bank whose rows are members of groups."""

    settings: GroupSettings

    def __init__(self, settings: GroupSettings) -> None:
        super().__init__(settings)
        self._share = -np.expm1(-np.log(2.0) / settings.half_life_samples)

    def _forms(self) -> Mapping[str, Column]:
        return {"group": Column(np.int64, ALONE), "mean": Column(), "variance": Column()}

    def assign(self, rows: IntArray, groups: IntArray) -> None:
        """Make these rows members of these groups (see `GroupDetector`)."""
        self.columns["group"][rows] = groups

    def _rounds(self, rows: IntArray, times: IntArray) -> Iterator[Selector]:
        """Cut a call where the time changes, and within one time where a row comes again."""
        edges = np.flatnonzero(times[1:] != times[:-1]) + 1
        if edges.size == 0:
            yield from rounds(rows)
            return
        bounds = [0, *edges.tolist(), rows.size]
        for start, end in pairwise(bounds):
            for chosen in rounds(rows[start:end]):
                yield (slice(start, end) if isinstance(chosen, slice) else chosen + np.int64(start))

    def _sections(self, now: Round) -> Sections:
        return Sections(self.columns["group"][now.at], now.rows)

    def _standing(self, now: Round) -> tuple[FloatArray, FloatArray]:
        """Return copies of the usual level and spread of each member."""
        mean = self.columns["mean"][now.at].copy()
        return mean, self.floored(np.sqrt(self.columns["variance"][now.at]), mean)

    def _settled(self, now: Round) -> BoolArray:
        settled: BoolArray = self.columns["samples"][now.at] >= self.settings.settled_samples
        return settled

    def _shares(self, now: Round) -> FloatArray:
        share: FloatArray = np.maximum(1.0 / (self.columns["samples"][now.at] + 1), self._share)
        return share

    def _take_in(
        self, now: Round, credible: FloatArray, weight: NDArray[np.float64] | float
    ) -> None:
        """Learn level and spread of the members from what is credible of their values."""
        mean, variance = self.columns["mean"], self.columns["variance"]
        share = self._shares(now) * weight
        gap = credible - mean[now.at]
        step = share * gap
        mean[now.at] += step
        variance[now.at] = (1.0 - share) * (variance[now.at] + gap * step)


class Keepers(Members):
    """Members whose groups have state of their own, a row of `groups` each; subclasses fill in `_group_forms`."""

    def __init__(self, settings: GroupSettings) -> None:
        super().__init__(settings)
        self._numbering = Numbering()
        self.groups = Columns(self._group_forms())

    def _forms(self) -> Mapping[str, Column]:
        return {**super()._forms(), "slot": Column(np.int64, NOWHERE)}

    def _group_forms(self) -> Mapping[str, Column]:
        raise NotImplementedError

    def assign(self, rows: IntArray, groups: IntArray) -> None:
        """Make these rows members of these groups (see `GroupDetector`)."""
        super().assign(rows, groups)
        self.columns["slot"][rows] = self._numbering.numbers(groups)
        self.groups.grow(self._numbering.capacity)
        self._release()

    def _release(self) -> None:
        gone = self._numbering.release(self.columns["slot"])
        if gone.size:
            self.groups.reset(gone)

    def reset(self, rows: IntArray) -> None:
        """Forget these rows, and the groups that have no other."""
        super().reset(rows)
        self._release()

    def take(self, rows: IntArray, capacity: int) -> None:
        """Keep these rows alone, and their groups."""
        super().take(rows, capacity)
        self._release()

    def snapshot(self) -> Mapping[str, NDArray[Any]]:
        """Return a copy of the state of members and of groups."""
        return {
            **super().snapshot(),
            **{GROUP + name: column for name, column in self.groups.snapshot().items()},
            KEYS: self._numbering.keys.copy(),
        }

    def give(self, rows: IntArray, columns: Mapping[str, NDArray[Any]], source: IntArray) -> None:
        """Let members know what rows `source` of a snapshot know, and their groups as well that know nothing yet."""
        members, groups = _apart(columns)
        kept = {name: self.columns[name][rows] for name in PLACES & self.columns.forms.keys()}
        super().give(rows, members, source)
        for name, column in kept.items():
            self.columns[name][rows] = column
        slots, first = np.unique(self.columns["slot"][rows], return_index=True)
        there = columns["slot"][source[first]]
        fresh = np.flatnonzero((slots != NOWHERE) & (there != NOWHERE))
        fresh = fresh[self.groups.blank(slots[fresh])]
        self.groups.give(slots[fresh], groups, there[fresh])

    def restore(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Replace the state; raises CheckpointError when it does not fit."""
        members, groups = _apart(columns)
        super().restore(members)
        self.groups.restore(groups)
        self._numbering.restore(columns[KEYS])


def _apart(
    columns: Mapping[str, NDArray[Any]],
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Return the columns of members and those of groups."""
    if KEYS not in columns:
        raise CheckpointError("detector columns hold no groups")
    members = {name: each for name, each in columns.items() if not name.startswith(GROUP)}
    groups = {
        name.removeprefix(GROUP): each
        for name, each in columns.items()
        if name not in members and name != KEYS
    }
    return members, groups


def cut(
    values: FloatArray, expected: FloatArray, scale: FloatArray, ready: BoolArray
) -> FloatArray:
    """Return the values, brought to within three scales of what was expected where that is known."""
    reach = np.where(ready, CUT_SCALES * scale, np.inf)
    middle = np.where(ready, expected, values)
    credible: FloatArray = np.clip(values, middle - reach, middle + reach)
    return credible
