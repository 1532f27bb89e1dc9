"""SeriesStore: samples of many series as columns, bounded by a number of series and by retention.

A series is a row. Rows are stable while the series lives and may be used again after it has been retired. Samples of a
row are kept in the order of time, one for each time: the first that came. A stale marker is not a sample: it ends
the one before it. Rules must be evaluated at times not before the newest sample, because what only an
earlier evaluation could see may already be gone.

It refuses series above its cap (row -1), and samples not newer than what their row holds; it says which.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.errors import CheckpointError
from schemas.labels import (
    METRIC,
    TENANT,
    Labels,
    decode_labels,
    fingerprint,
    fingerprint_bytes,
    get_label,
)
from schemas.samples import STALE_BITS, Float64s, Int64s, UInt64s
from streams.windows.arena import NEVER, Arena, Windows, stretch_index
from streams.windows.blocks import Bools
from streams.windows.columns import pack_labels, unpack_labels

LOOKBACK_MS = 300_000
BEFORE_ALL_MS = int(np.iinfo(np.int64).min)


class Instant(NamedTuple):
    """The latest sample of some rows: values and times mean nothing where `valid` is false."""

    values: Float64s
    times: Int64s
    valid: Bools


def metric_hash(name: str) -> np.uint64:
    """By this the store tells the metric of a row without looking at labels; collisions do exist."""
    return np.uint64(fingerprint_bytes(name.encode()))


class SeriesStore:
    """Samples of many series.

    Attributes:
        generation: grows when a series is added or retired.
        newest_ms: event time of the newest sample so far.
        retention_ms: samples older than `newest_ms` minus this may go.
        born: int64[capacity], the generation at which a row came into use; 0 where it is not in use.
        metrics: uint64[capacity], `metric_hash` of each row.

    """

    def __init__(self, *, max_series: int) -> None:
        self.max_series = max_series
        self.generation = 0
        self._empty()

    def _empty(self) -> None:
        self.newest_ms = BEFORE_ALL_MS
        self.retention_ms = LOOKBACK_MS
        self.born = np.zeros(0, np.int64)
        self.metrics = np.zeros(0, np.uint64)
        self._last = np.zeros(0, np.int64)
        self._heard = np.zeros(0, np.int64)
        self._labels: list[Labels] = []
        self._fingerprints: list[int] = []
        self._row_of: dict[int, int] = {}
        self._free: list[int] = []
        self._tenants: set[str] = set()
        self._arena = Arena()

    def __len__(self) -> int:
        return len(self._row_of)

    @property
    def tenants(self) -> tuple[str, ...]:
        """Tenants known, sorted; also those whose series are gone. An empty store knows the nameless one."""
        return tuple(sorted(self._tenants)) or ("",)

    def labels(self, row: int) -> Labels:
        """Label set of a row in use."""
        return self._labels[row]

    def rows(self, fingerprints: UInt64s, label_bytes: Sequence[bytes]) -> Int64s:
        """Row of each label set; a new one is decoded and added, or gets -1 when the store is full."""
        prints = fingerprints.tolist()
        found = list(map(self._row_of.get, prints))
        if None in found:
            added = False
            for at, row in enumerate(found):
                if row is None:
                    known = self._row_of.get(prints[at])
                    if known is None and len(self._row_of) < self.max_series:
                        if not added:
                            added, self.generation = True, self.generation + 1
                        known = self._add(prints[at], decode_labels(label_bytes[at]))
                    found[at] = -1 if known is None else known
        return np.array(found, np.int64)

    def retain(self, ms: int) -> None:
        """Keep at least this much of the past."""
        self.retention_ms = max(self.retention_ms, ms)

    def touch(self, rows: Int64s, times: Int64s) -> None:
        """Note samples that were heard but not appended: they wait for their time, or are never kept."""
        np.maximum.at(self._heard, rows, times)

    def append(self, rows: Int64s, times: Int64s, values: Float64s) -> Bools:
        """Take in samples sorted by (row, time); says which were taken, the others being -1, repeated or too old."""
        taken = rows >= 0
        taken &= times > self._last[rows] if len(self._last) else False
        taken[1:] &= (rows[1:] != rows[:-1]) | (times[1:] > times[:-1])
        if taken.any():
            self._write(rows[taken], times[taken], values[taken])
        return taken

    def instant(self, rows: Int64s, t_ms: int, lookback_ms: int) -> Instant:
        """The last sample of each row in (t_ms - lookback_ms, t_ms], none where a stale marker follows it."""
        columns = self._arena.columns
        at = self._arena.after(rows, t_ms)
        there = at > self._arena.head[rows]
        at -= 1
        times = columns.times[at]
        valid = there & (times > t_ms - lookback_ms) & (columns.ended[at] > t_ms)
        return Instant(columns.values[at], times, valid)

    def window(self, rows: Int64s, start_ms: int, end_ms: int) -> Windows:
        """Samples of each row in (start_ms, end_ms], without stale markers. Valid until the next append."""
        low = self._arena.after(rows, start_ms)
        return Windows(self._arena.columns, low, self._arena.after(rows, end_ms), start_ms, end_ms)

    def retire(self, before_ms: int) -> list[int]:
        """Forget the series whose last sample or stale marker is older; their rows may be used again."""
        heard = np.maximum(self._last, self._heard)
        gone = np.flatnonzero((self.born > 0) & (heard < before_ms))
        if len(gone):
            self.generation += 1
            self._arena.drop(gone)
            self.born[gone] = 0
            for row in gone.tolist():
                del self._row_of[self._fingerprints[row]]
                self._labels[row] = ()
            self._free = sorted([*self._free, *gone.tolist()], reverse=True)
        return gone.tolist()

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Everything as columns."""
        rows = np.flatnonzero(self.born > 0)
        low = self._arena.after(rows, self._expired_ms)
        counts = self._arena.tail[rows] - low
        index = stretch_index(low, counts)
        columns = self._arena.columns
        return {
            **pack_labels(self._labels[row] for row in rows.tolist()),
            "rows": rows,
            "last": self._last[rows],
            "heard": self._heard[rows],
            "counts": counts,
            "times": columns.times[index],
            "values": columns.values[index],
            "ended": columns.ended[index],
            "bounds": np.array([self.newest_ms, self.retention_ms], np.int64),
            "tenants": np.frombuffer(msgspec.json.encode(sorted(self._tenants)), np.uint8),
        }

    def restore(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Become what `snapshot` was taken of: rows keep their numbers.

        Raises:
            CheckpointError: a column is missing, or they do not fit together.

        """
        labels = unpack_labels(columns)
        try:
            rows = columns["rows"].astype(np.int64)
            counts = columns["counts"].astype(np.int64)
            times, values = columns["times"].astype(np.int64), columns["values"].astype(float)
            ended, last = columns["ended"].astype(np.int64), columns["last"].astype(np.int64)
            heard = columns["heard"].astype(np.int64)
            newest, retention = columns["bounds"].tolist()
            tenants = msgspec.json.decode(columns["tenants"].tobytes(), type=set[str])
        except (KeyError, ValueError, msgspec.MsgspecError) as error:
            raise CheckpointError(f"series of a checkpoint: {error!r}") from error
        if len({len(labels), len(rows), len(counts), len(last), len(heard)}) != 1 or (
            len({len(times), len(values), len(ended), int(counts.sum())}) != 1
        ):
            raise CheckpointError("series of a checkpoint: columns of different lengths")
        # Whoever keeps rows of this store must find them in its columns, and find them all new.
        size = max(len(self.born), int(rows.max(initial=-1)) + 1)
        self._empty()
        self.generation += 1
        self.retention_ms = retention
        self._widen(size)
        self._free = sorted(set(range(size)) - set(rows.tolist()), reverse=True)
        for row, each in zip(rows.tolist(), labels, strict=True):
            self._occupy(row, fingerprint(each), each)
        if len(times):
            self._write(np.repeat(rows, counts), times, values)
            self._arena.columns.ended[stretch_index(self._arena.head[rows], counts)] = ended
        self._last[rows] = last
        self._heard[rows] = heard
        self.newest_ms = newest
        self._tenants = tenants

    @property
    def _expired_ms(self) -> int:
        return max(BEFORE_ALL_MS + self.retention_ms, self.newest_ms) - self.retention_ms

    def _add(self, print_: int, labels: Labels) -> int:
        if not self._free:
            size = len(self._labels)
            wider = min(self.max_series, max(1024, 2 * size))
            self._widen(wider)
            self._free = list(range(wider - 1, size - 1, -1))
        row = self._free.pop()
        self._occupy(row, print_, labels)
        return row

    def _occupy(self, row: int, print_: int, labels: Labels) -> None:
        self._row_of[print_] = row
        self._labels[row] = labels
        self._fingerprints[row] = print_
        self.born[row] = self.generation
        self.metrics[row] = metric_hash(get_label(labels, METRIC))
        self._last[row] = BEFORE_ALL_MS
        self._heard[row] = BEFORE_ALL_MS
        self._tenants.add(get_label(labels, TENANT))
        if len(self._tenants) > self.max_series:
            rows = np.flatnonzero(self.born > 0).tolist()
            self._tenants = {get_label(self._labels[each], TENANT) for each in rows}

    def _widen(self, size: int) -> None:
        more = size - len(self._labels)
        self.born = np.concatenate((self.born, np.zeros(more, np.int64)))
        self.metrics = np.concatenate((self.metrics, np.zeros(more, np.uint64)))
        self._last = np.concatenate((self._last, np.full(more, BEFORE_ALL_MS)))
        self._heard = np.concatenate((self._heard, np.full(more, BEFORE_ALL_MS)))
        self._labels.extend([()] * more)
        self._fingerprints.extend([0] * more)
        self._arena.widen(size)

    def _write(self, rows: Int64s, times: Int64s, values: Float64s) -> None:
        """Append samples that have been found new, stale markers among them."""
        arena = self._arena
        starts = np.flatnonzero(np.concatenate(([True], rows[1:] != rows[:-1])))
        lengths = np.diff(starts, append=len(rows))
        distinct = rows[starts]
        self._last[distinct] = times[starts + lengths - 1]
        self.newest_ms = max(self.newest_ms, int(times.max()))

        live = values.view(np.int64) != STALE_BITS
        seen = np.cumsum(live)
        counts = np.add.reduceat(live, starts, dtype=np.int64)
        arena.reserve(distinct, counts, self._expired_ms)
        columns = arena.columns
        # Each live sample goes behind those before it in its run; a marker gets the place of the sample it ends.
        ahead = seen[starts] - live[starts]
        place = np.repeat(arena.tail[distinct] - ahead - 1, lengths) + seen

        at = place[live]
        columns.times[at] = times[live]
        columns.values[at] = values[live]
        columns.ended[at] = NEVER
        self._count_resets(distinct, counts, at)
        arena.tail[distinct] += counts
        ending = ~live & (place >= np.repeat(arena.head[distinct], lengths))
        np.minimum.at(columns.ended, place[ending], times[ending])

    def _count_resets(self, rows: Int64s, counts: Int64s, at: Int64s) -> None:
        """Carry on the running count of falls of these rows over the new samples at `at`, `counts` of each row."""
        arena, columns = self._arena, self._arena.columns
        rows, counts = rows[counts > 0], counts[counts > 0]
        if not len(rows):
            return
        tail = arena.tail[rows]
        has_past = tail > arena.head[rows]
        fallen = np.zeros(len(at), np.int64)
        fallen[1:] = columns.values[at[1:]] < columns.values[at[:-1]]
        starts = np.cumsum(counts) - counts
        fallen[starts] = has_past & (columns.values[tail] < columns.values[tail - 1])
        running = np.cumsum(fallen)
        base = np.where(has_past, columns.resets[tail - 1], 0) - running[starts] + fallen[starts]
        columns.resets[at] = running + np.repeat(base, counts)
