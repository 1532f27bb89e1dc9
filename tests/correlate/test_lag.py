"""Lag: what a series foretells of another one."""

import numpy as np
import pytest

from streams.correlate.lag import lagged_correlation


@pytest.mark.parametrize("lag", [0, 1, 2])
def test_the_lag_is_found(lag: int) -> None:
    """A series that another one follows, upside down, is ahead by that many steps."""
    leader = np.random.default_rng(0).normal(size=60)
    follower = -np.roll(leader, lag)

    strength, found = lagged_correlation(leader[20:], follower[20:], 2)

    assert lag == found
    assert strength > 0.9


def test_constants_and_few_values_correlate_with_nothing() -> None:
    """Without a change, or with too few pairs, there is no correlation."""
    noise = np.random.default_rng(0).normal(size=40)

    assert (0.0, 0) == lagged_correlation(np.ones(40), noise, 2)
    assert (0.0, 0) == lagged_correlation(np.where(np.arange(40) > 32, noise, np.nan), noise, 2)


def test_huge_values_do_not_overflow() -> None:
    """Values whose squares no float holds correlate as others do."""
    leader = np.random.default_rng(0).normal(size=40)

    assert pytest.approx(1.0) == lagged_correlation(leader * 1e300, leader, 2)[0]


def test_a_series_that_comes_later_is_not_ahead() -> None:
    """What another one foretells does not foretell that one."""
    leader = np.random.default_rng(3).normal(size=60)
    follower = np.roll(leader, 2)

    strength, _ = lagged_correlation(follower, leader, 2)

    assert strength < 0.5
