from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.produce.event_time import parse, shift

MS = 1_396_310_400_000  # 2014-04-01T00:00:00Z


@pytest.mark.parametrize(
    "cell",
    [
        MS // 1000,
        MS,
        MS * 1_000,
        MS * 1_000_000,
        float(MS // 1000),
        str(MS),
        f"{MS // 1000}.0",
        "2014-04-01 00:00:00",
        "2014-04-01T00:00:00Z",
        " 2014-04-01T02:00:00+02:00 ",
        "2014-04-01",
    ],
)
def test_one_moment_in_many_ways(cell: object) -> None:
    """Each usual way to write a moment gives the same milliseconds."""
    assert parse(cell) == MS


@pytest.mark.parametrize(
    "cell", [None, True, "", "noon", "04/05/2014", float("nan"), float("inf"), 10**400, [], {}]
)
def test_what_is_no_time_is_refused(cell: object) -> None:
    """What is no time, or could be two, raises."""
    with pytest.raises(ValueError, match="no time"):
        parse(cell)


@given(st.integers(10**11, 10**14 - 1))
def test_milliseconds_are_exact(ms: int) -> None:
    """An integer of milliseconds comes back as it is, and so does the same text."""
    assert parse(ms) == ms
    assert parse(str(ms)) == ms


@given(st.datetimes(datetime(1973, 4, 1), datetime(5000, 1, 1)))  # noqa: DTZ001 - hypothesis wants bounds without a zone
def test_rfc_3339_is_exact(moment: datetime) -> None:
    """A text with a zone is the floor of its milliseconds."""
    aware = moment.replace(tzinfo=UTC)

    expected = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)

    assert expected == parse(aware.isoformat())


@given(st.integers(10**12, 10**13), st.integers(-(10**10), 10**10))
def test_a_shift_moves_by_the_same_in_every_unit(ms: int, by_ms: int) -> None:
    """Seconds and milliseconds are moved alike, to the millisecond."""
    assert parse(shift(ms, by_ms)) == ms + by_ms
    assert parse(shift(ms / 1000.0, by_ms)) == ms + by_ms
