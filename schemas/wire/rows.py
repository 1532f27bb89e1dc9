"""Rows: records of several samples that share labels and time, such as a measurement with its fields.

A row is known by a key: whatever tells its label sets cheaply, as the bytes of its tags. The ids of a known row are
found in one look, or in one for each field where a producer writes fields in any order; only a new one has its labels
read.

Nothing is remembered of a series that was refused, and everything is forgotten at a cap.
"""

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from schemas.config.limits import LimitsConfig
from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason, IgnoreReason
from schemas.wire.columns import WHOLE, Columns, Refusal
from schemas.wire.format import count_fault
from schemas.wire.interner import Interner

Ids = tuple[int, ...]
Series = tuple[str, bytes, Mapping[str, str]]
"""Metric, raw form of the labels and labels of a series, as an interner takes them."""
REFUSED = -1


def check_fields(fields: Collection[str], item: int, limits: LimitsConfig) -> None:
    """Refuse a row without samples, or with more than its record may have from item `item` on; raises DecodeError."""
    if not fields:
        raise DecodeError(DeadLetterReason.MISSING_VALUE, "no field is a number")
    if (fault := count_fault(item + len(fields), limits)) is not None:
        raise DecodeError(*fault)


class KnownRows:
    """Ids of rows by their key; at most so many ids."""

    def __init__(self, most_ids: int) -> None:
        self._most_ids = most_ids
        self._count = 0
        self._interner: Interner | None = None
        self._resets = -1
        self.ids: dict[Hashable, Ids] = {}
        self.fields: dict[Hashable, dict[Hashable, int]] = {}

    def follow(self, interner: Interner) -> None:
        """Forget everything where the ids are no longer this interner's."""
        if self._interner is not interner or self._resets != interner.resets:
            self._interner, self._resets = interner, interner.resets
            self._forget()

    def add(self, key: Hashable, ids: Ids) -> None:
        """Remember a row."""
        if self._count + len(ids) > self._most_ids:
            self._forget()
        self._count += len(ids)
        self.ids[key] = ids

    def add_fields(self, key: Hashable, ids: Mapping[Hashable, int]) -> None:
        """Remember fields of a row."""
        if self._count + len(ids) > self._most_ids:
            self._forget()
        fields = self.fields.setdefault(key, {})
        self._count += len(ids)
        fields.update(ids)

    def _forget(self) -> None:
        self.ids.clear()
        self.fields.clear()
        self._count = 0


class Rows:
    """The rows of one chunk, in its order."""

    def __init__(self, known: KnownRows, interner: Interner) -> None:
        known.follow(interner)
        self._known = known
        self._interner = interner
        self.known = known.ids.get
        self.fields_of = known.fields
        self.refused: list[Refusal] = []
        self.ignored: Counter[IgnoreReason] = Counter()
        self.records: list[int] = []
        self.ids: list[Ids] = []
        self.times: list[float | str] = []
        self.values: list[float] = []
        self._items: dict[int, int] = {}

    def add(
        self, record: int, ids: Ids, time: float | str, values: Iterable[float], item: int = 0
    ) -> None:
        """Add a row of a record, whose samples have these ids; `item` is the index of the first of them there."""
        if item:
            self._items[len(self.records)] = item
        self.records.append(record)
        self.ids.append(ids)
        self.times.append(time)
        self.values += values

    def refuse(self, record: int, item: int, reason: DeadLetterReason, detail: str) -> None:
        """Note a refusal."""
        self.refused.append(Refusal(record, item, reason, detail))

    def extend(
        self,
        records: Iterable[int],
        ids: Iterable[Ids],
        times: Iterable[float | str],
        values: Iterable[float],
    ) -> None:
        """Add many rows, each with all samples of its record."""
        self.records += records
        self.ids += ids
        self.times += times
        self.values += values

    def by_field(self, key: Hashable, fields: Iterable[Hashable]) -> Ids | None:
        """Ids of these fields of a row; None where one of them is not known."""
        known = self._known.fields.get(key)
        if known is None:
            return None
        try:
            return tuple(map(known.__getitem__, fields))
        except KeyError:
            return None

    def intern_fields(
        self,
        key: Hashable,
        fields: Sequence[Hashable],
        record: int,
        series: Sequence[Series],
        item: int,
    ) -> Ids:
        """Ids of the series of these fields, `REFUSED` where one is refused."""
        found = self._interned(record, series, item)
        ids = {f: n for f, n in zip(fields, found, strict=True) if n != REFUSED}
        self._known.add_fields(key, ids)
        return found

    def remember(self, key: Hashable, ids: Ids) -> None:
        """Know a row by another key too."""
        self._known.add(key, ids)

    def intern(self, key: Hashable, record: int, series: Sequence[Series], item: int = 0) -> Ids:
        """Ids of the series of a row that is not known, `REFUSED` where one is refused."""
        found = self._interned(record, series, item)
        if REFUSED not in found:
            self._known.add(key, found)
        return found

    def _interned(self, record: int, series: Sequence[Series], item: int) -> Ids:
        ids = []
        for at, (metric, raw, labels) in enumerate(series):
            try:
                ids.append(self._interner.intern(metric, raw, labels))
            except DecodeError as error:
                ids.append(REFUSED)
                place = item + at if item or len(series) > 1 else WHOLE
                self.refused.append(
                    Refusal(record, place, error.reason, error.detail, error.tenant)
                )
        return tuple(ids)

    def columns(self, to_ms: Callable[[Sequence[float | str]], NDArray[np.int64]]) -> Columns:
        """The samples of all rows; `to_ms` makes event times, -1 where there is none."""
        columns = self.whole(to_ms)
        refused = columns.series < 0
        return columns.keep(~refused) if refused.any() else columns

    def whole(self, to_ms: Callable[[Sequence[float | str]], NDArray[np.int64]]) -> Columns:
        """The same with those whose series is refused, which is `REFUSED` there."""
        rows = len(self.ids)
        counts = np.fromiter(map(len, self.ids), np.intp, rows)
        total = len(self.values)
        series = np.fromiter(chain.from_iterable(self.ids), np.intp, total)
        firsts = np.cumsum(counts) - counts
        items = np.arange(total)
        items -= np.repeat(firsts, counts)
        starts = np.zeros(rows, np.intp)
        for row, item in self._items.items():
            starts[row] = item
        records = np.array(self.records, np.intp)
        items += np.repeat(starts, counts)
        # a record that is one sample
        alone = (counts == 1) & (starts == 0)
        if rows > 1:
            same = records[1:] == records[:-1]
            alone[1:] &= ~same
            alone[:-1] &= ~same
        items[np.repeat(alone, counts)] = WHOLE
        return Columns(
            series,
            np.repeat(to_ms(self.times), counts),
            np.array(self.values, np.float64),
            np.repeat(records, counts),
            items,
            self.refused,
            ignored=self.ignored,
        )
