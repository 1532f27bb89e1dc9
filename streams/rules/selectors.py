"""Selectors: the leaves of an expression, which pick series by matchers and read samples from the store.

A selector looks at each series once, when it is new; between two changes of the store it holds its rows in the order
of their label sets. Matchers are Prometheus's, with two honest limits: a regular expression that Python reads
otherwise than RE2, or not at all, is refused; `@` and negative offsets are refused, because on a stream there is
nothing but the past.
"""

import re
import warnings
from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

from schemas.errors import RuleError
from schemas.labels import METRIC, Labels, Matcher, MatchOp
from schemas.samples import STALE_BITS, Int64s
from streams.rules.node import Arrival, Moment, Node, VectorNode
from streams.rules.vector import LabelSpace, Vector
from streams.windows.arena import Windows
from streams.windows.series import SeriesStore, metric_hash


@dataclass(frozen=True)
class Selection:
    """What a selector asks for.

    Attributes:
        matchers: all must hold, the one for the metric's name among them.
        range_ms: length of the window, 0 for an instant selector.
        offset_ms: how far back it looks, not negative.
        lookback_ms: how old an instant selector's sample may be.

    """

    matchers: tuple[Matcher, ...]
    range_ms: int = 0
    offset_ms: int = 0
    lookback_ms: int = 300_000

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
        return (self.range_ms or self.lookback_ms) + self.offset_ms

    def matches(self, labels: Labels) -> bool:
        """Whether a label set is picked."""
        return all(matcher.matches(labels) for matcher in self.matchers)


def check_regex(pattern: str) -> None:
    """Raise RuleError where Python would not read an expression as RE2 does."""
    with warnings.catch_warnings():
        # Python warns of what it may read differently one day, such as the class [[:alpha:]].
        warnings.simplefilter("error")
        try:
            re.compile(pattern, re.DOTALL)
        except (re.error, Warning) as error:
            raise RuleError(f"regular expression {pattern!r} is not supported: {error}") from error


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
            picked.sort(key=store.labels)
            at = [bisect_left(self.rows, store.labels(row), key=store.labels) for row in picked]
            self.rows = np.insert(self.rows, at, picked)
            new = self._targets(store, np.array(picked, np.int64))
            self.targets = np.insert(self.targets, at, new)
        self._route = np.full(len(store.born), -1, np.int64)
        self._route[self.rows] = self.targets
        self._seen, self._epoch = store.generation, self.space.epoch

    def _targets(self, store: SeriesStore, rows: Int64s) -> Int64s:
        return np.array([self.space.row(store.labels(row)) for row in rows.tolist()], np.int64)

    def route(self, store: SeriesStore) -> Int64s:
        """For each row of the store its row in `space`, -1 where it is not picked."""
        self.refresh(store)
        return self._route


class InstantSelector(Selector, VectorNode):
    """The latest sample of each series, not older than the look-back and not ended by a stale marker."""

    def __init__(self, selection: Selection) -> None:
        super().__init__(selection)
        self.per_series = selection.offset_ms == 0

    def evaluate(self, moment: Moment) -> Vector:
        """Latest samples at the moment less the offset."""
        self.refresh(moment.store)
        t_ms = moment.t_ms - self.selection.offset_ms
        latest = moment.store.instant(self.rows, t_ms, self.selection.lookback_ms)
        return Vector(self.targets[latest.valid], latest.values[latest.valid])

    def arrive(self, store: SeriesStore, samples: Arrival) -> tuple[Int64s, Vector]:
        """The samples of picked series, without stale markers."""
        rows = self.route(store)[samples.rows]
        kept = (rows >= 0) & (samples.values.view(np.int64) != STALE_BITS)
        index = np.flatnonzero(kept)
        return index, Vector(rows[index], samples.values[index])


class RangeSelector(Selector):
    """The samples of each series in a window that is open at the left."""

    def windows(self, moment: Moment) -> tuple[Int64s, Windows]:
        """Rows of `space` and their windows, empty ones left out."""
        self.refresh(moment.store)
        end_ms = moment.t_ms - self.selection.offset_ms
        found = moment.store.window(self.rows, end_ms - self.selection.range_ms, end_ms)
        filled = found.high > found.low
        return self.targets[filled], found.keep(filled)
