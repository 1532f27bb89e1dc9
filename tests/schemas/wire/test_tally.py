"""Tally: what is counted, when it is told, and what is forgotten."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import CheckpointError
from schemas.wire.tally import BOUNDS_SECONDS, MOST_BEHIND_MS, Tally, Told

CART = (("service", "cart"),)
HOUR_MS = 3_600_000


def told(tally: Tally, *times_ms: int, metric: str = "n") -> list[Told]:
    """What is told while one thing is counted at each of these times."""
    found: list[Told] = []
    for time_ms in times_ms:
        found += tally.advance(time_ms)
        tally.count(metric, CART)
    return found


def test_a_second_is_told_at_its_end_when_another_begins() -> None:
    """Running totals, with the time at which the second ended; the open second is not told."""
    assert [Told(2000, "n", CART, 2.0), Told(4000, "n", CART, 3.0)] == told(
        Tally(), 1000, 1999, 3500, 9000
    )


def test_what_is_late_counts_into_the_open_second() -> None:
    """So no total is told for a time before one that was told already."""
    assert [Told(6000, "n", CART, 2.0)] == told(Tally(), 5000, 1000, 6000)


def test_a_wrong_clock_does_not_hold_the_tally_for_ever() -> None:
    """After something from the far future, the seconds are those of what comes next."""
    far = MOST_BEHIND_MS * 100

    assert [1000, far + 1000, 3000] == [t.time_ms for t in told(Tally(), 0, far, 2000, 3000)]


def test_only_what_was_touched_is_told() -> None:
    """A counter that stands still is silent."""
    tally = Tally()
    told(tally, 0, metric="once")

    assert ["once", "other"] == [t.metric for t in told(tally, 1000, 2000, metric="other")]


def test_durations_are_histograms() -> None:
    """Buckets are running counts with the bounds of the Collector's connectors; a bound is in its bucket."""
    tally = Tally()
    tally.advance(0)
    for seconds in (0.001, 0.002, 0.3, 99.0):
        tally.observe("d", CART, seconds)
    found = tally.advance(1000)
    buckets = {dict(t.labels)["le"]: t.value for t in found if t.metric == "d_bucket"}

    assert len(BOUNDS_SECONDS) + 1 == len(buckets)
    assert (2.0, 2.0, 3.0, 3.0, 4.0) == tuple(
        buckets[le] for le in ("0.002", "0.2", "0.4", "15", "+Inf")
    )
    assert {"d_count": 4.0, "d_sum": 99.303} == {
        t.metric: t.value for t in found if t.metric != "d_bucket"
    }


@given(
    st.lists(st.tuples(st.integers(0, 90_000), st.sampled_from("ab"), st.booleans()), max_size=20),
    st.sets(st.integers(0, 20)),
)
def test_totals_hang_neither_on_cuts_nor_on_restarts(
    things: list[tuple[int, str, bool]], cuts: set[int]
) -> None:
    """A tally that is stored and brought back tells the same."""

    def run(tally: Tally, part: list[tuple[int, str, bool]]) -> list[Told]:
        found: list[Told] = []
        for time_ms, metric, is_count in part:
            found += tally.advance(time_ms)
            if is_count:
                tally.count(metric, CART, 0.1)
            else:
                tally.observe(metric + "_d", CART, time_ms / 7)
        return found

    pieces: list[Told] = []
    tally = Tally()
    for first, last in pairwise([0, *sorted(c for c in cuts if c < len(things)), len(things)]):
        pieces += run(tally, things[first:last])
        stored = tally.snapshot()
        tally = Tally()
        tally.restore(stored)

    assert run(Tally(), things) == pieces


def test_what_finds_no_room_is_not_counted_until_others_are_forgotten() -> None:
    """At the cap what is new waits until something was not touched for an hour; what is known goes on."""
    tally = Tally(most=2)
    told(tally, 0, metric="a")
    told(tally, HOUR_MS - 1000, metric="b")

    assert not tally.count("c", CART)
    assert tally.count("a", CART)
    tally.advance(2 * HOUR_MS - 1000)
    assert tally.count("c", CART)
    assert 1 == len(tally)


def test_a_checkpoint_that_is_none_is_refused() -> None:
    """With an error of its own."""
    for columns in ({}, {"tally": np.zeros(3, np.uint8)}):
        with pytest.raises(CheckpointError):
            Tally().restore(columns)
