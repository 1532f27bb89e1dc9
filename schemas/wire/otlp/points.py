"""Points: the samples of one record of metrics, found where they stand.

Numbers of gauges and sums come first, then the samples of histograms and summaries, which are several a point.
Exponential histograms have no numbers of fixed width: their points are kept as they were read.

Refuses label sets alone; what is no message it refuses by raising.
"""

from typing import NamedTuple

import numpy as np

from schemas.errors import DecodeError
from schemas.wire.otlp.context import Context, Metric
from schemas.wire.otlp.exponential import Exponential
from schemas.wire.otlp.finder import UNKNOWN, Fault, Finder
from schemas.wire.otlp.histogram import Point
from schemas.wire.otlp.layout import PADDING, Layout, Sketch, join
from schemas.wire.otlp.names import TARGET_INFO
from schemas.wire.otlp.numbers import Numbers


class Native(NamedTuple):
    """A point of an exponential histogram: its resource's number, whether it is to be added up, and its series' id."""

    resource: int
    delta: bool
    series: int
    point: Exponential


class _Row(NamedTuple):
    series: int
    resource: int
    time_at: int
    start_at: int
    value_at: int
    number: int
    head: int
    delta: bool
    stale: bool


class Points:
    """What is found in a record.

    Attributes:
        numbers: points of gauges and sums.
        natives: points of exponential histograms.

    """

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self.numbers = Numbers(finder)
        self._rows: list[_Row] = []
        self._moving: list[int] = []
        self._faults: list[Fault] = []
        self._others: list[DecodeError] = []
        self._contexts: list[Context] = []
        self._exemplars = 0
        self._lasting = True
        self.natives: list[Native] = []

    def __len__(self) -> int:
        return len(self.numbers) + len(self._rows) + len(self.natives)

    def refuse(self, error: DecodeError) -> None:
        """Note that something of no one sample is refused."""
        self._others.append(error)

    def note(self) -> None:
        """Say that a metric is remembered more."""
        self._finder.note(1)

    def begin(self, context: Context) -> int:
        """Say of which resource the next points are; its number in the record."""
        self._contexts.append(context)
        return len(self._contexts) - 1

    @property
    def exemplars(self) -> int:
        """How many exemplars the points have."""
        return self._exemplars + self.numbers.exemplars

    def add(self, metric: Metric, resource: int, point: Point) -> None:
        """Take in a point of a histogram or a summary."""
        self._exemplars += point.exemplars
        self._lasting &= not (point.exemplars or point.stale)
        self._moving += point.moving
        empty = len(self._finder.data) - PADDING
        time_at, start_at, *values = (
            at if at >= 0 else empty
            for at in (point.time_at, point.start_at, *(at for at, _ in point.values))
        )
        head = len(self._rows)
        ids = self._ids(metric, point)
        for series, value_at, (_, number) in zip(ids, values, point.values, strict=True):
            row = _Row(
                series,
                resource,
                time_at,
                start_at,
                value_at,
                number,
                head,
                metric.delta,
                point.stale,
            )
            self._rows.append(row)

    def _ids(self, metric: Metric, point: Point) -> tuple[int, ...]:
        """Ids of a point's series; those that are refused are noted, and nothing is remembered then."""
        finder = self._finder
        attributes = finder.key(point.attributes)
        key = (attributes, *point.series)
        known: tuple[int, ...] | None = metric.known.get(key)
        if known is not None:
            return known
        count = len(point.series)
        if finder.refuses(metric, attributes, count):
            self._lasting = False
            return (UNKNOWN,) * count
        first = len(self._rows)
        try:
            labels = finder.labels(metric, point.attributes)
        except DecodeError as error:
            self._faults.append((first, error))
            return (UNKNOWN,) * count
        ids: list[int] = []
        for suffix, name, value in point.series:
            own = {**labels, name: value} if name else labels
            try:
                ids.append(finder.intern(metric.name + suffix, own))
            except DecodeError as error:
                self._faults.append((first + len(ids), error))
                ids.append(UNKNOWN)
        if UNKNOWN not in ids:
            finder.remember(metric, key, tuple(ids), len(ids))
        return tuple(ids)

    def add_native(self, metric: Metric, resource: int, point: Exponential) -> None:
        """Take in a point of an exponential histogram."""
        self._exemplars += point.exemplars
        self._lasting = False
        try:
            series = self._finder.one(metric, point.attributes)
        except DecodeError as error:
            self.refuse(error)
            return
        self.natives.append(Native(resource, metric.delta, series, point))

    def sketch(self) -> Sketch:
        """Where all samples stand that have numbers of fixed width."""
        parts: list[Layout] = []
        moving = [np.array(self._moving, np.int64)]
        if len(self.numbers):
            layout, places = self.numbers.layout()
            parts.append(layout)
            moving.append(places)
        parts.append(self._layout(len(self.numbers)))
        return Sketch(join(parts), tuple(map(self._info, self._contexts)), np.concatenate(moving))

    def _layout(self, first: int) -> Layout:
        columns = list(zip(*self._rows, strict=True)) or [()] * len(_Row._fields)
        series, resource, time_at, start_at, value_at, numbers, heads, delta, stale = columns
        return Layout(
            np.array(series, np.intp),
            np.array(resource, np.intp),
            np.array(time_at, np.int64),
            np.array(start_at, np.int64),
            np.array(value_at, np.int64),
            np.array(numbers, np.uint8),
            np.array(heads, np.intp) + first,
            np.array(delta, np.bool_),
            np.array(stale, np.bool_),
        )

    def _info(self, context: Context) -> int:
        """Id of a resource's `target_info`, -1 where it has none."""
        if context.info is None:
            return UNKNOWN
        if context.info_id == UNKNOWN:
            try:
                context.info_id = self._finder.intern(TARGET_INFO, dict(context.info))
            except DecodeError as error:
                self.refuse(error)
        return context.info_id

    def faults(self) -> list[Fault]:
        """What is refused: number of the sample, -1 where it has none, and why; after `sketch`."""
        first = len(self.numbers)
        return [
            *self.numbers.faults,
            *((first + row, error) for row, error in self._faults),
            *((UNKNOWN, error) for error in self._others),
        ]

    @property
    def lasting(self) -> bool:
        """Whether a record that differs in numbers alone has the same samples; after `sketch`."""
        return self._lasting and self.numbers.lasting and not self.faults()
