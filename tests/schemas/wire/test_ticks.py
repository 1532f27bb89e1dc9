"""Event times that are numbers of a unit, or of one that their size tells."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.wire.columns import times_ms
from schemas.wire.ticks import stamps_ms, ticks_ms

MS = 1_760_000_000_123


@given(st.integers(100_000_000_000, 4_000_000_000_000))
def test_a_time_tells_its_unit(ms: int) -> None:
    """From March 1973 on a number of any unit is read as what it is."""
    numbers = np.array([ms, ms * 1e3, ms * 1e6])

    assert [ms] * 3 == ticks_ms(numbers, "auto").tolist()
    assert [ms // 1000 * 1000] == ticks_ms(np.array([ms // 1000]), "auto").tolist()


@pytest.mark.parametrize(
    ("unit", "number", "expected"),
    [
        ("s", 1.5, 1500),
        ("ms", 1.5, 2),
        ("us", 1499, 1),
        ("ns", 1_500_001, 2),
        ("s", 1e11, -1),
        ("s", -0.001, -1),
        ("auto", 0, 0),
        ("auto", 1e20, -1),
        ("auto", float("inf"), -1),
        ("auto", float("nan"), -1),
        ("ns", float("nan"), -1),
    ],
)
def test_numbers_become_milliseconds(unit: Any, number: float, expected: int) -> None:
    """Times are rounded to the nearest millisecond; what is below 1970 or beyond 5138 is none."""
    assert [expected] == ticks_ms(np.array([number], np.float64), unit).tolist()


def test_texts_and_numbers_stand_side_by_side() -> None:
    """Each of a mixed lot is read as what it is, in its place."""
    text = "2025-10-09T08:53:20.123Z"
    times: list[float | str] = [text, MS, "no", 5, text]

    assert [MS, MS, -1, 5000, MS] == stamps_ms(times, "auto").tolist()
    assert [MS, MS] == stamps_ms([text, text], "ns").tolist()
    assert [] == stamps_ms([], "auto").tolist()


@pytest.mark.parametrize("others", [[], ["2025-10-09T08:53:20.123Z"]])
def test_a_number_of_hundreds_of_digits_is_no_time(others: list[str]) -> None:
    """Whole numbers that no float can hold are no time, and raise nothing; the fuzzer found this one."""
    assert [-1, -1, MS] == times_ms([10**400, -(10**400), MS, *others]).tolist()[:3]
