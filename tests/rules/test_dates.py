"""The calendar, against Python's."""

import math
from calendar import monthrange
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.rules.dates import DATE_FUNCTIONS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_part_of_a_date_is_that_of_python(moment: datetime) -> None:
    """From year 1 to 9999, before and after the epoch."""
    moment = moment.replace(microsecond=0)
    seconds = np.array([(moment - EPOCH) // timedelta(seconds=1)], float)

    found = {name: function(seconds).item() for name, function in DATE_FUNCTIONS.items()}

    assert found == {
        "day_of_month": moment.day,
        "day_of_week": moment.isoweekday() % 7,
        "day_of_year": moment.timetuple().tm_yday,
        "days_in_month": monthrange(moment.year, moment.month)[1],
        "hour": moment.hour,
        "minute": moment.minute,
        "month": moment.month,
        "year": moment.year,
    }


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
def test_what_is_no_time_is_where_gos_clock_overflows(value: float) -> None:
    """15:30 in the year 292277026596."""
    values = np.array([value])

    assert (15, 30, 292277026596) == tuple(
        DATE_FUNCTIONS[name](values).item() for name in ("hour", "minute", "year")
    )


def test_fractions_are_cut_off() -> None:
    """Half a second before the epoch is the epoch, as in Go."""
    assert 1970 == DATE_FUNCTIONS["year"](np.array([-0.5])).item()
