"""Selectors: the leaves of an expression, which pick series by matchers and read samples from the store.

Which series it picks is known of `picks`.
"""

from dataclasses import dataclass

import numpy as np

from schemas.labels import Matcher
from schemas.samples import STALE_BITS, Float64s, Int64s
from streams.rules.node import HERE, Anchor, Arrival, Moment, Node, RangeNode, VectorNode
from streams.rules.picks import Picks, metric_of
from streams.rules.vector import Vector
from streams.windows.arena import Windows
from streams.windows.blocks import Bools
from streams.windows.cursor import Cursor
from streams.windows.series import Instant, SeriesStore

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
        return metric_of(self.matchers)

    @property
    def span_ms(self) -> int:
        """How much of the past must be kept for it."""
        if self.anchor.at_ms is not None:
            return EVER_MS
        reach_ms = 0 if self.anchor.at_query else self.reach_ms
        return max(0, (self.range_ms or self.lookback_ms) + self.anchor.offset_ms + reach_ms)


class Selector(Node):
    """Reads samples of the series that a selection picks; selectors of one engine share what is picked."""

    def __init__(self, selection: Selection, picks: Picks) -> None:
        self.selection = selection
        self.pick = picks.of(selection.matchers)
        self.space = self.pick.space
        self.own_spaces = (self.space,)

    def refresh(self, store: SeriesStore) -> None:
        """Look at the series that are new since the last time."""
        self.pick.refresh(store)

    def picked(self, store: SeriesStore) -> Bools:
        """For each row of the store whether it is picked."""
        self.refresh(store)
        return self.pick.route >= 0


class InstantSelector(Selector, VectorNode):
    """The latest sample of each series, not older than the look-back and not ended by a stale marker."""

    def __init__(self, selection: Selection, picks: Picks) -> None:
        super().__init__(selection, picks)
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
        latest = moment.store.instant(self.pick.rows, t_ms, lookback_ms)
        return self.pick.targets[latest.valid], latest

    def arrive(self, store: SeriesStore, samples: Arrival) -> tuple[Int64s, Vector]:
        """The samples of picked series, without stale markers."""
        self.refresh(store)
        rows = self.pick.targets_of(samples.rows)
        kept = (rows >= 0) & (samples.values.view(np.int64) != STALE_BITS)
        index = np.flatnonzero(kept)
        return index, Vector(rows[index], samples.values[index])


class RangeSelector(Selector, RangeNode):
    """The samples of each series in a window that is open at the left.

    Windows come in the order of the store's rows, in which their samples lie, and results in that of the label sets.
    """

    def __init__(self, selection: Selection, picks: Picks) -> None:
        super().__init__(selection, picks)
        self._cursor = Cursor()
        self._sorted: Int64s | None = None
        self._stored = np.zeros(0, np.int64)
        self._places = self._filled = np.zeros(0, np.int32)

    def windows(self, moment: Moment) -> tuple[Int64s, Windows]:
        """Rows of `space` and their windows, empty ones left out."""
        self.refresh(moment.store)
        pick = self.pick
        if self._sorted is not pick.rows:
            self._sorted = pick.rows
            self._places = np.argsort(pick.rows, kind="stable").astype(np.int32)
            self._stored = pick.rows[self._places]
        end_ms = self.selection.anchor.time(moment)
        start_ms = end_ms - self.selection.range_ms
        found = moment.store.window(self._stored, start_ms, end_ms, self._cursor, edges=self.edged)
        found = found._replace(t_ms=moment.t_ms)
        filled = found.high > found.low
        self._filled = self._places
        if filled.all():
            return pick.targets_of(self._stored), found
        self._filled = self._places[filled]
        return pick.targets_of(self._stored[filled]), found.keep(filled)

    @property
    def windowed(self) -> Int64s:
        """Rows of the store, ascending, of the windows of the last call."""
        return self.pick.rows[self._filled]

    def in_order(self, rows: Int64s, values: Float64s, there: Bools) -> Vector:
        """What was made of the windows of the last call, where there is something, by label set."""
        targets = self.pick.targets
        ordered = np.empty(len(targets))
        ordered[self._filled] = values
        if len(rows) == len(targets) and there.all():
            return Vector(targets, ordered)
        made = np.zeros(len(targets), np.bool_)
        made[self._filled] = there
        return Vector(targets[made], ordered[made])
