"""Lateness: quantiles that are never too small, and a setting that would do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.inspect.lateness import Spread

times = st.lists(st.integers(0, 10**9), min_size=1, max_size=60)


def behind(found: list[int]) -> list[int]:
    """How far each is behind the newest before it, one at a time."""
    return [max(max(found[:at], default=t) - t, 0) for at, t in enumerate(found)]


@given(times, st.integers(0, 10**6))
def test_it_is_what_a_loop_finds(found: list[int], allowed: int) -> None:
    """The latest and the number of late samples are exact, quantiles within 6 % above."""
    spread = Spread(allowed)
    spread.add(0, np.array(found, np.int64))
    told = spread.report()
    late = behind(found)

    assert told is not None
    assert (max(late) / 1000, sum(b > allowed for b in late)) == (told.most, told.late)
    exact = sorted(late)[int(np.ceil(0.99 * len(late))) - 1] / 1000
    assert exact - 1e-9 <= told.p99 <= exact * 1.06 + 0.001


@given(times, st.data())
def test_cuts_change_nothing(found: list[int], data: st.DataObject) -> None:
    """The same samples in two parts are told alike."""
    at = data.draw(st.integers(0, len(found)))
    whole, cut = Spread(1_000), Spread(1_000)
    whole.add(0, np.array(found, np.int64))
    for part in (found[:at], found[at:]):
        cut.add(0, np.array(part, np.int64))

    assert whole.report() == cut.report()


def test_partitions_are_judged_apart() -> None:
    """A partition that is behind another is not late."""
    spread = Spread(1_000)
    spread.add(0, np.array([1_000_000]))
    spread.add(1, np.array([0]))
    told = spread.report()

    assert told is not None
    assert (0.0, 0) == (told.most, told.late)


@pytest.mark.parametrize(
    ("late_ms", "seconds"), [(0, 5), (7_000, 10), (50_000, 60), (10**8, 86_400)]
)
def test_a_round_setting_is_recommended(late_ms: int, seconds: float) -> None:
    """The next round duration from 5 s on that 999 of 1000 samples need."""
    spread = Spread(5_000)
    spread.add(0, np.array([10**9, *[10**9 - late_ms] * 10]))
    told = spread.report()

    assert told is not None
    assert seconds == told.recommended_seconds


def test_nothing_has_no_lateness() -> None:
    """Without samples there is nothing to tell."""
    assert Spread(0).report() is None
