"""Merged: the leaf of an expression in the second stage, whose value is what all detect partitions have sent of a cut.

The elements come in the order of their label sets, so what is computed from them hangs neither on the number of
partitions nor on the order in which they spoke.
Refuses a time at which a partition had no result, or did not evaluate the cut yet: a sum of some is no sum of all.
"""

from collections.abc import Hashable, Iterable, Mapping

import numpy as np

from schemas.errors import RuleError
from schemas.labels import METRIC, Matcher, MatchOp, get_label
from schemas.samples import Float64s, Int64s
from streams.rules.node import Moment, ScalarNode, VectorNode
from streams.rules.partial.cut import CODE, FAILED, SENDER, Cut, given_labels
from streams.rules.partial.forms import GATHERED, Parts
from streams.rules.picks import Picks
from streams.rules.selectors import InstantSelector, Selection
from streams.rules.vector import LabelSpace, Projection, Vector, refuse_duplicates

AT_ONCE_MS = 1
"""Look-back that sees a sample at the very moment and no other."""


class NotYetError(RuleError):
    """Some detect partitions have not begun with a rule, which is no fault of anybody's."""


class Senders:
    """Since when each detect partition evaluates each cut; those that are expected are all waited for."""

    def __init__(self, expected: Iterable[Hashable]) -> None:
        self._since: dict[Hashable, Mapping[str, int]] = {each: {} for each in expected}

    def note(self, sender: Hashable, since: Mapping[str, int]) -> None:
        """Take in what a partition says; one that is not expected has no say."""
        if sender in self._since:
            self._since[sender] = since

    def check(self, cut: str, t_ms: int) -> None:
        """Make sure that all evaluated a cut at a time.

        Raises:
            NotYetError: some did not.

        """
        never = t_ms + 1
        missing = sum(since.get(cut, never) > t_ms for since in self._since.values())
        if missing:
            of = len(self._since)
            raise NotYetError(f"{missing} of {of} detect partitions have not begun yet")

    def snapshot(self) -> list[tuple[Hashable, Mapping[str, int]]]:
        """What `restore` takes."""
        return list(self._since.items())

    def restore(self, state: Iterable[tuple[Hashable, Mapping[str, int]]]) -> None:
        """Continue from a snapshot."""
        for sender, since in state:
            self.note(sender, since)


class Ranks:
    """The place of each row of a label space in the order of label sets."""

    def __init__(self, space: LabelSpace) -> None:
        self._space = space
        self._epoch = -1
        self._ranks = np.zeros(0, np.int64)

    def of(self, rows: Int64s) -> Int64s:
        """Places of these rows; only their order means something."""
        space = self._space
        if space.epoch != self._epoch or len(self._ranks) != len(space):
            self._epoch = space.epoch
            labels = list(space.labels)
            order = np.array(sorted(range(len(labels)), key=labels.__getitem__), np.int64)
            self._ranks = np.empty(len(order), np.int64)
            self._ranks[order] = np.arange(len(order))
        return self._ranks[rows]


class InOrder(VectorNode):
    """A vector in the order of its label sets."""

    def __init__(self, vector: VectorNode) -> None:
        self.space = vector.space
        self.children = (vector,)
        self._vector = vector
        self._ranks = Ranks(vector.space)

    def evaluate(self, moment: Moment) -> Vector:
        """The same elements."""
        rows, values = self._vector.evaluate(moment)
        order = np.argsort(self._ranks.of(rows), kind="stable")
        return Vector(rows[order], values[order])


class Merged(VectorNode):
    """What became of a cut; `phi` is the number of a quantile."""

    def __init__(self, cut: Cut, senders: Senders, phi: ScalarNode | None = None) -> None:
        self.space = LabelSpace()
        self.own_spaces = (self.space,)
        selection = Selection((Matcher(METRIC, MatchOp.EQUAL, cut.id),), lookback_ms=AT_ONCE_MS)
        self._selector = InstantSelector(selection, Picks())
        self.children = (self._selector,) if phi is None else (self._selector, phi)
        self._cut = cut
        self._senders = senders
        self._phi = phi
        self._given = Projection(self._selector.space, self.space, given_labels)
        self._ranks = Ranks(self.space)
        self._epoch = -1
        self._codes = self._from = np.zeros(0, np.int64)

    def evaluate(self, moment: Moment) -> Vector:
        """One element for each group of which any partition has members.

        Raises:
            NotYetError: a partition has not begun with it.
            RuleError: a partition has no result, or two have sent the same element.

        """
        at = moment._replace(t_ms=moment.t_ms + self._cut.offset_ms)
        self._senders.check(self._cut.id, at.t_ms)
        rows, values = self._selector.evaluate(at)
        codes, senders = self._read(rows)
        if len(codes) and int(codes.max()) == FAILED:
            raise RuleError("a detect partition could not evaluate its part")
        targets = self._given.map(rows)
        if self._cut.form is GATHERED:
            refuse_duplicates(self.space, targets)
        order = np.lexsort((senders, codes, self._ranks.of(targets)))
        targets = targets[order]
        starts = np.flatnonzero(np.diff(targets, prepend=-1))
        groups = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(targets))))
        found = targets[starts]
        phi: Float64s = np.zeros(len(found))
        if self._phi is not None:
            phi = self._phi.spread(moment, self.space, found)
        parts = Parts(groups, codes[order], values[order])
        return Vector(found, self._cut.form.merge(parts, phi))

    def _read(self, rows: Int64s) -> tuple[Int64s, Int64s]:
        """Code and sender of rows of the selector's space."""
        space = self._selector.space
        if space.epoch != self._epoch:
            self._epoch = space.epoch
            self._codes = self._from = np.zeros(0, np.int64)
        if len(self._codes) < len(space):
            fresh = space.labels[len(self._codes) :]
            codes = np.array([int(get_label(each, CODE)) for each in fresh], np.int64)
            senders = np.array([int(get_label(each, SENDER)) for each in fresh], np.int64)
            self._codes = np.concatenate((self._codes, codes))
            self._from = np.concatenate((self._from, senders))
        return self._codes[rows], self._from[rows]
