"""Selectors: the leaves of an expression, which pick series by matchers and read samples from the store.

A selector looks at each series once, when it is new; between two changes of the store it holds its rows in the order
of their label sets. Matchers are Prometheus's.
"""

from bisect import bisect_left
from dataclasses import dataclass
from functools import partial

import numpy as np

from schemas.labels import METRIC, Labels, Matcher, MatchOp, order_key
from schemas.samples import STALE_BITS, Float64s, Int64s
from streams.rules.node import HERE, Anchor, Arrival, Moment, Node, RangeNode, VectorNode
from streams.rules.vector import LabelSpace, Vector
from streams.windows.arena import Windows
from streams.windows.blocks import Bools
from streams.windows.cursor import Cursor
from streams.windows.series import Instant, SeriesStore, metric_hash

EVER_MS = 1 << 50
"""Retention of what looks at a fixed time: longer than any store lives."""


@dataclass(frozen=True)
class Selection:
    """What a selector asks for.

    Attributes:
        matchers: all must hold, the one for the metric's name among them.
        range_ms: length of the window, 0 for an instant selector.
        anchor: where it looks.
        lookback_ms: how old an instant selector's sample may be.
        reach_ms: how long before the evaluation the subqueries around it look.

    """

    matchers: tuple[Matcher, ...]
    range_ms: int = 0
    anchor: Anchor = HERE
    lookback_ms: int = 300_000
    reach_ms: int = 0

    @property
    def metric(self) -> str:
        """The metric's name, empty where the matchers do not fix it."""
        for matcher in self.matchers:
            if matcher.name == METRIC and matcher.op is MatchOp.EQUAL:
                return matcher.value
        return ""

    @property
    def span_ms(self) -> int:
        """How much of the past must be kept for it."""
        if self.anchor.at_ms is not None:
            return EVER_MS
        reach_ms = 0 if self.anchor.at_query else self.reach_ms
        return max(0, (self.range_ms or self.lookback_ms) + self.anchor.offset_ms + reach_ms)

    def matches(self, labels: Labels) -> bool:
        """Whether a label set is picked."""
        return all(matcher.matches(labels) for matcher in self.matchers)


class Selector(Node):
    """Keeps which rows of the store a selection picks."""

    def __init__(self, selection: Selection) -> None:
        self.selection = selection
        self.space = LabelSpace()
        self.own_spaces = (self.space,)
        self.rows = np.zeros(0, np.int64)
        """Rows of the store that are picked, in the order of their label sets."""
        self.targets = np.zeros(0, np.int64)
        """For each of `rows` its row in `space`."""
        self._seen = 0
        self._epoch = -1
        self._store: SeriesStore | None = None
        self._route = np.zeros(0, np.int64)

    def refresh(self, store: SeriesStore) -> None:
        """Look at the series that are new since the last time."""
        if store is not self._store:
            self._store, self._seen = store, -1
            self.rows = self.targets = np.zeros(0, np.int64)
        elif store.generation == self._seen and self.space.epoch == self._epoch:
            return
        # the store's columns get shorter where many series have gone
        there = self.rows < len(store.born)
        self.rows, self.targets = self.rows[there], self.targets[there]
        fresh = store.born > max(0, self._seen)
        stayed = (store.born[self.rows] > 0) & ~fresh[self.rows]
        self.rows, self.targets = self.rows[stayed], self.targets[stayed]
        if self.space.epoch != self._epoch:
            self.targets = self._targets(store, self.rows)
        if self.selection.metric:
            fresh &= store.metrics == metric_hash(self.selection.metric)
        matches = self.selection.matches
        picked = [row for row in np.flatnonzero(fresh).tolist() if matches(store.labels(row))]
        if picked:
            key = partial(_place, store)
            picked.sort(key=key)
            at = [bisect_left(self.rows, key(row), key=key) for row in picked]
            self.rows = np.insert(self.rows, at, picked)
            new = self._targets(store, np.array(picked, np.int64))
            self.targets = np.insert(self.targets, at, new)
        self._route = np.full(len(store.born), -1, np.int64)
        self._route[self.rows] = self.targets
        self._seen, self._epoch = store.generation, self.space.epoch

    def _targets(self, store: SeriesStore, rows: Int64s) -> Int64s:
        targets = [
            self.space.row_of(store.encoded(row), store.fingerprint(row)) for row in rows.tolist()
        ]
        return np.array(targets, np.int64)

    def route(self, store: SeriesStore) -> Int64s:
        """For each row of the store its row in `space`, -1 where it is not picked."""
        self.refresh(store)
        return self._route


class InstantSelector(Selector, VectorNode):
    """The latest sample of each series, not older than the look-back and not ended by a stale marker."""

    def __init__(self, selection: Selection) -> None:
        super().__init__(selection)
        self.per_series = not selection.anchor.moves

    def evaluate(self, moment: Moment) -> Vector:
        """Latest samples at the time of the anchor."""
        t_ms = self.selection.anchor.time(moment)
        rows, latest = self._latest(moment, t_ms, self.selection.lookback_ms)
        return Vector(rows, latest.values[latest.valid])

    def times(self, moment: Moment) -> Vector:
        """When these samples were, in seconds.

        Beside an `@`, Prometheus forgets the offset here, but its storage was read with it (promql/engine.go,
        evalTimestampFunctionOverVectorSelector): only samples count that lie within the look-back of both times.
        """
        anchor, lookback_ms = self.selection.anchor, self.selection.lookback_ms
        if anchor.at_query or anchor.at_ms is not None:
            lookback_ms -= abs(anchor.offset_ms)
            anchor = anchor._replace(offset_ms=max(anchor.offset_ms, 0))
        rows, latest = self._latest(moment, anchor.time(moment), lookback_ms)
        return Vector(rows, latest.times[latest.valid] / 1000)

    def _latest(self, moment: Moment, t_ms: int, lookback_ms: int) -> tuple[Int64s, Instant]:
        self.refresh(moment.store)
        latest = moment.store.instant(self.rows, t_ms, lookback_ms)
        return self.targets[latest.valid], latest

    def arrive(self, store: SeriesStore, samples: Arrival) -> tuple[Int64s, Vector]:
        """The samples of picked series, without stale markers."""
        rows = self.route(store)[samples.rows]
        kept = (rows >= 0) & (samples.values.view(np.int64) != STALE_BITS)
        index = np.flatnonzero(kept)
        return index, Vector(rows[index], samples.values[index])


class RangeSelector(Selector, RangeNode):
    """The samples of each series in a window that is open at the left.

    Windows come in the order of the store's rows, in which their samples lie, and results in that of the label sets.
    """

    def __init__(self, selection: Selection) -> None:
        super().__init__(selection)
        self._cursor = Cursor()
        self._sorted: Int64s | None = None
        self._stored = self._places = self._filled = np.zeros(0, np.int64)
        self._found = self._back = np.zeros(0, np.int64)

    def windows(self, moment: Moment) -> tuple[Int64s, Windows]:
        """Rows of `space` and their windows, empty ones left out."""
        self.refresh(moment.store)
        if self._sorted is not self.rows:
            self._sorted = self.rows
            self._places = np.argsort(self.rows, kind="stable")
            self._stored = self.rows[self._places]
            self._found = self.targets[self._places]
            self._back = np.argsort(self._places)
        end_ms = self.selection.anchor.time(moment)
        start_ms = end_ms - self.selection.range_ms
        found = moment.store.window(self._stored, start_ms, end_ms, self._cursor)
        found = found._replace(t_ms=moment.t_ms)
        filled = found.high > found.low
        self._filled = self._places
        if filled.all():
            return self._found, found
        self._filled, found = self._places[filled], found.keep(filled)
        return self.targets[self._filled], found

    @property
    def windowed(self) -> Int64s:
        """Rows of the store, ascending, of the windows of the last call."""
        return self.rows[self._filled]

    def in_order(self, rows: Int64s, values: Float64s, there: Bools) -> Vector:
        """What was made of the windows of the last call, where there is something, by label set."""
        if len(rows) == len(self.rows) and there.all():
            return Vector(self.targets, values.take(self._back))
        ordered = np.empty(len(self.rows))
        ordered[self._filled] = values
        made = np.zeros(len(self.rows), np.bool_)
        made[self._filled] = there
        return Vector(self.targets[made], ordered[made])


def _place(store: SeriesStore, row: int) -> bytes:
    return order_key(store.encoded(row))
