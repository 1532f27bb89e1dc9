"""Seconds gone by in a log: never fall, hang on the log alone, and outlive records with wrong times."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.time.elapsed import MOST_STEP_SECONDS, Elapsed

START_MS = 1_700_000_000_000


def totals(elapsed: Elapsed, *after_seconds: float) -> list[int]:
    """Seconds gone by at records written this long after the start."""
    stamps = [START_MS + int(s * 1000) for s in after_seconds]
    return elapsed.advance(np.array(stamps, np.int64)).tolist()


def test_whole_seconds_count() -> None:
    """Records within a second are of one time, however they are ordered within it."""
    assert [0, 0, 1, 1, 3] == totals(Elapsed(), 0.0, 0.9, 1.1, 0.2, 3.0)


def test_a_long_gap_counts_for_a_minute() -> None:
    """However far the log jumps, one step is a minute at most."""
    assert [0, MOST_STEP_SECONDS, MOST_STEP_SECONDS + 1] == totals(Elapsed(), 0, 9_999, 10_000)


def test_one_wrong_time_does_not_stop_the_others() -> None:
    """After a record from the far future, time goes on from where the log is."""
    elapsed = Elapsed()
    totals(elapsed, 0)

    assert [60, 60, 61, 62] == totals(elapsed, 10_000_000, 1, 2, 3)


@given(st.lists(st.integers(-200, 200), min_size=1, max_size=40), st.data())
def test_cutting_changes_nothing(found: list[int], data: st.DataObject) -> None:
    """In pieces of any size the seconds are the same, and they never fall."""
    expected = totals(Elapsed(), *found)
    elapsed, got = Elapsed(), []
    while len(got) < len(found):
        end = len(got) + data.draw(st.integers(1, len(found)))
        got += totals(elapsed, *found[len(got) : end])

    assert expected == got == sorted(got)
    assert [] == totals(elapsed)
