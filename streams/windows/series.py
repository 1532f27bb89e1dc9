"""SeriesStore: samples of many series as columns, bounded by a number of series and by retention.

A series is a row. Rows are stable while the series lives and may be used again after it has been retired; where far
fewer are left, the columns get shorter. Samples of a row are kept in the order of time, one for each time: the first
that came. A stale marker is not a sample: it ends the one before it. Rules must be evaluated at times not before the
newest sample, because what only an earlier evaluation could see may already be gone.

It refuses series above its cap or their tenant's (row -1), and samples not newer than what their row holds; it says
which.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.errors import CheckpointError
from schemas.fingerprints import FingerprintIndex, fingerprints_of
from schemas.labels import METRIC, TENANT, Labels, decode_labels, get_label, metric_hash
from schemas.numbers import FreeNumbers
from schemas.samples import Float64s, Int64s, UInt64s
from streams.windows.arena import NEVER, Arena, Edges, Windows, fitted, stretch_index
from streams.windows.blocks import Bools
from streams.windows.columns import pack_label_bytes, unpack_label_bytes
from streams.windows.cursor import Cursor
from streams.windows.histograms import Bag
from streams.windows.packed import NOTHING, Packed, pack, unpack
from streams.windows.tenants import StoreTenants
from streams.windows.writing import write_samples

LOOKBACK_MS = 300_000
LEAST_ROWS = 1024
SPARE_ROWS = 8
"""The columns get room for one more row for each so many."""
BEFORE_ALL_MS = int(np.iinfo(np.int64).min)


class Instant(NamedTuple):
    """The latest sample of some rows: values and times mean nothing where `valid` is false."""

    values: Float64s
    times: Int64s
    valid: Bools


class SeriesStore:
    """Samples of many series.

    Attributes:
        generation: grows when a series is added or retired.
        retirements: grows when a row may have gone to another series.
        newest_ms: event time of the newest sample so far.
        retention_ms: samples older than `newest_ms` minus this may go.
        born: int32[capacity], the generation at which a row came into use; 0 where it is not in use.
        metrics: uint32[capacity], `metric_hash` of each row.
        bag: the native histograms among the samples.

    """

    def __init__(
        self,
        *,
        max_series: int,
        max_per_tenant: int | None = None,
        retention_ms: int = LOOKBACK_MS,
    ) -> None:
        self.max_series = max_series
        self._max_per_tenant = max_series if max_per_tenant is None else max_per_tenant
        self.retention_ms = retention_ms
        self.generation = 0
        self.retirements = 0
        self._empty()

    def _empty(self) -> None:
        self.newest_ms = BEFORE_ALL_MS
        self.born = np.zeros(0, np.int32)
        self.metrics = np.zeros(0, np.uint32)
        self._last = np.zeros(0, np.int64)
        self._heard = np.zeros(0, np.int64)
        self._labels: list[Packed] = []
        self._index = FingerprintIndex()
        self._free = FreeNumbers()
        self._tenants = StoreTenants(self.max_series, self._max_per_tenant)
        self._arena = Arena()
        self.bag = Bag()

    def __len__(self) -> int:
        return len(self._index)

    @property
    def tenants(self) -> tuple[str, ...]:
        """Tenants with samples, sorted; also those whose series are gone. An empty store knows the nameless one."""
        return tuple(self._tenants.heard) or ("",)

    def labels(self, row: int) -> Labels:
        """Label set of a row in use."""
        return decode_labels(self.encoded(row))

    def encoded(self, row: int) -> bytes:
        """Canonical bytes of the label set of a row in use."""
        return unpack(self._labels[row])

    def packed(self, row: int) -> Packed:
        """The same, as it is held."""
        return self._labels[row]

    def since(self, rows: Int64s, time_ms: int) -> Int64s:
        """Those of some rows whose newest sample came after a time, ms."""
        return rows[self._last[rows] > time_ms]

    def fingerprints(self, rows: Int64s) -> UInt64s:
        """Fingerprints of the label sets of rows in use."""
        return self._index.fingerprints(rows)

    def rows(self, fingerprints: UInt64s, label_bytes: Sequence[bytes]) -> Int64s:
        """Row of each label set; a new one is decoded and added, or gets -1 where it or its tenant has no room."""
        rows = self._index.find(fingerprints)
        if len(rows) and rows.min() < 0:
            self._add(fingerprints, label_bytes, rows)
        return rows

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
        if taken.all():
            self._write(rows, times, values)
        elif taken.any():
            self._write(rows[taken], times[taken], values[taken])
        return taken

    def forget_histograms(self) -> None:
        """Drop those that no sample names any more, now and then."""
        if self.bag.is_full:
            counts = self._arena.tail - self._arena.head
            index = stretch_index(self._arena.head, counts)
            self.bag.keep(self._arena.columns.values[index])

    def instant(self, rows: Int64s, t_ms: int, lookback_ms: int) -> Instant:
        """The last sample of each row in (t_ms - lookback_ms, t_ms], none where a stale marker follows it."""
        columns = self._arena.columns
        at = self._arena.after(rows, t_ms)
        there = at > self._arena.head[rows]
        at -= 1
        times = columns.times[at]
        valid = there & (times > t_ms - lookback_ms)
        if columns.ended is not None:
            valid &= columns.ended[at] > t_ms
        return Instant(columns.values[at], times, valid)

    def window(
        self,
        rows: Int64s,
        start_ms: int,
        end_ms: int,
        cursor: Cursor | None = None,
        *,
        edges: bool = False,
    ) -> Windows:
        """Samples of each row in (start_ms, end_ms], without stale markers. Valid until the next append.

        A cursor that goes with the rows spares the search for where the windows begin; `edges` asks for those.
        """
        arena = self._arena
        if cursor is None or end_ms < self.newest_ms:
            low, high = arena.after(rows, start_ms), arena.after(rows, end_ms)
            return Windows(arena.columns, low, high, start_ms, end_ms)
        found = cursor.after(arena, rows, start_ms, self.retirements)
        known = None
        if edges:
            ends = arena.ends
            falls = ends.fell.take(rows) > found.numbers
            known = Edges(found.times, ends.newest_ms.take(rows), ends.newest.take(rows), falls)
        return Windows(
            arena.columns, found.at, found.tail, start_ms, end_ms, origin=found.origin, edges=known
        )

    def cut(self, rows: Int64s, after_ms: int) -> tuple[Int64s, Int64s, Float64s]:
        """Forget what these distinct rows hold after a time; rows, times and values of it, as `append` takes them."""
        self._last[rows] = np.minimum(self._last[rows], after_ms)
        # whoever has read these rows reads them anew
        self.generation += 1
        self.born[rows] = self.generation
        return self._arena.cut(rows, after_ms)

    def retire(self, before_ms: int) -> list[int]:
        """Forget the series whose last sample or stale marker is older; their rows may be used again."""
        heard = np.maximum(self._last, self._heard)
        gone = np.flatnonzero((self.born > 0) & (heard < before_ms))
        if len(gone):
            self.generation += 1
            self.retirements += 1
            self._arena.drop(gone)
            self.born[gone] = 0
            self._tenants.remove(gone)
            for row in gone.tolist():
                self._labels[row] = NOTHING
            alive = np.flatnonzero(self.born > 0)
            self._index.replace(self._index.fingerprints(alive), alive)
            size = max(LEAST_ROWS, 2 * (int(alive.max(initial=-1)) + 1))
            if 2 * size <= len(self.born):
                self._resize(size)
            self._free = FreeNumbers(np.flatnonzero(self.born == 0)[::-1])
        return gone.tolist()

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Everything as columns."""
        rows = np.flatnonzero(self.born > 0)
        low = self._arena.after(rows, self._expired_ms)
        counts = self._arena.tail[rows] - low
        index = stretch_index(low, counts)
        columns = self._arena.columns
        values = columns.values.take(index)
        return {
            **pack_label_bytes([unpack(self._labels[row]) for row in rows.tolist()]),
            "rows": rows,
            "last": self._last[rows],
            "heard": self._heard[rows],
            "counts": counts,
            "times": columns.times.take(index),
            "values": values,
            "ended": index[:0] if columns.ended is None else columns.ended[index],
            "histograms": self.bag.snapshot(values),
            "bounds": np.array([self.newest_ms, self.retention_ms], np.int64),
            "tenants": np.frombuffer(msgspec.json.encode(self._tenants.heard), np.uint8),
        }

    def restore(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Become what `snapshot` was taken of: rows keep their numbers.

        Raises:
            CheckpointError: a column is missing, or they do not fit together.

        """
        labels = unpack_label_bytes(columns)
        try:
            decoded = [decode_labels(each) for each in labels]
            rows, counts = (columns[name].astype(np.int64) for name in ("rows", "counts"))
            times, values = columns["times"].astype(np.int64), columns["values"].astype(float)
            ended, last, heard = (
                columns[name].astype(np.int64) for name in ("ended", "last", "heard")
            )
            if not len(ended):
                ended = np.full(len(times), NEVER)
            # how long samples are kept is for the rules of now to say, not for those of the snapshot
            newest, _ = columns["bounds"].tolist()
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
        self.bag.restore(columns)
        self.generation += 1
        self.retirements += 1
        self._resize(size)
        free = np.ones(size, np.bool_)
        free[rows] = False
        self._free = FreeNumbers(np.flatnonzero(free)[::-1])
        for at, row in enumerate(rows.tolist()):
            self._occupy(row, labels[at], decoded[at])
        self._index.replace(fingerprints_of(labels), rows)
        if len(times):
            self._write(np.repeat(rows, counts), times, values)
            marked = ended != NEVER
            at = stretch_index(self._arena.head[rows], counts)[marked]
            self._arena.columns.end(at, ended[marked])
        self._last[rows] = last
        self._heard[rows] = heard
        self.newest_ms = newest
        self._tenants.remember(sorted(tenants))

    @property
    def _expired_ms(self) -> int:
        return max(BEFORE_ALL_MS + self.retention_ms, self.newest_ms) - self.retention_ms

    def _add(self, prints: UInt64s, label_bytes: Sequence[bytes], rows: Int64s) -> None:
        """Give rows to the series that have none, as long as there is room."""
        added: dict[int, int] = {}
        room = self.max_series - len(self)
        for at in np.flatnonzero(rows < 0).tolist():
            print_ = prints.item(at)
            if print_ not in added:
                if len(added) == room or self._tenants.refused(print_):
                    continue
                encoded = bytes(label_bytes[at])
                labels = decode_labels(encoded)
                if not self._tenants.admits(get_label(labels, TENANT), print_):
                    continue
                # rules look for new series whenever it grows
                self.generation += not added
                added[print_] = self._free_row()
                self._occupy(added[print_], encoded, labels)
            rows[at] = added[print_]
        self._index.add(np.array([*added], np.uint64), np.array([*added.values()], np.int64))

    def _free_row(self) -> int:
        if not self._free:
            size = len(self._labels)
            wider = min(self.max_series, max(LEAST_ROWS, size + size // SPARE_ROWS))
            self._resize(wider)
            self._free = FreeNumbers(np.arange(wider - 1, size - 1, -1))
        return self._free.pop()

    def _occupy(self, row: int, encoded: bytes, labels: Labels) -> None:
        self._labels[row] = pack(encoded)
        self.born[row] = self.generation
        self.metrics[row] = metric_hash(get_label(labels, METRIC))
        self._last[row] = BEFORE_ALL_MS
        self._heard[row] = BEFORE_ALL_MS
        self._tenants.add(row, get_label(labels, TENANT))

    def _resize(self, size: int) -> None:
        """Have this many places; what lies behind them is not in use."""
        self.born = fitted(self.born, size, 0)
        self.metrics = fitted(self.metrics, size, 0)
        self._last = fitted(self._last, size, BEFORE_ALL_MS)
        self._heard = fitted(self._heard, size, BEFORE_ALL_MS)
        self._labels = self._labels[:size] + [NOTHING] * (size - len(self._labels))
        self._tenants.resize(size)
        self._arena.resize(size)

    def _write(self, rows: Int64s, times: Int64s, values: Float64s) -> None:
        """Append samples that have been found new, stale markers among them."""
        if len(rows):
            self.newest_ms = max(self.newest_ms, int(times.max()))
            distinct, last = write_samples(self._arena, rows, times, values, self._expired_ms)
            self._last[distinct] = times[last]
            self._tenants.hear(distinct)
