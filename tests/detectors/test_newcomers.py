"""Newcomers: members that were never there, against the usual rate of arrivals."""

import numpy as np
import pytest
from scipy.stats import nbinom, norm

from detectors import Detector, Reason, create

MINUTE_MS = 60_000


def made(members: int, **params: object) -> Detector:
    """A detector of one group."""
    detector = create("newcomers", params)
    detector.grow(members)
    detector.assign(np.arange(members), np.zeros(members, np.int64))  # type: ignore[attr-defined]  # over groups
    return detector


def seen(detector: Detector, count: int, minute: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores and reasons when the first `count` members are there."""
    said = detector.update(np.arange(count), np.full(count, minute * MINUTE_MS), np.ones(count))
    return said.score, said.reason


def test_the_first_new_value_after_long_is_odd_and_the_known_are_not() -> None:
    """After a day without any, one new member is one in a thousand minutes; next time it is known."""
    detector = made(8)
    for minute in range(1440):
        score, _ = seen(detector, 5, minute)
        assert score.max() <= 0.5
    score, reason = seen(detector, 6, 1440)
    assert np.flatnonzero(score > 0.999).tolist() == [5]
    assert reason[5] == Reason.UNUSUAL
    assert seen(detector, 6, 1441)[0].max() <= 0.5


def test_many_at_once_are_odd_where_one_at_a_time_is_usual() -> None:
    """A group to which one comes each ten minutes: one is no news, six at once are."""
    detector = made(400)
    count = 5
    for minute in range(1500):
        count += minute % 10 == 9
        score, _ = seen(detector, count, minute)
        if minute > 500:
            assert score.max() < 0.99
    score, _ = seen(detector, count + 6, 1500)
    assert (score[count : count + 6] > 0.9999).all()


def test_the_probability_is_the_negative_binomial_one() -> None:
    """The raw number is the normal quantile of P(k or more) by the law of a Poisson count whose rate is Gamma."""
    detector = made(30)
    for minute in range(200):
        seen(detector, 5 + minute // 50, minute)
    kept = detector.snapshot()
    arrivals, seconds = kept["group_arrivals"][0], kept["group_seconds"][0]
    now = detector.update(np.arange(12), np.full(12, 202 * MINUTE_MS), np.ones(12))
    new = 12 - 8
    tail = nbinom.sf(new - 1, arrivals + 0.5, seconds / (seconds + 180.0))
    assert now.raw[8:] == pytest.approx(norm.isf(tail), rel=1e-6)
    assert now.raw[:8].tolist() == [0.0] * 8


def test_what_was_forgotten_is_new_again() -> None:
    """A row that is given back and taken again counts as a newcomer."""
    detector = made(6)
    for minute in range(1000):
        seen(detector, 6, minute)
    detector.reset(np.array([2]))
    detector.assign(np.array([2]), np.array([0]))  # type: ignore[attr-defined]  # over groups
    assert np.flatnonzero(seen(detector, 6, 1000)[0] > 0.99).tolist() == [2]


def test_who_belongs_to_nobody_is_never_new() -> None:
    """Rows that were never assigned to a group are not judged."""
    detector = create("newcomers", {})
    detector.grow(3)
    assert set(seen(detector, 3, 0)[1].tolist()) == {Reason.WARM_UP}
