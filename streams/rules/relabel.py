"""`label_replace` and `label_join`: elements under other label sets.

A new value is computed once for each label set. The tenant cannot be written.
"""

from collections.abc import Callable, Sequence

from schemas.labels import Labels, get_label, make_labels
from schemas.regex import Regex, expand
from streams.rules.node import Moment, VectorNode
from streams.rules.vector import LabelSpace, Projection, Vector


def replacing(target: str, template: str, source: str, regex: Regex) -> Callable[[Labels], Labels]:
    """Transform of `label_replace`: label sets whose source does not match stay as they are."""

    def replace(labels: Labels) -> Labels:
        groups = regex.groups(get_label(labels, source))
        if groups is None:
            return labels
        return make_labels((*labels, (target, expand(template, groups))))

    return replace


def joining(target: str, separator: str, sources: Sequence[str]) -> Callable[[Labels], Labels]:
    """Transform of `label_join`: missing labels are joined as empty ones."""

    def join(labels: Labels) -> Labels:
        text = separator.join(get_label(labels, name) for name in sources)
        return make_labels((*labels, (target, text)))

    return join


class Relabel(VectorNode):
    """The elements of a vector under transformed label sets."""

    def __init__(self, vector: VectorNode, transform: Callable[[Labels], Labels]) -> None:
        self.space = LabelSpace()
        self.own_spaces = (self.space,)
        self.children = (vector,)
        self._vector = vector
        self._rename = Projection(vector.space, self.space, transform)

    def evaluate(self, moment: Moment) -> Vector:
        """The same values."""
        rows, values = self._vector.evaluate(moment)
        return Vector(self._rename.distinct(rows), values)
