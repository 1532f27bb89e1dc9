"""Deviation: how far each value is from its usual one, in spreads, where it is both unusual and a change.

Upwards it is `min(value - median of the history, value - lowest of the RECENT samples before) / spread`, downwards
likewise. The spread is the wider of two estimates of a normal deviation, from the quartiles and from the range of 98 %,
so neither a few wild values nor a constant with rare jumps make it small; at least 0.2 % of the level keeps a constant
finite. The evidence of a value is the logarithm of its deviation less that of what the same column did once in 200
samples of its history: a node with many wild metrics is not blamed for being wild.

It looks at nothing later than the last row, and takes the usual from rows before the incident only.
"""

from dataclasses import dataclass

import numpy as np

from detectors.base import BoolArray, FloatArray, IntArray
from streams.rank.table import Table

ABNORMAL = 2.5
"""Spreads from usual that count as abnormal: about 1 % of normal samples lie beyond."""
RECENT = 30
"""An abnormal value is also a change within so many samples: the offset of an old baseline is none."""
LATE = 2
"""An alarm may come so many samples after the onset: they belong to the incident."""
VALUES_MIN = 20
"""A column with fewer values before the incident has no known spread and takes no part."""
FLOOR = 0.002
OWN_QUANTILE = 0.995
QUARTILES, RANGE_98 = 1.349, 4.653
"""Width of the middle half, and of the middle 98 %, of a normal distribution, in standard deviations."""


@dataclass(frozen=True)
class Deviations:
    """What `deviate` found; arrays are rows x columns, or one value a column.

    Attributes:
        up, down: deviations in spreads, never under 0; NaN where there is no value or no known spread.
        first: the first row of the incident.
        median, spread: of the history, NaN where it is too short.
        evidence: the strongest of the incident's rows over the column's own habit, in logarithms; 0 or more.

    """

    up: FloatArray
    down: FloatArray
    first: int
    median: FloatArray
    spread: FloatArray
    evidence: FloatArray

    @property
    def peak_up(self) -> FloatArray:
        """Largest deviation upwards in the incident, by column; 0 where nothing is known."""
        return _peak(self.up[self.first :])

    @property
    def peak_down(self) -> FloatArray:
        """Largest deviation downwards in the incident, by column; 0 where nothing is known."""
        return _peak(self.down[self.first :])

    @property
    def peak(self) -> FloatArray:
        """Largest deviation in the incident either way, by column."""
        return np.fmax(self.peak_up, self.peak_down)

    @property
    def abnormal(self) -> BoolArray:
        """Where a value is abnormal, rows x columns."""
        return np.fmax(self.up, self.down) >= ABNORMAL

    def over_habit(self, peaks: FloatArray) -> FloatArray:
        """The evidence that other peaks of these columns would be."""
        return _evidence(peaks, np.fmax(self.up, self.down)[: self.first])


def deviate(table: Table, at: int) -> Deviations:
    """Deviations of every row of a table for an incident whose alarm came at a time, ms."""
    first = _first_row(table, at)
    median, spread = _usual(table, first)
    lowest, highest = _recent(table)
    values = table.values
    with np.errstate(invalid="ignore"):
        # without a recent value only the usual one counts
        up = np.fmin(values - median, values - lowest)
        down = np.fmin(median - values, highest - values)
        known = np.where(np.isnan(values), np.nan, 1.0) / spread
        up, down = np.maximum(up, 0.0) * known, np.maximum(down, 0.0) * known
    either = np.fmax(up, down)
    evidence = _evidence(_peak(either[first:]), either[:first])
    return Deviations(up, down, first, median, spread, evidence)


def _first_row(table: Table, at: int) -> int:
    """Two samples before the alarm; not those right after a gap, which have nothing to be a change from."""
    last = len(table.times) - 1
    alarm = min(max(table.since(at, 0), 1), last)
    first = max(1, table.since(int(table.times[alarm]), LATE))
    while first < alarm and table.since(int(table.times[first]), RECENT) == first:
        first += 1
    return first


def _usual(table: Table, first: int) -> tuple[FloatArray, FloatArray]:
    """Median and spread of each column before a row."""
    history = table.values[:first]
    median = np.full(len(table.columns), np.nan)
    spread = median.copy()
    known = np.flatnonzero(np.isfinite(history).sum(axis=0) >= VALUES_MIN)
    if not len(known):
        return median, spread
    q01, q25, q50, q75, q99 = np.nanquantile(
        history[:, known], [0.01, 0.25, 0.5, 0.75, 0.99], axis=0
    )
    median[known] = q50
    wide = np.maximum((q75 - q25) / QUARTILES, (q99 - q01) / RANGE_98)
    level = np.where((wide > 0) | (q50 != 0), np.abs(q50), _levels(table)[known])
    wide = np.maximum(wide, FLOOR * level)
    spread[known] = np.where(wide > 0, wide, np.nan)
    return median, spread


def _levels(table: Table) -> FloatArray:
    """The largest value of the same metric on any node: a constant 0 takes its level from there."""
    largest = np.fmax.reduce(np.abs(table.values), axis=0)
    top: dict[str, float] = {}
    for column, value in zip(table.columns, largest.tolist(), strict=True):
        top[column.metric] = float(np.fmax(top.get(column.metric, 0.0), value))
    return np.array([top[column.metric] for column in table.columns])


def _recent(table: Table) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest of the RECENT samples before each row; NaN without any."""
    lowest = np.full(table.values.shape, np.nan)
    highest = lowest.copy()
    reach = RECENT * table.step
    for back in range(1, min(RECENT, len(table.times) - 1) + 1):
        near: IntArray = np.flatnonzero(table.times[back:] - table.times[:-back] <= reach)
        at, before = near + back, table.values[near]
        lowest[at] = np.fmin(lowest[at], before)
        highest[at] = np.fmax(highest[at], before)
    return lowest, highest


def _peak(rows: FloatArray) -> FloatArray:
    return np.nan_to_num(np.fmax.reduce(rows, axis=0)) if len(rows) else np.zeros(rows.shape[1])


def _evidence(peaks: FloatArray, history: FloatArray) -> FloatArray:
    habit = np.quantile(np.nan_to_num(history), OWN_QUANTILE, axis=0)
    found: FloatArray = np.log1p(peaks / ABNORMAL) - np.log1p(habit / ABNORMAL)
    return np.maximum(found, 0.0)
