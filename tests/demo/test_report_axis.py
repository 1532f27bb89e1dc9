"""Axes, and how numbers and times are put into words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.demo.report.axis import TimeAxis, value_axis
from streams.demo.report.phrase import LONGEST_TEXT, clean, duration, quantity
from streams.demo.report.plot import LARGEST

TIMES = st.integers(0, 4_000_000_000_000)
FINITE = st.floats(-LARGEST, LARGEST)


@given(start=TIMES, length=st.integers(0, 10_000_000_000), times=st.lists(TIMES, min_size=2))
def test_times_keep_their_order(start: int, length: int, times: list[int]) -> None:
    """Every time has its place from 0 to 100, and a later one is never to the left of an earlier one."""
    axis = TimeAxis(start, start + length)
    places = [axis.percent(t) for t in sorted(times)]

    assert sorted(places) == places
    assert all(0 <= p <= 100 for p in places)


@given(start=TIMES, length=st.integers(0, 10_000_000_000), most=st.integers(3, 12))
def test_marks_of_time_are_few_and_round(start: int, length: int, most: int) -> None:
    """Marks lie within, a whole number of seconds apart, and are not more than asked for."""
    ticks = list(TimeAxis(start, start + length).ticks(most))

    assert len(ticks) <= most
    assert all(start <= t <= start + length and t % 1000 == 0 for t in ticks)


@given(values=st.lists(st.none() | FINITE))
def test_every_value_has_its_place(values: list[float | None]) -> None:
    """The axis holds all values, and marks at least one round value but few."""
    axis = value_axis(values)
    known = [v for v in values if v is not None]

    assert axis.low < axis.high
    assert all(axis.low <= v <= axis.high for v in known)
    air = 1e-9 * (axis.high - axis.low)
    assert all(axis.low - air <= t <= axis.high + air for t in axis.ticks())
    assert len(axis.ticks()) <= 5


def test_zero_is_shown_unless_far() -> None:
    """Values that vary much begin at zero; memory that hardly moves does not."""
    assert 0 == value_axis([2.0, 9.0]).low
    assert value_axis([900.0, 920.0]).low > 800


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.0123, "s", "12.3 ms"),
        (1.4, "s", "1.4 s"),
        (0.314, "ratio", "31.4 %"),
        (920_000_000.0, "bytes", "920 MB"),
        (1234.0, "req/s", "1.23 kreq/s"),
        (12.0, "", "12"),
        (None, "s", "\N{EN DASH}"),
        (float("nan"), "s", "\N{EN DASH}"),
    ],
)
def test_quantities(value: float | None, unit: str, said: str) -> None:
    """A quantity is said with the unit that people use for its size."""
    assert said == quantity(value, unit)


@pytest.mark.parametrize(
    ("span_ms", "said"),
    [
        (0, "0 s"),
        (45_000, "45 s"),
        (90_000, "1 min 30 s"),
        (3_700_000, "1 h 1 min"),
        (-1_000, "-1 s"),
    ],
)
def test_durations(span_ms: int, said: str) -> None:
    """A length of time is said in its two largest units."""
    assert said == duration(span_ms)


@given(st.text(alphabet=st.characters(), max_size=2 * LONGEST_TEXT))
def test_clean_text_can_be_printed(text: str) -> None:
    """Whatever comes in, what goes out is printable, short, and can be encoded."""
    said = clean(text)

    assert said.isprintable()
    assert len(said) <= LONGEST_TEXT
    assert said == said.encode().decode()
