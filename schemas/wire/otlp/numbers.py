"""Numbers: the points of gauges and sums of one record.

They are gathered first and looked at together, as columns. Where such a point has its fields in the order in which
all producers write them, what is behind its numbers are its attributes, and their bytes tell the series; any other
point is read field by field.

Refuses label sets alone; what is no message it refuses by raising.
"""

from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from schemas.errors import DecodeError
from schemas.reasons import DeadLetterReason
from schemas.wire.otlp.context import Metric
from schemas.wire.otlp.finder import UNKNOWN, Fault, Finder
from schemas.wire.otlp.histogram import NO_VALUE, START, TIME
from schemas.wire.otlp.layout import PADDING, Layout, Number
from schemas.wire.otlp.protobuf import CONTINUES, Span, broken, fields

POINT = 0x0A
_DOUBLE, _EXEMPLAR, _INT, _ATTRIBUTE, _FLAGS = 0x21, 0x2A, 0x31, 0x3A, 0x40
_NUMBER_BYTES = 9
"""A number of eight bytes and its tag."""


def spans(data: bytes, at: int, end: int, starts: list[int], ends: list[int]) -> int:
    """Note where the messages in field 1 stand, up to the first other field; where that is.

    Raises:
        DecodeError: one ends behind `end`.

    """
    while at < end and data[at] == POINT:
        size = data[at + 1]
        if size < CONTINUES:
            at += 2
        elif data[at + 2] < CONTINUES:
            size = size & 0x7F | data[at + 2] << 7
            at += 3
        else:
            _, at, last = next(fields(data, at, end))
            size = last - at
        starts.append(at)
        at += size
        ends.append(at)
    if at > end:
        raise broken(f"a point ends at byte {at}, its metric at {end}")
    return at


class Numbers:
    """What is found of them.

    Attributes:
        exemplars: how many they have.
        faults: what is refused.
        lasting: whether a record that differs in numbers alone has the same samples.

    """

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._blocks: list[tuple[Metric, int, int]] = []
        self.exemplars = 0
        self.faults: list[Fault] = []
        self.lasting = True

    def __len__(self) -> int:
        return len(self._starts)

    def add(self, metric: Metric, resource: int, starts: list[int], ends: list[int]) -> None:
        """Take in points of a metric, which are of this resource."""
        self._blocks.append((metric, resource, len(starts)))
        self._starts += starts
        self._ends += ends

    def layout(self) -> tuple[Layout, NDArray[np.int64]]:
        """Where all the samples stand, and the first byte of each number."""
        data = self._finder.data
        look = np.frombuffer(data, np.uint8)
        starts, ends = np.array(self._starts, np.int64), np.array(self._ends, np.int64)
        has_start = look[starts] == START
        times = starts + np.where(has_start, _NUMBER_BYTES, 0)
        values = times + _NUMBER_BYTES
        tails = values + _NUMBER_BYTES
        kinds = look[values]
        usual = (look[times] == TIME) & ((kinds == _DOUBLE) | (kinds == _INT)) & (tails <= ends)
        known = [data[at:end] for at, end in zip(tails.tolist(), self._ends, strict=True)]
        ids: list[int] = []
        for metric, _, count in self._blocks:
            first = len(ids)
            ids += map(metric.known.get, known[first : first + count], repeat(UNKNOWN))
        sizes = [count for _, _, count in self._blocks]
        empty = len(data) - PADDING
        found = Layout(
            np.where(usual, np.array(ids, np.intp), UNKNOWN),
            np.repeat(np.array([of for _, of, _ in self._blocks], np.intp), sizes),
            times + 1,
            np.where(has_start, starts + 1, empty),
            values + 1,
            np.where(kinds == _INT, Number.SIGNED, Number.DOUBLE).astype(np.uint8),
            np.arange(len(starts)),
            np.repeat(np.array([metric.delta for metric, _, _ in self._blocks], np.bool_), sizes),
            np.zeros(len(starts), np.bool_),
        )
        strange = np.flatnonzero(found.series < 0).tolist()
        if strange:
            metrics = [metric for metric, _, count in self._blocks for _ in range(count)]
            for row in strange:
                metric = metrics[row]
                if usual[row] and self._finder.refuses(metric, known[row], 1):
                    self.lasting = False
                else:
                    self._read(row, metric, found)
        moving = np.concatenate((found.time_at, found.start_at, found.value_at))
        return found, moving

    def _read(self, row: int, metric: Metric, found: Layout) -> None:
        """Find one point field by field."""
        data, empty = self._finder.data, len(self._finder.data) - PADDING
        time_at = start_at = empty
        value_at, kind = -1, Number.DOUBLE
        attributes: list[Span] = []
        usual = {START, TIME, _DOUBLE, _INT, _ATTRIBUTE}
        for tag, first, last in fields(data, self._starts[row], self._ends[row]):
            self.lasting &= tag in usual
            if tag == TIME:
                time_at = first
            elif tag == START:
                start_at = first
            elif tag in (_DOUBLE, _INT):
                value_at, kind = first, Number.SIGNED if tag == _INT else Number.DOUBLE
            elif tag == _ATTRIBUTE:
                attributes.append((first, last))
            elif tag == _FLAGS:
                found.stale[row] = bool(first & NO_VALUE)
            elif tag == _EXEMPLAR:
                self.exemplars += 1
        found.time_at[row], found.start_at[row] = time_at, start_at
        found.value_at[row], found.numbers[row] = max(value_at, 0), kind
        if value_at < 0 and not found.stale[row]:
            lack = DecodeError(DeadLetterReason.MISSING_VALUE, "a point without a value")
            self.faults.append((row, lack))
            return
        try:
            found.series[row] = self._finder.one(metric, attributes)
        except DecodeError as error:
            self.faults.append((row, error))
