"""Half-space trees: combinations of members' values that a group is hardly ever in.

Random trees cut the space of all members of a group into boxes; how many samples of the window before fell into a box
says how usual it is. A section falls into one box of each tree, and on its way there each cut says which member makes
it rarer: that is the member's part of the oddness, and all parts add up to the whole. Cost for each group: 2 masses of
4 bytes for each box, 32 KB with the defaults, and one blank window whenever members have joined.

Refuses members beyond `most_members` of a group, groups of fewer than two, and what the place of a value among its own
past does not show: a value twice as far out as the farthest is no odder.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from detectors.bank import Judgement
from detectors.base import FloatArray, IntArray, Round
from detectors.columns import Column
from detectors.group import GroupSettings, Keepers, cut
from detectors.numbering import NOWHERE

FEWEST = 2
# A box that saw less than this share of the window tells nothing about the boxes within it (the paper's size limit).
LEAST_SHARE = 0.05
# Added to both boxes' masses: what was never seen is rare, not impossible.
SPARE = 0.5
# A standing of so many deviations lies halfway between the middle and the edge.
HALFWAY = 2.0


class TreesSettings(GroupSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of `half_space_trees`."""

    trees: Annotated[int, Meta(ge=1, le=256, description="random trees for each group")] = 32
    height: Annotated[int, Meta(ge=1, le=12, description="cuts between root and box")] = 6
    window_samples: Annotated[
        int, Meta(ge=8, description="sections whose masses are counted before they are used")
    ] = 250
    most_members: Annotated[
        int, Meta(ge=2, le=1024, description="members of a group that the trees look at")
    ] = 64


class Forest(NamedTuple):
    """Cuts of all trees: the member and the place of each, [trees, inner boxes]."""

    member: IntArray
    place: FloatArray


class HalfSpaceTrees(Keepers):
    """Rarity of a group's combination of values, told apart by members.

    With m(b) the samples of the last window in box b, part_i = - mean over trees of the sum over the cuts of member i
    on the way down of log2(2 m(child) / m(parent)); z = (part_i - its mean) / its deviation, both exponentially
    weighted. The sum over i is the logarithm of the trees' mass score (Tan, Ting and Liu 2011, "Fast anomaly detection
    for streaming data", IJCAI). A value enters by its standing u = (x - mean) / s as (1 + u / (2 + |u|)) / 2.
    """

    parameters: ClassVar[type[GroupSettings]] = TreesSettings
    sided = False
    settings: TreesSettings

    def __init__(self, settings: TreesSettings, seed: int = 0) -> None:
        super().__init__(settings)
        self._seed = seed

    def _forms(self) -> Mapping[str, Column]:
        return {
            **super()._forms(),
            "place": Column(np.int64, NOWHERE),
            "part_mean": Column(),
            "part_square": Column(),
            "parts": Column(np.int64),
        }

    def _group_forms(self) -> Mapping[str, Column]:
        settings = self.settings
        boxes = settings.trees * (2 ** (settings.height + 1) - 1)
        return {
            "known": Column(np.float32, 0, boxes),
            "latest": Column(np.float32, 0, boxes),
            "weight": Column(),
            "standing": Column(np.float64, 0.5, settings.most_members),
            "looked_at": Column(np.int64),
            "counted": Column(np.int64),
            "usable": Column(np.bool_, fill=False),
        }

    def assign(self, rows: IntArray, groups: IntArray) -> None:
        """Make these rows members of these groups, each in the lowest free place of its group."""
        before = self.columns["slot"][rows].copy()
        super().assign(rows, groups)
        slot, place = self.columns["slot"], self.columns["place"]
        # Who is assigned to its own group again keeps its place: the trees know it by that.
        moved = rows[(slot[rows] != before) | (place[rows] == NOWHERE)]
        place[moved] = NOWHERE
        for row in moved.tolist():
            if slot[row] != NOWHERE:
                taken = np.zeros(self.settings.most_members + 1, np.bool_)
                taken[place[slot == slot[row]]] = True
                free = int(np.argmin(taken[:-1]))
                place[row] = NOWHERE if taken[free] else free

    def give(self, rows: IntArray, columns: Mapping[str, NDArray[Any]], source: IntArray) -> None:
        """Let members and new groups know what a snapshot knows; the trees know members by their places then."""
        slot, place = self.columns["slot"], self.columns["place"]
        fresh = (slot[rows] != NOWHERE) & (self.groups["looked_at"][slot[rows]] == 0)
        super().give(rows, columns, source)
        mine = rows[fresh]
        others = np.setdiff1d(np.flatnonzero(np.isin(slot, slot[mine])), mine)
        place[mine] = columns["place"][source[fresh]]
        place[others] = NOWHERE
        self.assign(others, self.columns["group"][others])

    def _forest(self, members: int) -> Forest:
        return planted(
            members,
            self.settings.trees,
            self.settings.height,
            self.settings.most_members,
            self._seed,
        )

    def _standings(self, now: Round) -> FloatArray:
        mean, scale = self._standing(now)
        u = np.clip((now.values - mean) / scale, -1e6, 1e6)
        middle: FloatArray = np.where(
            self._settled(now), 0.5 + 0.5 * u / (HALFWAY + np.abs(u)), 0.5
        )
        return middle

    def _paths(self, slots: IntArray, points: FloatArray, members: int) -> IntArray:
        """Return the boxes from root to leaf that these points fall into, int64[groups, trees, height + 1]."""
        forest, settings = self._forest(members), self.settings
        tree, each = np.arange(settings.trees), np.arange(slots.size)[:, None]
        boxes = np.zeros((slots.size, settings.trees, settings.height + 1), np.int64)
        for level in range(settings.height):
            box = boxes[:, :, level]
            above = points[each, forest.member[tree, box]] >= forest.place[tree, box]
            boxes[:, :, level + 1] = 2 * box + 1 + above
        return boxes

    def _judge(self, now: Round) -> Judgement:
        columns, size = self.columns, now.rows.size
        slot, place = columns["slot"][now.at], columns["place"][now.at]
        part = np.full(size, np.nan)
        told = np.flatnonzero((slot != NOWHERE) & (place != NOWHERE))
        told = told[self.groups["usable"][slot[told]]]
        told = told[place[told] < self.groups["looked_at"][slot[told]]]
        slots, of = np.unique(slot[told], return_inverse=True)
        points = self.groups["standing"][slots]
        points[of, place[told]] = self._standings(now)[told]
        members = self.groups["looked_at"][slots]
        for count in np.unique(members).tolist():
            some = np.flatnonzero(members == count)
            parts = self._parts(slots[some], points[some], count)
            mine = np.flatnonzero(members[of] == count)
            part[told[mine]] = parts[np.searchsorted(some, of[mine]), place[told[mine]]]
        mean, square = columns["part_mean"][now.at], columns["part_square"][now.at]
        spread = self.floored(np.sqrt(square), np.ones(size))
        known = np.isfinite(part)
        ready = known & (columns["parts"][now.at] >= self.settings.settled_samples)
        deviation = np.where(known, (part - mean) / spread, 0.0)
        nothing = np.full(size, np.nan)
        return Judgement(nothing, nothing, np.where(ready, deviation, 0.0), ready, part)

    def _parts(self, slots: IntArray, points: FloatArray, members: int) -> FloatArray:
        """Return how much rarer each member makes the boxes that these points fall into, [groups, members]."""
        forest, settings = self._forest(members), self.settings
        boxes = self._paths(slots, points, members)
        size = 2 ** (settings.height + 1) - 1
        mass = (
            self.groups["known"]
            .reshape(-1, settings.trees, size)[
                slots[:, None, None], np.arange(settings.trees)[:, None], boxes
            ]
            .astype(np.float64)
        )
        parent, child = mass[:, :, :-1], mass[:, :, 1:]
        enough = parent >= LEAST_SHARE * settings.window_samples
        rarer = np.where(enough, np.log2((parent + 2 * SPARE) / (2.0 * (child + SPARE))), 0.0)
        member = forest.member[np.arange(settings.trees)[:, None], boxes[:, :, :-1]]
        cell = np.arange(slots.size)[:, None, None] * members + member
        summed = np.bincount(cell.reshape(-1), rarer.reshape(-1), slots.size * members)
        parts: FloatArray = summed.reshape(slots.size, members) / settings.trees
        return parts

    def _learn(self, now: Round, judgement: Judgement, weight: FloatArray | float) -> None:
        assert judgement.note is not None
        columns = self.columns
        self._count(now, np.broadcast_to(weight, now.rows.shape))
        known = np.isfinite(judgement.note)
        part = np.where(known, judgement.note, 0.0)
        parts = columns["parts"][now.at] + known
        share = known * weight * np.maximum(1.0 / np.maximum(parts, 1), self._share)
        mean, square = columns["part_mean"][now.at], columns["part_square"][now.at]
        gap = part - mean
        columns["part_mean"][now.at] = mean + share * gap
        columns["part_square"][now.at] = (1.0 - share) * (square + share * gap * gap)
        columns["parts"][now.at] = parts
        mean, scale = self._standing(now)
        self._take_in(now, cut(now.values, mean, scale, self._settled(now)), weight)

    def _count(self, now: Round, weight: NDArray[np.float64]) -> None:
        """Let these sections fall into the boxes, and use the masses when their window is full."""
        slot, place = self.columns["slot"][now.at], self.columns["place"][now.at]
        told = np.flatnonzero((slot != NOWHERE) & (place != NOWHERE))
        if not told.size:
            return
        groups, settings = self.groups, self.settings
        groups["standing"][slot[told], place[told]] = self._standings(now)[told]
        slots, of = np.unique(slot[told], return_inverse=True)
        # The loudest member says how much the whole section counts.
        least = np.ones(slots.size)
        np.minimum.at(least, of, weight[told])
        new = slots[groups["looked_at"][slots] == 0]
        self._plant(new)
        members = groups["looked_at"][slots]
        size = 2 ** (settings.height + 1) - 1
        masses = groups["latest"].reshape(-1, settings.trees, size)
        for count in np.unique(members[members >= FEWEST]).tolist():
            some = np.flatnonzero(members == count)
            boxes = self._paths(slots[some], groups["standing"][slots[some]], count)
            where = slots[some][:, None, None], np.arange(settings.trees)[:, None], boxes
            masses[where] += least[some][:, None, None].astype(np.float32)
        groups["counted"][slots] += 1
        full = slots[groups["counted"][slots] >= settings.window_samples]
        if full.size:
            groups["known"][full] = groups["latest"][full]
            groups["latest"][full] = 0
            groups["counted"][full] = 0
            groups["usable"][full] = True
            self._plant(full)

    def _plant(self, slots: IntArray) -> None:
        """Let the trees of these groups look at all members that there are, from the next window on if they changed."""
        place, slot = self.columns["place"], self.columns["slot"]
        there = place != NOWHERE
        members = np.zeros(self._numbering.capacity, np.int64)
        np.maximum.at(members, slot[there], place[there] + 1)
        changed = slots[members[slots] != self.groups["looked_at"][slots]]
        self.groups["looked_at"][changed] = members[changed]
        self.groups["usable"][changed] = False
        self.groups["latest"][changed] = 0
        self.groups["counted"][changed] = 0


@lru_cache(256)
def planted(members: int, trees: int, height: int, most: int, seed: int) -> Forest:
    """Return random trees over so many members; each cut halves what its box spans of a member chosen at random."""
    random = np.random.default_rng(seed)
    middle = random.random((trees, most))[:, :members]
    reach = 2.0 * np.maximum(middle, 1.0 - middle)
    low, high = (middle - reach)[:, None], (middle + reach)[:, None]
    chosen = (random.random((trees, 2**height - 1)) * members).astype(np.int64)
    tree = np.arange(trees)[:, None]
    place = np.zeros((trees, 2**height - 1))
    for level in range(height):
        first, count = 2**level - 1, 2**level
        member = chosen[:, first : first + count]
        box = np.arange(count)
        cuts = 0.5 * (low[tree, box, member] + high[tree, box, member])
        place[:, first : first + count] = cuts
        low, high = np.repeat(low, 2, axis=1), np.repeat(high, 2, axis=1)
        high[tree, 2 * box, member] = cuts
        low[tree, 2 * box + 1, member] = cuts
    return Forest(chosen, place)
