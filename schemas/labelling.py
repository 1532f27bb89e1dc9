"""Labelling: from the labels of a series as its producer wrote them to those that it has here.

Names are mapped, then rules relabel, then what is personal is replaced. It is asked once for each new way in which a
series is written, never for a sample: its cost is a matter of new series alone.

It refuses reserved names: of the labels that begin with two underscores, only the metric's name outlives the rules.
"""

from collections.abc import Collection, Mapping, Sequence

from schemas.labels import METRIC
from schemas.mapping import OTEL_LABELS, map_labels
from schemas.relabel import RelabelRule, relabel
from schemas.scrub import Scrubber


class Labelling:
    """How one source's labels are made ours.

    Attributes:
        mapped: names that the table knows, those too that keep their name.
        rules: relabelling rules, in their order.
        scrubber: None where nothing is scrubbed.

    """

    def __init__(
        self,
        rules: Sequence[RelabelRule] = (),
        table: Mapping[str, str] = OTEL_LABELS,
        scrubber: Scrubber | None = None,
    ) -> None:
        self.rules = tuple(rules)
        self.mapped: Collection[str] = frozenset(table)
        self.scrubber = scrubber
        # the tables are often the same: a name that stands for itself is not mapped
        self._table = {name: to for name, to in table.items() if name != to}

    def rename(
        self, metric: str, labels: Mapping[str, str]
    ) -> tuple[str, Mapping[str, str]] | None:
        """Metric and labels after mapping and rules; None when a rule drops the series."""
        labels = map_labels(self._table, labels)
        if not self.rules:
            return metric, labels
        found = relabel(self.rules, {**labels, METRIC: metric})
        if found is None:
            return None
        metric = found.pop(METRIC, "")
        return metric, {n: value for n, value in found.items() if not n.startswith("__")}

    def scrub(self, labels: Mapping[str, str], spared: Collection[str]) -> Mapping[str, str]:
        """Labels without personal data; those with a name in `spared` stay."""
        return labels if self.scrubber is None else self.scrubber.labels(labels, spared)

    def may_write(self, label: str) -> bool:
        """Whether a label may come out with another value than it went in with."""
        return bool(self.rules) or label in self._table or label in self._table.values()


AS_WRITTEN = Labelling()
"""The shipped table and nothing else."""
