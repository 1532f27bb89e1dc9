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

from schemas.labels import (
    METRIC,
    Matcher,
    MatchOp,
    decode_labels,
    encode_labels,
    metric_hash,
    order_key,
)
from schemas.samples import Int64s
from streams.rules.vector import LabelSpace
from streams.windows.series import SeriesStore

SEARCH = 16
"""To find the place of a new series among others, so many of these are looked at."""


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
        route: int32[store], for each row of the store its row in `space`, -1 where it is not picked.

    """

    def __init__(self, matchers: tuple[Matcher, ...]) -> None:
        self.matchers = matchers
        self.space = LabelSpace()
        self.rows = np.zeros(0, np.int64)
        self.route = np.zeros(0, np.int32)
        self._metric = metric_of(matchers)
        # canonical bytes of most label sets of the metric begin so
        self._begin = encode_labels(((METRIC, self._metric),))[:-1]
        self._seen = 0
        self._epoch = -1
        self._store: SeriesStore | None = None

    @property
    def targets(self) -> Int64s:
        """For each of `rows` its row in `space`."""
        return self.targets_of(self.rows)

    def targets_of(self, rows: Int64s) -> Int64s:
        """Row in `space` of each of these rows of the store, -1 for those that are not picked."""
        return self.route[rows].astype(np.int64)

    def refresh(self, store: SeriesStore) -> None:
        """Look at the series that are new since the last time."""
        if store is not self._store:
            self._store, self._seen = store, -1
            self.rows = np.zeros(0, np.int64)
        elif store.generation == self._seen and self.space.epoch == self._epoch:
            return
        # the store's columns get shorter where many series have gone
        stayed = self.rows[self.rows < len(store.born)]
        fresh = store.born > max(0, self._seen)
        stayed = stayed[(store.born[stayed] > 0) & ~fresh[stayed]]
        route = np.full(len(store.born), -1, np.int32)
        same = self.space.epoch == self._epoch
        route[stayed] = self.route[stayed] if same else self._targets(store, stayed)
        self.rows, self.route = stayed, route
        if self._metric:
            fresh &= store.metrics == metric_hash(self._metric)
        self._pick(store, np.flatnonzero(fresh))
        self._seen, self._epoch = store.generation, self.space.epoch

    def _pick(self, store: SeriesStore, new: Int64s) -> None:
        """Put those of these rows that match among the others."""
        placed = sorted(
            (order_key(encoded), row)
            for row in new.tolist()
            if self._matches(encoded := store.encoded(row))
        )
        if not placed:
            return
        place = partial(_place, store)
        if len(placed) * SEARCH > len(self.rows):
            places = list(map(place, self.rows.tolist()))
            at = [bisect_left(places, key) for key, _ in placed]
        else:
            at = [bisect_left(self.rows, key, key=place) for key, _ in placed]
        picked = np.array([row for _, row in placed])
        self.rows = np.insert(self.rows, at, picked)
        self.route[picked] = self._targets(store, picked)

    def _matches(self, encoded: bytes) -> bool:
        if len(self.matchers) == 1 and self._metric and encoded.startswith(self._begin):
            return True
        labels = decode_labels(encoded)
        return all(matcher.matches(labels) for matcher in self.matchers)

    def _targets(self, store: SeriesStore, rows: Int64s) -> Int64s:
        packed = [store.packed(row) for row in rows.tolist()]
        return self.space.labels.numbers_of(packed, store.fingerprints(rows))


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


def _place(store: SeriesStore, row: int) -> bytes:
    return order_key(store.encoded(row))
