"""Plots: the geometry of one chart over one span of time.

Paths are drawn in a room of 1000 by 1000 that is stretched to the chart's real size. Of many samples that
would fall on the same place the least and the greatest are kept, so no peak is lost.
Refuses to draw over a gap: where a value is missing, the line ends and begins anew.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from streams.demo.report.axis import TimeAxis, ValueAxis, value_axis
from streams.demo.report.contents import Chart

MOST_SAMPLES = 180
LARGEST = 1e100  # differences and products of less are finite
BAND_ROOM_RATIO = 8  # by which, on each side, the band may stretch what the values need

Column = Sequence[float | None]
Mark = tuple[float, str]


@dataclass(frozen=True)
class Plot:
    """A chart cut to a span of time; paths are empty where there is nothing to draw."""

    chart: Chart
    times: TimeAxis
    values: ValueAxis
    line: str
    expected: str
    band: str


def plot(chart: Chart, from_ms: int, to_ms: int) -> Plot:
    """Geometry of what a chart shows from one event time to another, both included."""
    cut = thin(_cut(chart, from_ms, to_ms))
    times = TimeAxis(from_ms, to_ms)
    drawn = value_axis([*cut.values, *(cut.expected or ())])
    banded = value_axis([*cut.values, *(cut.expected or ()), *(cut.low or ()), *(cut.high or ())])
    room = (drawn.high - drawn.low) * BAND_ROOM_RATIO
    values = ValueAxis(max(banded.low, drawn.low - room), min(banded.high, drawn.high + room))
    return Plot(
        chart=cut,
        times=times,
        values=values,
        line=_line(cut.times, cut.values, times, values),
        expected=_line(cut.times, cut.expected, times, values),
        band=_band(cut, times, values),
    )


def thin(chart: Chart) -> Chart:
    """The chart with at most `MOST_SAMPLES` samples."""
    count = len(chart.times)
    if count <= MOST_SAMPLES:
        return chart
    buckets = MOST_SAMPLES // 2
    kept: set[int] = set()
    for bucket in range(buckets):
        rows = range(bucket * count // buckets, (bucket + 1) * count // buckets)
        known = [row for row in rows if chart.values[row] is not None] or rows[:1]
        kept |= {min(known, key=lambda r: _low(chart, r)), max(known, key=lambda r: _low(chart, r))}
    return _rows(chart, sorted(kept))


def _low(chart: Chart, row: int) -> float:
    return chart.values[row] or 0.0


def _cut(chart: Chart, from_ms: int, to_ms: int) -> Chart:
    return _rows(chart, [r for r, time in enumerate(chart.times) if from_ms <= time <= to_ms])


def _rows(chart: Chart, rows: Sequence[int]) -> Chart:
    """These samples of a chart, None for what cannot be drawn: NaN, infinities and what is near them."""

    def of(column: Column | None) -> list[float | None] | None:
        if column is None:
            return None
        taken = (column[row] for row in rows)
        return [v if v is not None and abs(v) < LARGEST else None for v in taken]

    return Chart(
        title=chart.title,
        unit=chart.unit,
        tenant=chart.tenant,
        service=chart.service,
        times=[chart.times[row] for row in rows],
        values=of(chart.values) or [],
        expected=of(chart.expected),
        low=of(chart.low),
        high=of(chart.high),
    )


def _line(at: Sequence[int], column: Column | None, times: TimeAxis, values: ValueAxis) -> str:
    parts = []
    for run in _runs(len(at), column):
        places = [_place(at[r], v, times, values) for r, v in run]
        # a lone sample is a line of no length, which round ends make a dot
        parts.append("M" + " ".join(places) + ("h0" if len(places) == 1 else ""))
    return "".join(parts)


def _band(chart: Chart, times: TimeAxis, values: ValueAxis) -> str:
    """Closed areas between low and high; a side that is not known is open to the edge."""
    if chart.low is None and chart.high is None:
        return ""
    rows = range(len(chart.times))
    low = chart.low or [None for _ in rows]
    high = chart.high or [None for _ in rows]
    either = [1.0 if low[r] is not None or high[r] is not None else None for r in rows]
    parts = []
    for run in _runs(len(rows), either):
        up = [_place(chart.times[r], _or(high[r], values.high), times, values) for r, _ in run]
        down = [_place(chart.times[r], _or(low[r], values.low), times, values) for r, _ in run]
        parts.append("M" + " ".join([*up, *reversed(down)]) + "Z")
    return "".join(parts)


def _runs(count: int, column: Column | None) -> Iterator[list[tuple[int, float]]]:
    """Longest stretches of rows without a gap."""
    run: list[tuple[int, float]] = []
    for row in range(count if column is not None else 0):
        value = column[row] if column is not None else None
        if value is not None:
            run.append((row, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _place(at_ms: int, value: float, times: TimeAxis, values: ValueAxis) -> str:
    return f"{times.percent(at_ms) * 10:.0f},{values.percent(value) * 10:.0f}"


def _or(value: float | None, default: float) -> float:
    return default if value is None else value
