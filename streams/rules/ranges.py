"""Range functions: from the samples in a window of each series to one value a series.

A range function takes windows, none of them empty, and its scalar arguments spread over them; it returns a value
for each and which of them have one. All but `last_over_time` and `first_over_time` take the metric's name away.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from schemas.handles import is_handle
from schemas.samples import Float64s, Int64s
from streams.rules.counters import (
    changes,
    delta,
    deriv,
    idelta,
    increase,
    irate,
    predict_linear,
    rate,
    resets,
)
from streams.rules.native import series
from streams.rules.native.series import NativeFunction
from streams.rules.node import MeetingNode, Moment, RangeNode, ScalarNode
from streams.rules.selectors import RangeSelector
from streams.rules.smoothing import (
    double_exponential_smoothing,
    mad_over_time,
    ts_of_first_over_time,
    ts_of_last_over_time,
    ts_of_max_over_time,
    ts_of_min_over_time,
)
from streams.rules.vector import LabelSpace, Projection, Vector, drop_metadata
from streams.windows.arena import Columns, Windows, stretch_index
from streams.windows.blocks import (
    Bools,
    Reducer,
    blocks,
    deviation,
    greatest,
    least,
    mean,
    quantile,
    total,
    variance,
)
from streams.windows.histograms import Bag
from streams.windows.panes import GREATEST, LEAST, LEAST_PANES, MEAN, SUM, Fold, Panes
from streams.windows.series import SeriesStore

RangeFunction: TypeAlias = Callable[..., tuple[Float64s, Bools]]


class Entry(NamedTuple):
    """How a range function is called.

    Attributes:
        function: what it does with windows of floats.
        range_at: which argument its range is.
        keeps_name: whether names stay.
        native: what it does with a window that holds histograms; without it, it does not see them.
        indifferent: whether it does not look at values, so that histograms are like floats.
        running: whether the ends of a window and what is counted as samples come are enough, so that its cost does not
            hang on how many samples are between.
        edged: whether it asks for the edges of windows.
        fold: what is kept of a pane, where panes make up a window.

    """

    function: RangeFunction
    range_at: int = 0
    keeps_name: bool = False
    native: NativeFunction | None = None
    indifferent: bool = False
    running: bool = False
    edged: bool = False
    fold: Fold | None = None


def everywhere(windows: Windows) -> Bools:
    """All windows have a value."""
    return np.ones(len(windows.low), np.bool_)


def over_time(reducer: Reducer) -> RangeFunction:
    """Range function of a reduction of the values."""

    def reduce(windows: Windows) -> tuple[Float64s, Bools]:
        values = np.empty(len(windows.low))
        for block in blocks(windows.low, windows.high):
            values[block.members] = reducer(windows.columns.values[block.cells], block)
        return values, everywhere(windows)

    return reduce


def quantile_over_time(windows: Windows, phi: Float64s) -> tuple[Float64s, Bools]:
    """Quantile of the values, `phi` for each window."""
    values = np.empty(len(windows.low))
    for block in blocks(windows.low, windows.high):
        found = windows.columns.values[block.cells]
        values[block.members] = quantile(found, block, phi[block.members])
    return values, everywhere(windows)


def count_over_time(windows: Windows) -> tuple[Float64s, Bools]:
    """How many values."""
    return (windows.high - windows.low).astype(np.float64), everywhere(windows)


def present_over_time(windows: Windows) -> tuple[Float64s, Bools]:
    """1, for there is a value."""
    return np.ones(len(windows.low)), everywhere(windows)


def last_over_time(windows: Windows) -> tuple[Float64s, Bools]:
    """The newest value."""
    return windows.columns.values[windows.high - 1], everywhere(windows)


def first_over_time(windows: Windows) -> tuple[Float64s, Bools]:
    """The oldest value."""
    return windows.columns.values[windows.low], everywhere(windows)


RANGE_FUNCTIONS = {
    "avg_over_time": Entry(over_time(mean), native=series.avg_over_time, fold=MEAN),
    "changes": Entry(changes, native=series.changes),
    "count_over_time": Entry(count_over_time, indifferent=True, running=True),
    "delta": Entry(delta, native=series.delta, running=True, edged=True),
    "deriv": Entry(deriv),
    "double_exponential_smoothing": Entry(double_exponential_smoothing),
    "first_over_time": Entry(first_over_time, keeps_name=True, indifferent=True, running=True),
    "holt_winters": Entry(double_exponential_smoothing),
    "idelta": Entry(idelta, native=series.idelta, running=True),
    "increase": Entry(increase, native=series.increase, running=True, edged=True),
    "irate": Entry(irate, native=series.irate, running=True),
    "last_over_time": Entry(last_over_time, keeps_name=True, indifferent=True, running=True),
    "mad_over_time": Entry(mad_over_time),
    "max_over_time": Entry(over_time(greatest), fold=GREATEST),
    "min_over_time": Entry(over_time(least), fold=LEAST),
    "predict_linear": Entry(predict_linear),
    "present_over_time": Entry(present_over_time, indifferent=True, running=True),
    "quantile_over_time": Entry(quantile_over_time, range_at=1),
    "rate": Entry(rate, native=series.rate, running=True, edged=True),
    "resets": Entry(resets, native=series.resets),
    "stddev_over_time": Entry(over_time(deviation)),
    "stdvar_over_time": Entry(over_time(variance)),
    "sum_over_time": Entry(over_time(total), native=series.sum_over_time, fold=SUM),
    "ts_of_first_over_time": Entry(ts_of_first_over_time, indifferent=True),
    "ts_of_last_over_time": Entry(ts_of_last_over_time, indifferent=True),
    "ts_of_max_over_time": Entry(ts_of_max_over_time),
    "ts_of_min_over_time": Entry(ts_of_min_over_time),
}


class RangeCall(MeetingNode):
    """A range function of a range selector or a subquery.

    Attributes:
        running: whether its cost does not hang on how many samples a window has.
        panes: of how many panes its windows are made where their samples are dense; 0 for none.

    """

    def __init__(self, entry: Entry, selector: RangeNode, scalars: Sequence[ScalarNode]) -> None:
        self.children = (selector, *scalars)
        self.running = entry.running
        selector.edged = entry.edged
        self.panes = 0
        self._panes: Panes | None = None
        self._store: SeriesStore | None = None
        self._entry = entry
        self._selector = selector
        self._scalars = scalars
        self._rename: Projection | None = None
        self.space = selector.space
        if not entry.keeps_name:
            self.space = LabelSpace()
            self.own_spaces = (self.space,)
            self._rename = Projection(selector.space, self.space, drop_metadata)

    def take_panes(self, interval_ms: int) -> None:
        """Keep panes if they can make up its windows; it is evaluated at each interval."""
        if self._entry.fold is None or not isinstance(self._selector, RangeSelector):
            return
        selection = self._selector.selection
        count, rest = divmod(selection.range_ms, interval_ms)
        if rest == 0 and count >= LEAST_PANES and not selection.anchor.moves:
            self.panes = count
            self._panes = Panes(self._entry.fold, interval_ms, count)

    def evaluate(self, moment: Moment) -> Vector:
        """The function of every window that is not empty."""
        rows, windows = self._selector.windows(moment)
        spread = [each.spread(moment, self._selector.space, rows) for each in self._scalars]
        values, there = self._call(moment, windows, spread)
        found = self._selector.in_order(rows, values, there)
        if self._rename is None:
            return found
        if moment.met is not None:
            moment.met.setdefault(self, []).append(found.rows)
        return Vector(self._rename.distinct(found.rows), found.values)

    def refuse_merged(self, met: Sequence[Int64s]) -> None:
        """Raise RuleError where two series, met at any step, have lost what told them apart."""
        if self._rename is not None:
            self._rename.distinct(np.unique(np.concatenate(met)))

    def _call(
        self, moment: Moment, windows: Windows, spread: list[Float64s]
    ) -> tuple[Float64s, Bools]:
        """The function of all windows, those with histograms apart."""
        bag, values = moment.bag, windows.columns.values
        if self._entry.indifferent or bag.mask(values) is None:
            if self._panes is not None and windows.origin is not None:
                return self._merge(self._panes, moment, windows), everywhere(windows)
            return self._entry.function(windows, *spread)
        held = np.concatenate(([0], np.cumsum(is_handle(values))))
        mixed = held[windows.high] > held[windows.low]
        result, there = np.full(len(mixed), np.nan), np.zeros(len(mixed), np.bool_)
        plain = windows.keep(~mixed)
        if len(plain.low):
            found = self._entry.function(plain, *(each[~mixed] for each in spread))
            result[~mixed], there[~mixed] = found
        if self._entry.native is None:
            floats, members = only_floats(windows, np.flatnonzero(mixed))
            if len(members):
                found = self._entry.function(floats, *(each[members] for each in spread))
                result[members], there[members] = found
            return result, there
        for row in np.flatnonzero(mixed).tolist():
            made = self._entry.native(points_of(bag, windows, row))
            if made is not None:
                there[row] = True
                result[row : row + 1] = bag.hold([made]) if not isinstance(made, float) else made
        return result, there

    def _merge(self, panes: Panes, moment: Moment, windows: Windows) -> Float64s:
        """The function of all windows, those with many samples from panes."""
        values, by_panes = np.empty(len(windows.low)), panes.dense(windows)
        if by_panes.any():
            assert isinstance(self._selector, RangeSelector), "nothing else has panes"
            rows = self._selector.windowed[by_panes]
            if moment.store is not self._store:
                self._store = moment.store
                panes.clear()
            values[by_panes] = panes.read(windows.keep(by_panes), rows, moment.store.born[rows])
            # a sum that is not finite, or overflows, hangs on the order of the samples
            by_panes &= np.isfinite(values)
        else:
            panes.clear()
        if not by_panes.all():
            values[~by_panes], _ = self._entry.function(windows.keep(~by_panes))
        return values


def points_of(bag: Bag, windows: Windows, row: int) -> series.Points:
    """The samples of one window, histograms as such."""
    stretch = slice(windows.low[row], windows.high[row])
    values = windows.columns.values[stretch]
    mask = is_handle(values)
    found: list[series.Value] = list(values.tolist())
    for at, each in zip(np.flatnonzero(mask).tolist(), bag.get(values[mask]), strict=True):
        found[at] = each
    times = windows.columns.times[stretch].tolist()
    return series.Points(times, found, windows.start_ms, windows.end_ms)


def only_floats(windows: Windows, rows: Int64s) -> tuple[Windows, Int64s]:
    """The windows of these rows without histograms, and the rows that have any sample left."""
    counts = windows.high[rows] - windows.low[rows]
    cells = stretch_index(windows.low[rows], counts)
    kept = ~is_handle(windows.columns.values[cells])
    left = np.bincount(np.repeat(np.arange(len(rows)), counts)[kept], minlength=len(rows))
    high = np.cumsum(left)
    some = left > 0
    columns = Columns(len(cells[kept]))
    columns.times[:] = windows.columns.times[cells[kept]]
    columns.values[:] = windows.columns.values[cells[kept]]
    floats = windows._replace(
        columns=columns, low=(high - left)[some], high=high[some], origin=None, edges=None
    )
    return floats, rows[some]
