"""`absent(v)` and `absent_over_time(v[d])`: an element for each tenant that has none.

Its labels are those that the selector's matchers fix by `=`, if the argument is a selector.
"""

from collections.abc import Sequence

import numpy as np

from schemas.labels import METRIC, TENANT, Labels, Matcher, MatchOp, make_labels
from streams.rules.node import Moment, RangeNode, VectorNode
from streams.rules.selectors import Selector
from streams.rules.vector import LabelSpace, Vector


def fixed_labels(matchers: Sequence[Matcher]) -> Labels:
    """Labels that `=` matchers fix; one that other matchers speak of too is left out, as Prometheus does."""
    fixed: dict[str, str] = {}
    seen: set[str] = set()
    for matcher in matchers:
        if matcher.name in {METRIC, TENANT}:
            continue
        if matcher.op is MatchOp.EQUAL and matcher.name not in seen:
            fixed[matcher.name] = matcher.value
            seen.add(matcher.name)
        else:
            fixed.pop(matcher.name, None)
    return make_labels(fixed)


class Absent(VectorNode):
    """1 for each tenant of the moment that the argument could have, and has not, an element of."""

    def __init__(
        self, argument: VectorNode | RangeNode, matchers: Sequence[Matcher] | None = None
    ) -> None:
        """`matchers` are those of the selector that the argument stands for, if it is none itself."""
        self.space = LabelSpace()
        self.own_spaces = (self.space,)
        self.children = (argument,)
        self._argument = argument
        if matchers is None:
            matchers = argument.selection.matchers if isinstance(argument, Selector) else ()
        self._labels = fixed_labels(matchers)
        self._tenants = [each for each in matchers if each.name == TENANT]

    def evaluate(self, moment: Moment) -> Vector:
        """One element for each tenant that misses it."""
        if isinstance(self._argument, RangeNode):
            rows, _ = self._argument.windows(moment)
        else:
            rows, _ = self._argument.evaluate(moment)
        space = self._argument.space
        present = {space.tenants[at] for at in np.unique(space.tenant_of(rows)).tolist()}
        missing = [
            self.space.row(make_labels((*self._labels, (TENANT, tenant))))
            for tenant in moment.tenants
            if tenant not in present and all(each.matches_value(tenant) for each in self._tenants)
        ]
        return Vector(np.array(missing, np.int64), np.ones(len(missing)))
