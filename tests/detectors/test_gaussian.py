"""Gaussian: the running mean and variance, and the score from them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import Reason, create
from detectors.gaussian import LEARN_WITHIN, Gaussian

Values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)


@given(Values)
def test_mean_and_variance_are_those_of_the_whole_past(values: list[float]) -> None:
    """After any samples the state is their mean and their sum of squares about it."""
    detector = create("gaussian", {})
    detector.grow(1)
    size = len(values)
    detector.update(np.zeros(size, np.int64), np.arange(size), np.array(values))
    state = detector.snapshot()
    assert state["mean"][0] == pytest.approx(np.mean(values), rel=1e-9, abs=1e-6)
    squares = np.sum((np.array(values) - np.mean(values)) ** 2)
    assert state["squares"][0] == pytest.approx(squares, rel=1e-6, abs=1e-3)


def test_agrees_with_river() -> None:
    """The z-score is that of river's mean and variance, taken before the sample."""
    from river import stats

    values = np.random.default_rng(1).normal(50, 3, 300)
    detector = create("gaussian", {"warm_up_samples": 10})
    detector.grow(1)
    raw = detector.update(np.zeros(300, np.int64), np.arange(300), values).raw
    variance = stats.Var()
    for position, value in enumerate(values):
        if position >= 2:
            z = abs(value - variance.mean.get()) / math.sqrt(variance.get())
            assert raw[position] == pytest.approx(z, rel=1e-9)
        variance.update(value)


def test_score_reason_and_band() -> None:
    """The score is the normal probability, and the reason tells the side on which the band was left."""
    values = np.tile([9.0, 11.0], 100)
    detector = create("gaussian", {})
    detector.grow(1)
    zero = np.array([0])
    before = detector.update(np.zeros(200, np.int64), np.arange(200), values)
    assert before.reason[:60].tolist() == [Reason.WARM_UP] * 60
    assert before.reason[60:].tolist() == [Reason.OK] * 140
    detector.freeze(zero, frozen=True)
    scale = math.sqrt(200 / 199)
    for value, reason in ((10.5, Reason.FROZEN), (15.0, Reason.ABOVE), (5.0, Reason.BELOW)):
        said = detector.update(zero, zero, np.array([value]))
        z = abs(value - 10) / scale
        assert said.score[0] == pytest.approx(math.erf(z / math.sqrt(2)))
        assert said.reason[0] == reason
        assert (said.low[0] <= value <= said.high[0]) == (reason == Reason.FROZEN)
        assert said.expected[0] == pytest.approx(10.0)


@pytest.mark.parametrize(("direction", "odd"), [("both", [1, 1]), ("up", [1, 0]), ("down", [0, 1])])
def test_direction(direction: str, odd: list[int]) -> None:
    """Only deviations to the watched side are odd."""
    detector = create("gaussian", {"direction": direction})
    detector.grow(2)
    for step in range(100):
        detector.update(np.arange(2), np.full(2, step), np.full(2, step % 2 + 10.0))
    said = detector.update(np.arange(2), np.full(2, 100), np.array([20.0, 0.0]))
    assert (said.score > 0.999).astype(int).tolist() == odd


Told = st.floats(allow_nan=True, allow_infinity=True) | st.floats(90.0, 110.0)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), Told), max_size=120),
    st.sampled_from(["both", "up", "down"]),
    st.sampled_from([0.9, 0.999, 0.999999]),
)
def test_calm_samples_are_learnt_as_the_others_are(
    samples: list[tuple[int, float]], direction: str, score: float
) -> None:
    """What is learnt in short would have scored less and leaves the same bits; a row is left from where it is loud."""
    rows = np.array([row for row, _ in samples], np.int64)
    times, values = np.arange(len(rows)), np.array([value for _, value in samples])
    made = [create("gaussian", {"warm_up_samples": 4, "direction": direction}) for _ in range(2)]
    for each in made:
        each.grow(5)
        each.update(np.tile(np.arange(4), 6), np.arange(24), np.linspace(95.0, 105.0, 24))
        each.freeze(np.array([3]), frozen=True)
    plain, swift = made
    assert isinstance(swift, Gaussian)
    wary = (rows == 2) & (times > 60)
    scores = plain.update(rows, times, values)
    learnt = swift.learn_calm(rows, values, wary, score)
    assert not learnt[rows == 3].any()
    assert not learnt[np.isin(rows, rows[wary])].any()
    assert (scores.score[learnt] < score).all()
    for row in range(4):
        first_left = np.argmin(learnt[rows == row]) if (rows == row).any() else 0
        assert not learnt[rows == row][first_left:].any() or learnt[rows == row].all()
    swift.update(rows[~learnt], times[~learnt], values[~learnt])
    found = swift.snapshot()
    for name, column in plain.snapshot().items():
        assert column.tobytes() == found[name].tobytes(), name


def test_only_what_asks_the_normal_law_alone_learns_in_short() -> None:
    """A detector that asks its own past, or keeps quiet after it has spoken, judges sample by sample."""
    LEARN_WITHIN.load()
    swift = [create("gaussian", given) for given in ({}, {"tail": "past"}, {"refractory": True})]
    assert [True, False, False] == [each.is_swift(1_000) for each in swift]  # type: ignore[attr-defined]  # Gaussians
