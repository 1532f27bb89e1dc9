"""Picks: which series of a store some matchers pick, looked at once for all selectors of an engine that ask the same.

Each series is looked at once, when it is new; between two changes of the store the rows of those that are picked stand
in the order of their label sets. Matchers are Prometheus's.

A pick lasts as long as a selector has it. Refuses a second store: what is picked is that of the last one.
"""

from bisect import bisect_left
from collections.abc import Iterable
from functools import partial
from weakref import WeakValueDictionary

import numpy as np

from schemas.labels import METRIC, Labels, Matcher, MatchOp, order_key
from schemas.samples import Int64s
from streams.rules.vector import LabelSpace
from streams.windows.series import SeriesStore, metric_hash


def metric_of(matchers: Iterable[Matcher]) -> str:
    """The metric's name, empty where the matchers do not fix it."""
    for matcher in matchers:
        if matcher.name == METRIC and matcher.op is MatchOp.EQUAL:
            return matcher.value
    return ""


class Pick:
    """The series that match.

    Attributes:
        matchers: all must hold, the one for the metric's name among them.
        space: their label sets.
        rows: int64[n], rows of the store that are picked, in the order of their label sets.
        targets: int64[n], for each of `rows` its row in `space`.

    """

    def __init__(self, matchers: tuple[Matcher, ...]) -> None:
        self.matchers = matchers
        self.space = LabelSpace()
        self.rows = np.zeros(0, np.int64)
        self.targets = np.zeros(0, np.int64)
        self._seen = 0
        self._epoch = -1
        self._store: SeriesStore | None = None
        self._route: Int64s | None = None

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
        metric = metric_of(self.matchers)
        if metric:
            fresh &= store.metrics == metric_hash(metric)
        new = np.flatnonzero(fresh).tolist()
        picked = [row for row in new if _match(self.matchers, store.labels(row))]
        if picked:
            key = partial(_place, store)
            picked.sort(key=key)
            at = [bisect_left(self.rows, key(row), key=key) for row in picked]
            self.rows = np.insert(self.rows, at, picked)
            targets = self._targets(store, np.array(picked, np.int64))
            self.targets = np.insert(self.targets, at, targets)
        self._route = None
        self._seen, self._epoch = store.generation, self.space.epoch

    def _targets(self, store: SeriesStore, rows: Int64s) -> Int64s:
        targets = [
            self.space.row_of(store.encoded(row), store.fingerprint(row)) for row in rows.tolist()
        ]
        return np.array(targets, np.int64)

    def route(self, store: SeriesStore) -> Int64s:
        """For each row of the store its row in `space`, -1 where it is not picked."""
        self.refresh(store)
        if self._route is None:
            self._route = np.full(len(store.born), -1, np.int64)
            self._route[self.rows] = self.targets
        return self._route


class Picks:
    """The picks of one engine, by matchers."""

    def __init__(self) -> None:
        self._known: WeakValueDictionary[tuple[Matcher, ...], Pick] = WeakValueDictionary()

    def of(self, matchers: tuple[Matcher, ...]) -> Pick:
        """The pick of these matchers, the one that others have where there is one."""
        found = self._known.get(matchers)
        if found is None:
            found = self._known[matchers] = Pick(matchers)
        return found


def _match(matchers: Iterable[Matcher], labels: Labels) -> bool:
    return all(matcher.matches(labels) for matcher in matchers)


def _place(store: SeriesStore, row: int) -> bytes:
    return order_key(store.encoded(row))
