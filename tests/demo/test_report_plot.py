"""The geometry of a chart, and which chart tells most."""

from math import inf, nan

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.demo.report import Chart
from streams.demo.report.change import change
from streams.demo.report.plot import MOST_SAMPLES, plot, thin


def chart(values: list[float | None], **columns: list[float | None]) -> Chart:
    times = [1_000 * row for row in range(len(values))]
    return Chart("latency", "s", "acme", "cart", times, values, **columns)


def test_a_gap_breaks_the_line() -> None:
    """Where nothing was heard the line ends and begins anew; a lone sample is a dot."""
    line = plot(chart([1.0, 2.0, None, 3.0, nan, 1.0, 1.0]), 0, 6_000).line

    assert 3 == line.count("M")
    assert 1 == line.count("h0")


def test_only_the_span_is_drawn() -> None:
    """Samples outside the span are left out, and without any there is no line."""
    found = plot(chart([1.0] * 10), 3_000, 5_000)

    assert [3_000, 4_000, 5_000] == found.chart.times
    assert "" == plot(chart([1.0] * 10), 50_000, 60_000).line


def test_the_line_ends_at_the_edges() -> None:
    """The first sample of the span stands at the left edge, the last at the right one."""
    line = plot(chart([1.0, 1.0, 1.0]), 0, 2_000).line

    assert ["0", "500", "1000"] == [p.split(",")[0] for p in line.removeprefix("M").split(" ")]


def test_the_band_is_closed_and_may_be_open_to_a_side() -> None:
    """A band with no lower bound reaches to the bottom; without both bounds there is none."""
    values: list[float | None] = [1.0, 1.2, 1.1]
    up_only = plot(chart(values, high=[2.0, 2.0, 2.0]), 0, 2_000).band

    assert up_only.endswith("Z")
    assert up_only.removesuffix("Z").split(" ")[-1] == "0,1000"
    assert "" == plot(chart(values), 0, 2_000).band


def test_a_wide_band_does_not_flatten_the_line() -> None:
    """A band a thousand times as wide as the values leaves them a twenty-fifth of the room."""
    values: list[float | None] = [10.0, 11.0, 10.0]
    axis = plot(chart(values, low=[-1e3] * 3, high=[1e3] * 3), 0, 2_000).values

    assert (11 - 10) / (axis.high - axis.low) > 0.04
    assert axis.high < 1e3


@settings(max_examples=30)
@given(st.lists(st.none() | st.floats(-1e6, 1e6), min_size=MOST_SAMPLES + 1, max_size=400))
def test_thinning_keeps_the_extremes(values: list[float | None]) -> None:
    """The greatest and the least value are kept, in order of time, with few samples."""
    kept = thin(chart(values))
    known = [v for v in values if v is not None]

    assert len(kept.times) <= MOST_SAMPLES
    assert sorted(set(kept.times)) == list(kept.times)
    if known:
        assert max(known) in kept.values
        assert min(known) in kept.values


def test_a_step_is_a_change_and_noise_is_not() -> None:
    """What doubles has changed more than what goes on as before; what falls silent has changed most."""
    noise: list[float | None] = [1.0, 1.1, 0.9, 1.0, 1.05, 0.95]
    step = change(chart([*noise, 2.0, 2.0, 2.0]), 6_000, 9_000, 6_000)
    calm = change(chart([*noise, 1.0, 1.1, 0.9]), 6_000, 9_000, 6_000)
    gone = change(chart([*noise, None, None, None]), 6_000, 9_000, 6_000)

    assert calm < 1 < step < gone == inf


def test_nothing_known_before_is_no_change() -> None:
    """A chart that begins with the trouble says nothing about it."""
    assert 0 == change(chart([None, None, 5.0]), 2_000, 3_000, 2_000)
