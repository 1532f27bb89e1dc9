"""Onset: when a column became abnormal, and what it foretells."""

import numpy as np
import pytest

from streams.rank.onset import lagged_correlation, onset_row


@pytest.mark.parametrize(
    ("abnormal", "expected"),
    [("0000", None), ("0001", 3), ("0011", 2), ("1011", 2), ("1111", 0)],
)
def test_the_run_that_reaches_into_the_incident_counts(abnormal: str, expected: int | None) -> None:
    """The first row of the run that holds the first abnormal row from row 2 on."""
    assert expected == onset_row(np.array([c == "1" for c in abnormal]), 2)


@pytest.mark.parametrize("lag", [0, 1, 2])
def test_the_lag_is_found(lag: int) -> None:
    """A column that another one follows, upside down, is ahead by that many rows."""
    leader = np.random.default_rng(0).normal(size=60)
    follower = -np.roll(leader, lag)

    strength, found = lagged_correlation(leader, follower, 50)

    assert lag == found
    assert strength > 0.9


def test_constants_and_few_values_correlate_with_nothing() -> None:
    """Without a change, or with too few pairs, there is no correlation."""
    noise = np.random.default_rng(0).normal(size=60)

    assert (0.0, 0) == lagged_correlation(np.ones(60), noise, 50)
    assert (0.0, 0) == lagged_correlation(np.where(np.arange(60) > 52, noise, np.nan), noise, 50)


def test_huge_values_do_not_overflow() -> None:
    """Values whose squares no float holds correlate as others do."""
    leader = np.random.default_rng(0).normal(size=60)

    assert pytest.approx(1.0) == lagged_correlation(leader * 1e300, leader, 50)[0]
