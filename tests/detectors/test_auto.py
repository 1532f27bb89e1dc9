"""The default detector: what it finds, what it lets be, and that blocks of time are the samples one by one."""

from collections.abc import Callable
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.auto import Auto, AutoSettings, sketch
from detectors.auto.judge import judge
from detectors.auto.state import OLD_BLOCK, VIEWS
from detectors.base import FloatArray, Reason, Scores
from detectors.registry import create

MINUTE_MS = 60_000
ROWS = 4_000
ONE_A_WEEK = 1.0 - 1.0 / 10_080


def judged(values: FloatArray, step_ms: int = MINUTE_MS, **params: object) -> Scores:
    """The scores of one series from nothing."""
    detector = create("auto", params)
    detector.grow(1)
    size = values.size
    return detector.update(np.zeros(size, np.int64), np.arange(size) * step_ms, values)


def noise(seed: int = 1, size: int = ROWS) -> FloatArray:
    """Normal noise around 100."""
    return np.random.default_rng(seed).normal(100.0, 1.0, size)


def spike(values: FloatArray) -> FloatArray:
    """One value that was never there."""
    values[3_900] += 30.0
    return values


def step(values: FloatArray) -> FloatArray:
    """A level that was never there."""
    values[3_900:] -= 25.0
    return values


def silence(values: FloatArray) -> FloatArray:
    """A value that stops moving elsewhere."""
    values[3_900:] = 0.0
    return values


@pytest.mark.parametrize("fault", [spike, step, silence])
def test_what_is_plainly_odd_is_told_at_once(fault: Callable[[FloatArray], FloatArray]) -> None:
    """A spike, a step and a silence reach one alarm a week in their first sample."""
    said = judged(fault(noise()))
    assert said.score[3_900] >= ONE_A_WEEK


def test_an_ordinary_value_at_the_wrong_time_is_told() -> None:
    """Neither extreme of a daily square wave is new, but by night the value of the day is odd."""
    minutes = np.arange(8 * 1440)
    values = np.where(minutes % 1440 < 720, 10.0, 50.0) + noise(2, minutes.size) * 0.5
    at = 7 * 1440 + 300
    values[at : at + 5] += 40.0
    assert judged(values).score[at] >= ONE_A_WEEK


def test_what_was_told_is_not_told_again() -> None:
    """A fault that lasts is told when it begins; after that only something louder is."""
    said = judged(step(noise()))
    assert np.count_nonzero(said.score[3_901:] >= ONE_A_WEEK) == 0
    assert (said.reason[3_901:3_905] == Reason.REFRACTORY).all()


def test_normal_noise_costs_about_what_was_asked() -> None:
    """In four weeks of fifty noisy series, alarms are within a factor of two of one a week each."""
    series, size = 50, 4 * 2_016
    detector = create("auto", {})
    detector.grow(series)
    values = np.random.default_rng(3).normal(0.0, 1.0, series * size)
    times = np.tile(np.arange(size) * 300_000, series)
    said = detector.update(np.repeat(np.arange(series), size), times, values)
    alarms = np.count_nonzero(said.score >= 1.0 - 1.0 / 2_016)
    assert series * 4 / 2 <= alarms <= series * 4 * 2


def test_one_side_can_be_asked_for() -> None:
    """With `direction: up` a fall says nothing."""
    values = noise()
    values[3_900] -= 30.0
    assert judged(values, direction="up").score[3_900] < 0.999
    assert judged(values, direction="down").score[3_900] >= ONE_A_WEEK


def test_a_counter_is_told_apart_again_and_again() -> None:
    """What only rises is a counter, and none any more when it has long gone up and down."""
    detector = Auto(AutoSettings())
    detector.grow(1)
    rising = np.cumsum(np.abs(noise(4, 2_048)))
    row = np.zeros(2_048, np.int64)
    detector.update(row, np.arange(2_048) * MINUTE_MS, rising)
    assert "only counts" in detector.why(0)
    detector.update(row, np.arange(2_048, 4_096) * MINUTE_MS, rising[-1] + noise(5, 2_048))
    assert "only counts" not in detector.why(0)


def test_it_says_whether_the_time_of_day_explains() -> None:
    """The choice is in words: a daily rhythm votes twice, noise does not, and a constant is called one."""
    detector = Auto(AutoSettings())
    detector.grow(3)
    minutes = np.arange(4 * 1440)
    daily = 30.0 * np.sin(minutes * 2 * np.pi / 1440) + noise(6, minutes.size)
    for row, values in enumerate((daily, noise(7, minutes.size), np.full(minutes.size, 5.0))):
        detector.update(np.full(minutes.size, row), minutes * MINUTE_MS, values)
    assert "explains much" in detector.why(0)
    assert "explains little" in detector.why(1)
    assert "constant" in detector.why(2)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 99), st.sampled_from([1_000, 60_000, 3_600_000]), st.integers(1, 399))
def test_time_in_blocks_is_sample_by_sample(seed: int, step_ms: int, cut: int) -> None:
    """A series in one call, cut anywhere, and beside others gives the same bits."""
    size = 400
    values = np.random.default_rng(seed).standard_cauchy(size)
    times = np.arange(size) * step_ms
    row = np.zeros(size, np.int64)
    whole, pair = create("auto", {}), create("auto", {})
    whole.grow(1)
    pair.grow(2)
    expected = whole.update(row, times, values)
    both = [
        pair.update(
            np.repeat([0, 1], part.stop - part.start),
            np.tile(times[part], 2),
            np.concatenate((values[part], -values[part])),
        )
        for part in (slice(0, cut), slice(cut, size))
    ]
    for field in ("raw", "score", "expected", "low", "reason"):
        first = np.concatenate([getattr(s, field)[: len(s.score) // 2] for s in both])
        assert np.array_equal(getattr(expected, field), first, equal_nan=field != "reason")


def test_calm_stops_in_front_of_the_first_loud_sample() -> None:
    """`calm` takes the samples in front of a score that is reached, with the bits of `update`."""
    values = spike(noise())
    times, row = np.arange(ROWS) * MINUTE_MS, np.zeros(ROWS, np.int64)
    plain, detector = Auto(AutoSettings()), Auto(AutoSettings())
    plain.grow(1)
    detector.grow(1)
    expected = plain.update(row, times, values)
    first = int(np.flatnonzero(expected.score >= ONE_A_WEEK)[0])
    taken, scores = detector.calm(0, times, values, ONE_A_WEEK)
    assert taken == first
    assert np.array_equal(expected.score[:first], scores.score)
    rest = detector.update(row[first:], times[first:], values[first:])
    assert np.array_equal(expected.score[first:], rest.score)


def test_a_row_takes_less_than_4_kb() -> None:
    """All columns of a row together, and the pivots of its sketches, are under 4,096 bytes."""
    detector = Auto(AutoSettings())
    detector.grow(1)
    columns = (*detector.snapshot().values(), detector.columns.pivots)
    assert sum(column.nbytes for column in columns) < 4_096


def test_pivots_are_those_of_what_is_kept() -> None:
    """Whatever happens to rows, the pivots are values of their sketches."""
    detector = Auto(AutoSettings())
    detector.grow(3)
    random, before = np.random.default_rng(6), detector.snapshot()
    acts: tuple[Callable[[], None], ...] = (
        lambda: detector.grow(5),
        lambda: detector.reset(np.array([1])),
        lambda: detector.take(np.array([2, 0, 1]), 6),
        lambda: detector.give(np.array([4]), detector.snapshot(), np.array([0])),
        lambda: detector.restore(before),
    )
    for act in acts:
        for minute in range(OLD_BLOCK):
            times = np.full(3, minute * MINUTE_MS)
            detector.update(np.arange(3), times, random.normal(size=3))
        for _ in range(2):
            kept = detector.columns["kept"].reshape(-1, VIEWS, sketch.SIZE)
            assert np.array_equal(sketch.pivots_of(kept), detector.columns.pivots)
            act()


def test_calm_stretches_are_wide_and_give_the_bits_of_single_samples() -> None:
    """Of a series that has become old, `calm` takes many blocks at once; scores and state are those of `update`.

    There are silences, steps of other lengths, and values as were never there.
    """
    size = 6_000
    values, times = noise(3, size), np.arange(size) * MINUTE_MS // 6
    values[5_000:5_300] += np.linspace(0.0, 30.0, 300)
    times[5_600:] += 5 * MINUTE_MS * np.arange(400)
    plain, detector = Auto(AutoSettings()), Auto(AutoSettings())
    plain.grow(2)
    detector.grow(2)
    row = np.ones(size, np.int64)
    expected = plain.update(row, times, values)
    with patch("detectors.auto.auto.judge", wraps=judge) as judges:
        taken, scores = detector.calm(1, times, values, 2.0)
    assert taken == size
    assert max(call.args[1].times.shape[1] for call in judges.call_args_list) > 2 * OLD_BLOCK
    for name in ("raw", "score", "expected", "low", "high", "reason", "view"):
        assert np.array_equal(getattr(expected, name), getattr(scores, name), equal_nan=True)
    known = detector.snapshot()
    for name, column in plain.snapshot().items():
        assert np.array_equal(column, known[name], equal_nan=column.dtype.kind == "f"), name


def test_deviations_are_told_before_a_value_is_learnt() -> None:
    """In usual distances from the usual value, on the side that is watched; the unit does not matter."""
    row = np.zeros(ROWS, np.int64)
    for factor in (1.0, 1000.0):
        detector = Auto(AutoSettings(direction="up"))
        detector.grow(1)
        detector.update(row, np.arange(ROWS) * MINUTE_MS, factor * noise(8))
        told = detector.deviations(
            row[:3], np.full(3, ROWS * MINUTE_MS), factor * np.array([110.0, 105.0, 60.0])
        )
        # a mean distance of normal noise is 0.8 of its deviation
        assert [12.5, 6.25, 0.0] == pytest.approx(told.tolist(), rel=0.2)
