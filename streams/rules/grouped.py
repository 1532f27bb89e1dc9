"""Grouped: the detector of a rule with `by`, over groups of the series of its expression.

`MembersRule` lets a detector that compares members know who belongs to whom; each member has its own alert.
`GroupedRule` joins what the members of a group say into one piece of evidence, and judges that by what is usual in the
group, by the same procedure as a series' value; the alert has the labels of `by`, its value is the evidence, and it
names the members to blame. While a group is abnormal none of its members learns.

Refuses `by` for rules on arrival: there a group is never together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.bank import Settings
from detectors.base import Detector, FloatArray, IntArray, Scores
from detectors.evidence import Evidence, Sum, joined, together
from schemas.labels import METRIC, Labels, encode_labels, fingerprint_bytes
from streams.rules.banks import Banks
from streams.rules.checkpoint import AnyColumns, placed, under
from streams.rules.detect import DetectRule
from streams.rules.explain import Insight
from streams.rules.rule import DetectBlock
from streams.rules.rule_file import DetectSection
from streams.rules.vector import LabelSpace, Projection, Vector, keep_only

MOST_BLAMED = 5
# Groups are told apart by 63 bits of a fingerprint: banks call a row without one -1.
MASK = (1 << 63) - 1


class MembersRule(DetectRule):
    """A detector whose rows are members of groups."""

    def __init__(self, block: DetectBlock, *, interval_ms: int, max_series: int) -> None:
        """Make the detector.

        Raises:
            ConfigError: the detector is unknown, or a parameter is.

        """
        self._group_of = keep_only(frozenset(block.by or ()))
        super().__init__(block, interval_ms=interval_ms, max_series=max_series)

    def adopt(self, block: DetectBlock) -> None:
        """Go on with another calendar, or with other history for new members."""
        super().adopt(block)
        self._assign(self.roster.numbers)

    def key(self, number: int) -> int:
        """What the group of this row is called."""
        return key_of(self._group_of(self.roster.labels(number)))

    def _begin(self, fresh: IntArray) -> None:
        """Make rows members of their groups, which forgetting has undone, and give them what was learnt of them."""
        self._assign(fresh)
        super()._begin(fresh)

    def numbers(self, space: LabelSpace, space_rows: IntArray) -> IntArray:
        """Rows of the bank for rows of the space, -1 where there is no room."""
        return self._rows(space, space_rows)

    def judge(
        self, rows: IntArray, times: IntArray, values: FloatArray
    ) -> tuple[Scores, FloatArray]:
        """Judge sections without learning them; and their deviations, 0 where not as large as the rule wants them."""
        self._freeze(rows, frozen=True)
        scores = self.banks.update(rows, times, values)
        self.rows["seen"][rows] = times
        large = self._far(rows, scores, values, np.full(self.rows.capacity, -1.0), 1.0)
        return scores, np.where(large, self.banks.deviations(scores, rows, times, values), 0.0)

    def learn(self, rows: IntArray, times: IntArray, values: FloatArray) -> None:
        """Learn sections that were judged."""
        self._freeze(rows, frozen=False)
        self.banks.update(rows, times, values)

    def _assign(self, rows: IntArray) -> None:
        keys = np.array([self.key(row) for row in rows.tolist()], np.int64)
        for bank in self.banks.all:
            assign = getattr(bank, "assign", None)
            if assign and rows.size:
                assign(rows, keys)


class EvidenceBanks(Banks):
    """Banks that measure evidence, whatever detector its members have."""

    def fresh(self) -> Detector:
        """One more that knows nothing."""
        return Evidence(Settings())


class Said(NamedTuple):
    """What the members said at one evaluation.

    Attributes:
        found: their evidence together.
        rows, times, values, sections: of each sample, as the members' detector has them.
        groups, names: of each section, its row of the space and its key.

    """

    found: Sum
    rows: IntArray
    times: IntArray
    values: FloatArray
    groups: IntArray
    sections: IntArray
    names: list[int]

    @classmethod
    def nothing(cls) -> "Said":
        """Of nobody."""
        none, no_values = np.zeros(0, np.int64), np.zeros(0)
        return cls(together(no_values, none, 0), none, none, no_values, none, none, [])


class GroupedRule(DetectRule):
    """A detector over the members of groups, and the evidence of each group; its rows are groups.

    Attributes:
        members: the detector of the members.

    """

    def __init__(self, block: DetectBlock, *, interval_ms: int, max_series: int) -> None:
        """Make the detector.

        Raises:
            ConfigError: the detector is unknown, or a parameter is.

        """
        self.members = MembersRule(
            _of_members(block), interval_ms=interval_ms, max_series=max_series
        )
        super().__init__(block, interval_ms=interval_ms, max_series=max_series)
        self.banks = EvidenceBanks(block)
        self.adopt(block)
        self._by = keep_only(frozenset(block.by or ()))
        self._projection: Projection | None = None
        self._said = Said.nothing()

    def adopt(self, block: DetectBlock) -> None:
        """Go on with another calendar, or with other history for new groups and their members."""
        super().adopt(block)
        self.members.adopt(_of_members(block))

    def gathered(self, space: LabelSpace, vector: Vector, t_ms: int) -> Vector:
        """Judge the members at an event time: one result for each group, its value the evidence."""
        if self._projection is None or self._projection.source is not space:
            self._projection = Projection(space, space, self._by)
        rows = self.members.numbers(space, vector.rows)
        there = np.flatnonzero(rows >= 0)
        rows, values = rows[there], vector.values[there]
        times = np.full(rows.size, t_ms, np.int64)
        scores, deviations = self.members.judge(rows, times, values)
        groups, sections = np.unique(self._projection.map(vector.rows[there]), return_inverse=True)
        found = joined(scores, deviations, sections, groups.size)
        names = [key_of(space.labels[row]) for row in groups.tolist()]
        self._said = Said(found, rows, times, values, groups, sections, names)
        return Vector(groups, found.evidence)

    def settle(self, space: LabelSpace, present: IntArray) -> None:
        """End what is abnormal of groups that an evaluation has not found, and let the members of calm ones learn.

        A group that has just become abnormal has not learnt that, so its members are as odd at the next evaluation.
        """
        super().settle(space, present)
        said = self._said
        numbers = self._rows(space, said.groups)
        calm = (numbers < 0) | ~self.rows["frozen"][numbers]
        at = np.flatnonzero(calm[said.sections])
        self.members.learn(said.rows[at], said.times[at], said.values[at])

    def retire(self, before_ms: int) -> None:
        """Forget the groups without a value since then, and their members."""
        super().retire(before_ms)
        self.members.retire(before_ms)

    def unlearn(self, rows: IntArray) -> None:
        """Let these groups and their members begin anew, with history where there is some."""
        super().unlearn(rows)
        self.members.unlearn(self._members_of({self._key(row) for row in rows.tolist()}))

    def waits(self) -> IntArray:
        """Time in ms until each group can be told of: once a member speaks, its own measuring begins."""
        waits, rows = super().waits(), self.roster.numbers.tolist()
        first: dict[int, int] = {}
        members = self.members.roster.numbers.tolist()
        for member, wait in zip(members, self.members.waits().tolist(), strict=True):
            key = self.members.key(member)
            first[key] = min(wait, first.get(key, wait))
        return waits + np.array([first.get(self._key(row), 0) for row in rows], np.int64)

    def insight(self, given: Labels, facts: Sequence[float], *, present: bool) -> Insight:
        """What else is known of a result: the members to blame."""
        told = super().insight(given, facts, present=present)
        said, key = self._said, key_of(self._by(given))
        if not present or key not in said.names:
            return told
        places = said.found.blame(said.names.index(key), MOST_BLAMED)
        return told._replace(blame=", ".join(self._name(int(said.rows[at])) for at in places))

    def _name(self, row: int) -> str:
        """A member, without what all of its group have in common."""
        labels = self.members.roster.labels(row)
        common = {*(self._by(labels)), (METRIC, dict(labels).get(METRIC, ""))}
        own = ", ".join(
            f'{name}="{value}"' for name, value in labels if (name, value) not in common
        )
        name = dict(labels).get(METRIC, "")
        return f"{name}{{{own}}}" if own or not name else name

    def _key(self, row: int) -> int:
        return key_of(self.roster.labels(row))

    def _members_of(self, keys: Iterable[int]) -> IntArray:
        wanted = set(keys)
        if not wanted:
            return np.zeros(0, np.int64)
        rows = self.members.roster.numbers.tolist()
        return np.array([row for row in rows if self.members.key(row) in wanted], np.int64)

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """The state of the groups and of their members as columns."""
        return {**super().snapshot(), **placed("members", self.members.snapshot())}

    def restore(self, columns: AnyColumns) -> None:
        """Continue from a snapshot.

        Raises:
            CheckpointError: it is none of this detector.

        """
        super().restore(columns)
        self.members.restore(under("members", columns))


def _of_members(block: DetectBlock) -> DetectBlock:
    """What the members of groups are watched with."""
    return replace(block, learnt=block.learnt.members if block.learnt else None)


def detect_rule(block: DetectBlock, *, interval_ms: int, max_series: int) -> DetectRule:
    """Make the detector of a rule.

    Raises:
        ConfigError: the detector is unknown, or a parameter is.

    """
    made = DetectRule if block.by is None else GroupedRule if block.join else MembersRule
    return made(block, interval_ms=interval_ms, max_series=max_series)


def parts(detect: DetectRule) -> list[DetectRule]:
    """The detectors that the one of a rule is made of: its own, and that of its members."""
    return [detect, detect.members] if isinstance(detect, GroupedRule) else [detect]


def key_of(group: Labels) -> int:
    """What a group is called in banks."""
    return fingerprint_bytes(encode_labels(group)) & MASK


def group_faults(given: DetectSection, evaluate: str, grouped: bool) -> list[str]:
    """What is wrong with `by` and `join` for a detector; `grouped`: it compares the members of a group."""
    if given.by is None:
        if grouped:
            return [
                f"detector '{given.detector}' compares the members of a group: say by: [label, ...]"
            ]
        return []
    faults = []
    if evaluate == "on_arrival":
        faults.append("by needs evaluate: on_tick: the members of a group do not arrive together")
    if not given.join and not grouped:
        faults.append(f"join: false leaves nothing of by for detector '{given.detector}'")
    return faults
