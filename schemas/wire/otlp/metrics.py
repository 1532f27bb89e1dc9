"""Metrics: records of OTLP metrics to columns, all five kinds.

Gauges, sums, histograms and summaries have numbers of fixed width: a walk finds where those stand, then whole columns
are read (`layout`). Exponential histograms become native ones. Deltas are added up (`totals`); that a counter began
anew shows by its value, as Prometheus has it, so start times say only which deltas are the same.

A record that is no message is refused whole; points that are none, and label sets, are refused alone.
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from schemas.config.limits import LimitsConfig
from schemas.errors import DecodeError
from schemas.handles import make_handles
from schemas.histograms import NativeHistogram, find_fault, find_miscount
from schemas.reasons import DeadLetterReason, IgnoreReason
from schemas.samples import STALE_BITS
from schemas.wire.columns import WHOLE, Columns, Refusal, join, settled
from schemas.wire.format import count_fault, of_record
from schemas.wire.identity import NOWHERE
from schemas.wire.interner import Interner
from schemas.wire.otlp.context import Contexts
from schemas.wire.otlp.finder import Finder
from schemas.wire.otlp.layout import MOST_BYTES, Sketch, Sketches, at_any_byte, padded, to_ms
from schemas.wire.otlp.merged import Merged
from schemas.wire.otlp.metric import read_metric
from schemas.wire.otlp.points import Native, Points
from schemas.wire.otlp.protobuf import fields
from schemas.wire.otlp.totals import Totals
from schemas.wire.otlp.walk import RESOURCES, walk

_STALE = np.array([STALE_BITS], np.int64).view(np.float64)
_TWICE = "a delta with the times of the one before it"


class Metrics:
    """Decoder of metrics, record by record."""

    def __init__(self, limits: LimitsConfig, sketch_bytes: int = MOST_BYTES) -> None:
        """Remember sketches of records of so many bytes."""
        self._limits = limits
        self._contexts = Contexts(limits.series)
        self._sketches = Sketches(sketch_bytes)
        self._totals = Totals(limits.series)
        self._merged = Merged(limits.series)
        self._place = ""

    def begin(self, place: str) -> None:
        """Say which source partition the next records are of; what is remembered names it."""
        if place != self._place:
            self._place = place
            self._contexts = Contexts(self._limits.series)

    def follow(self, interner: Interner) -> None:
        """Forget ids that are no longer this interner's; asked before the records of a chunk."""
        if self._contexts.follow(interner):
            self._sketches.forget()

    def read(self, record: int, value: bytes, interner: Interner) -> Columns:
        """Columns of the samples of one record.

        Raises:
            DecodeError: it is no such record, or holds too many samples.

        """
        data = padded(value)
        key = _key(data, len(value))
        sketch = self._sketches.find(key, data)
        points = None
        unread: Counter[tuple[str, DeadLetterReason]] = Counter()
        if sketch is None:
            finder = Finder(data, interner, self._contexts, self._place)
            points = self._walk(data, len(value), finder, interner)
            sketch = points.sketch()
            unread = finder.unread
            if points.lasting:
                self._sketches.add(key, data, sketch)
        parts = [self._numbers(record, data, sketch, interner)]
        newest = np.full(len(sketch.infos), -1)
        np.maximum.at(newest, sketch.layout.resource, parts[0].times)
        if points is not None:
            first = len(sketch.layout.series)
            parts.append(self._natives(record, first, points.natives, newest, interner))
            for item, error in points.faults():
                parts[0].refuse(record, item, error.reason, error.detail, error.tenant)
            if points.exemplars:
                parts[0].ignored[IgnoreReason.EXEMPLAR] += points.exemplars
        if (parts[0].series < 0).any():
            parts[0] = parts[0].keep(parts[0].series >= 0)
        parts.append(_infos(record, sketch.infos, newest))
        told = [part for part in parts if len(part.times) or part.refused or part.ignored]
        columns = told[0] if len(told) == 1 else join(told or parts[:1])
        columns.unread = unread
        return columns

    def _walk(self, data: bytes, size: int, finder: Finder, interner: Interner) -> Points:
        points = Points(finder)
        for resource, scope, metrics in walk(data, size):
            context = self._contexts.find(data[slice(*resource)], data[slice(*scope)], interner)
            number = points.begin(context)
            for at, end in metrics:
                read_metric(data, at, end, context, number, points)
                if (fault := count_fault(len(points), self._limits)) is not None:
                    raise DecodeError(*fault)
        return points

    def _numbers(self, record: int, data: bytes, sketch: Sketch, interner: Interner) -> Columns:
        """Samples that are numbers; those with a series below 0 are refused."""
        layout = sketch.layout
        times, values = layout.read(data)
        columns = of_record(record, layout.series, times, values, np.arange(len(times)))
        columns.values, columns.meant = settled(values)
        deltas = layout.delta & ~layout.stale
        if layout.stale.any():
            columns.values = np.where(layout.stale, _STALE, columns.values)
            meant = columns.meant
            columns.meant = layout.stale if meant is None else meant | layout.stale
        if deltas.any():
            if columns.meant is not None:  # no sum comes of it, so it is refused
                columns.meant = columns.meant & ~deltas
            sound = np.isfinite(columns.values) & (times >= 0) & (layout.series >= 0)
            if interner.drops:  # what rules drop is one series for all
                sound &= interner.partitions(layout.series) != NOWHERE
            starts = at_any_byte(data)[layout.start_at]
            self._add_up(columns, np.flatnonzero(deltas & sound), starts, interner)
        return columns

    def _add_up(
        self,
        columns: Columns,
        at: NDArray[np.intp],
        starts: NDArray[np.uint64],
        interner: Interner,
    ) -> None:
        """Put totals in place of the deltas that stand at these places."""
        series = columns.series[at]
        told, totals, twice = self._totals.add(
            interner.fingerprints(series), columns.times[at], starts[at], columns.values[at]
        )
        if twice.any():
            columns.series = columns.series.copy()
            for row, id_ in zip(at[twice].tolist(), series[twice].tolist(), strict=True):
                tenant = _tenant(id_, interner)
                record = int(columns.records[row])
                columns.refuse(record, row, DeadLetterReason.REPEATED, _TWICE, tenant)
                columns.series[row] = -1
        columns.times[at], columns.values[at] = told, totals

    def _natives(
        self,
        record: int,
        first: int,
        natives: list[Native],
        newest: NDArray[np.int64],
        interner: Interner,
    ) -> Columns:
        """Samples that are native histograms; the first is the `first`-th of its record."""
        found: list[tuple[int, int, int, NativeHistogram | None]] = []
        refused: list[Refusal] = []
        times = [to_ms(native.point.time_ns) for native in natives]
        ids = np.array([native.series for native in natives], np.intp)
        prints = interner.fingerprints(ids).tolist()
        deltas = np.array([native.delta for native in natives], np.bool_)
        adds = deltas & (interner.partitions(ids) != NOWHERE)
        twice = [
            add and self._merged.has(print_, time, native.point.start_ns)
            for native, add, print_, time in zip(natives, adds.tolist(), prints, times, strict=True)
        ]
        for turn, (resource, _, series, point) in enumerate(natives):
            item, time = first + turn, times[turn]
            newest[resource] = max(newest[resource], time)
            fault = find_fault(point.histogram) or find_miscount(point.histogram)
            if point.stale:
                found.append((series, item, time, None))
            elif fault is not None:
                why = DeadLetterReason.BAD_HISTOGRAM
                refused.append(Refusal(record, item, why, fault, _tenant(series, interner)))
            elif twice[turn]:
                why = DeadLetterReason.REPEATED
                refused.append(Refusal(record, item, why, _TWICE, _tenant(series, interner)))
            elif not adds[turn] or time < 0:
                found.append((series, item, time, point.histogram))
            else:
                start = point.start_ns
                merged = self._merged.add(prints[turn], time, start, point.histogram)
                found.append((series, item, *merged))
        columns = of_record(
            record,
            np.array([series for series, *_ in found], np.intp),
            np.array([time for _, _, time, _ in found], np.int64),
            np.full(len(found), _STALE),
            np.array([item for _, item, *_ in found], np.intp),
        )
        columns.histograms = [h for *_, h in found if h is not None]
        counted = [h is not None for *_, h in found]
        columns.values[counted] = make_handles(len(columns.histograms))
        columns.meant = np.ones(len(found), np.bool_)
        columns.refused = refused
        return columns

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Columns that `restore` takes."""
        return {**self._totals.snapshot(), **self._merged.snapshot()}

    def restore(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Continue from a snapshot; raises CheckpointError where it is none."""
        self._totals.restore(columns)
        self._merged.restore(columns)


def _tenant(series: int, interner: Interner) -> str:
    return interner.tenants.names[interner.tenant_numbers(np.array([series])).item()]


def _infos(record: int, infos: tuple[int, ...], newest: NDArray[np.int64]) -> Columns:
    """A sample of `target_info` for each resource, at the newest of its times."""
    times: dict[int, int] = {}
    for series, time in zip(infos, newest.tolist(), strict=True):
        if series >= 0 and time >= 0:
            times[series] = max(time, times.get(series, time))
    count = len(times)
    return of_record(
        record,
        np.array(list(times), np.intp),
        np.array(list(times.values()), np.int64),
        np.ones(count),
        np.full(count, WHOLE),
    )


def _key(data: bytes, size: int) -> tuple[int, bytes]:
    """What records of one producer have alike: their size, and their first resource."""
    for tag, at, end in fields(data, 0, size):
        if tag == RESOURCES:
            for _, first, last in fields(data, at, end):
                return size, data[first:last]
        break
    return size, b""
