"""Calibration: tails, thresholds and the refractory."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.base import Round
from detectors.calibrate import (
    CELLS,
    EDGES,
    NormalTail,
    PastTail,
    Refractory,
    cells,
    threshold_for,
)
from detectors.columns import Columns

WEEK_SECONDS = 7 * 86_400


def learnt(samples: np.ndarray) -> tuple[PastTail, Columns, Round]:
    """Return a calibration of one row that has seen `samples`."""
    tail = PastTail("both")
    columns = Columns(tail.columns())
    columns.grow(1)
    now = Round.of(np.array([0]), np.array([0]), np.array([0.0]))
    for sample in samples:
        tail.learn(columns, now, np.array([sample]), 1.0)
    return tail, columns, now


def test_threshold_of_one_a_week() -> None:
    """One false alarm a week at 15 s steps leaves one sample in 40,320."""
    assert threshold_for(1, WEEK_SECONDS, 15) == pytest.approx(1 - 1 / 40_320, abs=1e-15)


def test_threshold_stays_within_reach() -> None:
    """More alarms than samples means every sample; hardly any still leaves a score that can be reached."""
    assert threshold_for(1e9, 60, 60) == 0.0
    assert threshold_for(1, 1e30, 1) == math.nextafter(1, 0)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_threshold_refuses_what_is_no_budget(bad: float) -> None:
    """Each of the three numbers must be positive and finite."""
    for position in range(3):
        numbers = [1.0, 1.0, 1.0]
        numbers[position] = bad
        with pytest.raises(ValueError, match="positive"):
            threshold_for(*numbers)


@given(st.lists(st.floats(0, 5000), min_size=1, max_size=50))
def test_cells_hold_their_numbers(raw: list[float]) -> None:
    """A raw number lies between the edges of its cell, the last cell being open."""
    numbers = np.array(raw)
    cell = cells(numbers)
    assert ((cell >= 0) & (cell < CELLS)).all()
    assert (EDGES[cell] <= numbers).all()
    assert ((numbers < EDGES[cell + 1]) | (cell == CELLS - 1)).all()


def test_a_new_row_judges_like_the_normal_law() -> None:
    """Without a past, ranks are those of the normal distribution and the tail is not below it."""
    tail, columns, now = learnt(np.array([]))
    for raw in (0.5, 1.0, 2.0):
        expected = NormalTail("both").probability(columns, now, np.array([raw]))
        assert tail.probability(columns, now, np.array([raw])) == pytest.approx(expected, rel=0.05)
    far = tail.probability(columns, now, np.array([6.0]))[0]
    assert math.erfc(6 / math.sqrt(2)) < far < 1e-4


def test_ranks_follow_the_past() -> None:
    """After thousands of samples the tail is the share of the past that was larger."""
    past = np.random.default_rng(3).exponential(2.0, 6000)
    tail, columns, now = learnt(past)
    for raw in (0.5, 2.0, 4.0, 7.0, 12.0):
        actual = tail.probability(columns, now, np.array([raw]))[0]
        assert actual == pytest.approx(math.exp(-raw / 2), rel=0.3)


def test_the_tail_falls_without_steps() -> None:
    """A larger raw number never has a larger tail probability."""
    tail, columns, now = learnt(np.abs(np.random.default_rng(4).normal(size=1000)))
    grid = np.linspace(0, 40, 2000)
    tails = [tail.probability(columns, now, np.array([raw]))[0] for raw in grid]
    assert (np.diff(tails) <= 0).all()
    assert tails[0] == 1.0


def test_reach_is_where_the_tail_is_one_in_a_thousand() -> None:
    """The band ends where the tail probability is 0.001."""
    tail, columns, now = learnt(np.abs(np.random.default_rng(5).normal(size=1000)))
    reach = tail.reach(columns, now)
    assert tail.probability(columns, now, reach) == pytest.approx(1e-3)
    for direction in ("both", "up", "down"):
        normal = NormalTail(direction)
        assert normal.probability(columns, now, np.array([normal.reach(columns, now)])) == (
            pytest.approx(1e-3)
        )


def test_the_past_fades() -> None:
    """A long time after a change the old half of the past no longer decides."""
    tail, columns, now = learnt(np.concatenate([np.full(9000, 50.0), np.full(33_000, 1.0)]))
    assert tail.probability(columns, now, np.array([50.0]))[0] < 0.05
    assert columns["tail_counts"].sum() <= 2 * 4096


def test_what_always_happens_at_the_end_of_the_grid_is_not_odd() -> None:
    """A twentieth of the past at the end of the grid keeps a tail of about a twentieth there."""
    past = np.where(np.arange(2000) % 20 == 0, EDGES[-1], 0.0)
    tail, columns, now = learnt(past)
    assert tail.probability(columns, now, EDGES[-1:])[0] > 0.01


def test_refractory_lets_only_records_through() -> None:
    """A raw number counts if it is above those of the last 60 samples, and old peaks are forgotten."""
    refractory = Refractory()
    columns = Columns(refractory.columns())
    columns.grow(1)
    now = Round.of(np.array([0]), np.array([0]), np.array([0.0]))

    def said(raw: float) -> bool:
        out = bool(refractory.stands_out(columns, now, np.array([raw]))[0])
        refractory.learn(columns, now, np.array([raw]))
        return out

    assert [said(9.0), said(8.0), said(9.0), said(10.0)] == [True, False, False, True]
    quiet = [said(1.0) for _ in range(120)]
    assert not any(quiet[:59])
    assert said(8.0)
