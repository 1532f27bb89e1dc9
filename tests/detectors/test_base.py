"""Rounds: how a call with repeated rows is cut."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.base import Round, rounds

Rows = st.lists(st.integers(0, 9), max_size=60).map(lambda rows: np.array(rows, np.int64))


@given(Rows)
def test_rounds_cover_every_sample_once_and_keep_order(rows: np.ndarray) -> None:
    """Every sample is in one round, no row twice in a round, and each row's samples stay in order."""
    position = np.arange(rows.size)
    chosen = [position[where] for where in rounds(rows)]
    assert sorted(np.concatenate([position[:0], *chosen])) == position.tolist()
    for where in chosen:
        assert np.unique(rows[where]).size == where.size
    for row in np.unique(rows):
        order = [i for where in chosen for i in where if rows[i] == row]
        assert order == np.flatnonzero(rows == row).tolist()


def test_rising_rows_are_one_round_as_they_stand() -> None:
    """The fast path moves nothing."""
    assert list(rounds(np.array([1, 4, 9]))) == [slice(None)]


def test_rows_without_a_gap_are_a_slice() -> None:
    """Neighbouring rows are reached by a view, others by their numbers."""
    times, values = np.zeros(3, np.int64), np.zeros(3)
    assert Round.of(np.array([4, 5, 6]), times, values).at == slice(4, 7)
    gap = np.array([4, 5, 7])
    assert Round.of(gap, times, values).at is gap
