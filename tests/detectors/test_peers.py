"""Peers: one member unlike its group."""

import numpy as np
import pytest

from detectors import Reason, Scores, create

STEPS, MEMBERS = 800, 6


def group(seed: int = 1) -> np.ndarray:
    """A common walk, of which members have more or less, at levels of their own, with noise."""
    random = np.random.default_rng(seed)
    walk = np.cumsum(random.normal(size=STEPS))
    share = np.linspace(0.5, 2.0, MEMBERS)
    return (
        100 * np.arange(1, MEMBERS + 1)
        + share * walk[:, None]
        + random.normal(size=(STEPS, MEMBERS))
    )


def judged(values: np.ndarray, **params: object) -> Scores:
    """What the detector says of one group, [steps, members]."""
    steps, members = values.shape
    detector = create("peers", params)
    detector.grow(members)
    detector.assign(np.arange(members), np.zeros(members, np.int64))  # type: ignore[attr-defined]  # over groups
    rows, times = np.tile(np.arange(members), steps), np.repeat(np.arange(steps), members)
    return detector.update(rows, times, values.ravel())


def test_one_unlike_the_others_is_found_and_all_together_are_not() -> None:
    """A member that jumps by twelve is an alarm; a jump of all in their shares is not."""
    values = group()
    values[500, 2] += 12
    values[600:603] += 20 * np.linspace(0.5, 2.0, MEMBERS)
    score = judged(values).score.reshape(STEPS, MEMBERS)
    assert np.argmax(score[500]) == 2
    assert score[500, 2] > 0.9999
    assert score[600].max() < 0.9999


def test_what_is_expected_follows_the_others() -> None:
    """The expected value is nearer than the member's own mean: its share of the common walk is learnt."""
    values = group(2)
    said = judged(values)
    expected = said.expected.reshape(STEPS, MEMBERS)[400:]
    error = np.sqrt(np.mean((expected - values[400:]) ** 2, axis=0))
    assert (error < 0.6 * values[400:].std(axis=0)).all()


def test_values_themselves_can_be_compared() -> None:
    """With `own_level` false a member that was always higher than the others is odd from the start."""
    random = np.random.default_rng(3)
    values = 50 + random.normal(size=(300, MEMBERS))
    values[200:, 4] += 9
    said = judged(values, own_level=False, tail="normal")
    score = said.score.reshape(300, MEMBERS)
    assert score[200, 4] > 0.9999
    assert said.expected.reshape(300, MEMBERS)[250, 4] == pytest.approx(50, abs=3)


def test_two_are_no_group() -> None:
    """With fewer than two others nothing is said."""
    said = judged(group()[:, :2])
    assert set(said.reason.tolist()) == {Reason.WARM_UP}
    assert np.isnan(said.expected).all()
