"""RecordingRule: one recording rule at work: its results become samples of new series in the store.

A series that the rule made at its last evaluation and does not make now is ended with a stale marker, as in
Prometheus, so that rules that read it stop at once.
Refuses two results that become the same series.
"""

import numpy as np
from numpy.typing import NDArray

from detectors.base import IntArray
from schemas.errors import RuleError
from schemas.labels import METRIC, Labels, encode_labels, fingerprint_bytes, make_labels
from schemas.samples import STALE_BITS
from streams.rules.checkpoint import AnyColumns
from streams.rules.native.append import append_mixed
from streams.rules.owned import Owns, keep_owned
from streams.rules.plan import Plan
from streams.rules.rule import Rule
from streams.rules.vector import LabelSpace, Projection
from streams.windows.columns import pack_labels, unpack_labels
from streams.windows.series import SeriesStore

# The label spaces may outgrow the series that there are by this much before they are cleared.
SPARE_LABEL_SETS = 1024


class RecordingRule:
    """One rule and the series that it made last.

    Attributes:
        rule: what the user wrote.
        plan: its compiled expression.

    """

    def __init__(self, rule: Rule, plan: Plan, *, owns: Owns = None) -> None:
        """`plan` is the compiled expression of the rule."""
        self.rule = rule
        self.plan = plan
        self._owns = owns
        self._made = LabelSpace()
        self._projection = Projection(self.plan.space, self._made, self._rename)
        self._codes: list[tuple[int, bytes]] = []
        self._epoch = -1
        self._last: set[Labels] = set()

    def tick(self, store: SeriesStore, t_ms: int) -> int:
        """Evaluate at an event time and append the results; how many the store had no room for.

        As in Prometheus, their time is that at which the expression looked: `query_offset` before the evaluation.

        Raises:
            RuleError: the samples at this time do not allow it; nothing has been appended.

        """
        if len(self.plan.space) > 2 * len(store) + SPARE_LABEL_SETS:
            self.plan.space.clear()
            self._made.clear()
        t_ms -= self.rule.query_offset_ms
        vector, bag = self.plan.evaluate_all(store, t_ms)
        vector = keep_owned(vector, self.plan.space, self._owns)
        made = self._projection.distinct(vector.rows)
        if self.rule.limit and len(made) > self.rule.limit:
            raise RuleError(f"exceeded limit of {self.rule.limit} with {len(made)} series")
        labels = {self._made.labels[row] for row in made.tolist()}
        gone = sorted(self._last - labels)
        self._last = labels
        rows = self._rows(store, np.array([*made.tolist(), *map(self._made.row, gone)], np.int64))
        values = np.concatenate(
            (vector.values, np.full(len(gone), STALE_BITS, np.int64).view(np.float64))
        )
        order = np.argsort(rows, kind="stable")
        times = np.full(len(rows), t_ms, np.int64)
        append_mixed(store, rows[order], times, values[order], bag)
        return int(np.count_nonzero(rows < 0))

    def _rename(self, labels: Labels) -> Labels:
        return make_labels({**dict(labels), METRIC: self.rule.name, **self.rule.labels})

    def _rows(self, store: SeriesStore, made: IntArray) -> IntArray:
        """Rows of the store for rows of the space of made series."""
        if self._made.epoch != self._epoch:
            self._codes, self._epoch = [], self._made.epoch
        for labels in self._made.labels[len(self._codes) :]:
            code = encode_labels(labels)
            self._codes.append((fingerprint_bytes(code), code))
        codes = [self._codes[row] for row in made.tolist()]
        prints = np.array([print_ for print_, _ in codes], np.uint64)
        return store.rows(prints, [code for _, code in codes])

    @property
    def leaves_nothing(self) -> bool:
        """Whether no series would have to be ended without this rule."""
        return not self._last

    def adopt(self, rule: Rule) -> None:
        """Go on as the same rule, which stands elsewhere now."""
        self.rule = rule

    def remember(self, _store: SeriesStore) -> dict[str, NDArray[np.generic]]:
        """What `rewind` takes."""
        return self.snapshot()

    def rewind(self, columns: AnyColumns, _store: SeriesStore) -> None:
        """Have made what it had made at an earlier time."""
        self.restore(columns)

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """The series that it made last."""
        return pack_labels(sorted(self._last))

    def restore(self, columns: AnyColumns) -> None:
        """Continue from a snapshot.

        Raises:
            CheckpointError: the columns are not those of a snapshot.

        """
        self._last = set(unpack_labels(columns))
