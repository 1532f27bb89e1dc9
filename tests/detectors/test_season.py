"""Season: which rhythm a series has is found from what foretells it best."""

import numpy as np
import pytest

from detectors import Detector, Reason, create
from detectors.season import DAY_MS

STEP_MS = 1_800_000
ADAY = DAY_MS // STEP_MS
DAYS = 24


def series(kind: str, days: int = DAYS) -> tuple[np.ndarray, np.ndarray]:
    """Times and values of a series with a rhythm, and noise of one."""
    times = np.arange(days * DAY_MS // STEP_MS) * STEP_MS
    random = np.random.default_rng(1)
    day = 10 * np.sin(2 * np.pi * times / DAY_MS)
    shape = {
        "none": 0 * day,
        "day": day,
        "week": day * ((times // DAY_MS) % 7 < 5),
        "walk": 0.3 * np.cumsum(random.normal(size=times.size)),
    }[kind]
    return times, 100 + shape + random.normal(size=times.size)


def fed(kind: str) -> tuple[Detector, np.ndarray, object]:
    """A detector that has seen such a series, the values, and what it said."""
    times, values = series(kind)
    detector = create("seasonal", {})
    detector.grow(1)
    return detector, values, detector.update(np.zeros(times.size, np.int64), times, values)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("none", "no rhythm"),
        ("day", "rhythm of a day: errors 1"),
        ("week", "rhythm of a week: errors"),
    ],
)
def test_the_rhythm_is_found(kind: str, said: str) -> None:
    """Without being told it finds a day, working days and weekends, or nothing, and says what that is worth."""
    detector, values, scores = fed(kind)
    assert detector.why(0).startswith(said)  # type: ignore[attr-defined]  # it has one
    late = slice(-3 * ADAY, None)
    error = values[late] - scores.expected[late]  # type: ignore[attr-defined]  # Scores
    assert np.sqrt(np.mean(error**2)) < 1.6
    assert (scores.score[late] < 0.9999).all()  # type: ignore[attr-defined]  # Scores


def test_it_says_nothing_before_it_could_know() -> None:
    """A day and a half is warm-up: half a season of comparisons."""
    _, _, scores = fed("day")
    reason = scores.reason  # type: ignore[attr-defined]  # Scores
    assert set(reason[: ADAY + ADAY // 2].tolist()) == {Reason.WARM_UP}
    assert Reason.WARM_UP not in reason[ADAY + ADAY // 2 + 1 :]


def test_a_value_of_another_hour_is_odd() -> None:
    """The peak's value in the trough is an alarm, though it comes every day."""
    times, values = series("day")
    at = 20 * ADAY + 3 * ADAY // 4
    values[at] = 110.0
    detector = create("seasonal", {})
    detector.grow(1)
    said = detector.update(np.zeros(times.size, np.int64), times, values)
    assert said.score[at] > 0.9999
    assert said.expected[at] == pytest.approx(90, abs=2)


def test_a_rhythm_that_ends_is_given_up() -> None:
    """A series that loses its rhythm is judged without one some days later."""
    times, values = series("day", 30)
    values[12 * ADAY :] = 100 + np.random.default_rng(2).normal(size=18 * ADAY)
    detector = create("seasonal", {})
    detector.grow(1)
    rows = np.zeros(times.size, np.int64)
    detector.update(rows[: 12 * ADAY], times[: 12 * ADAY], values[: 12 * ADAY])
    before = detector.why(0)  # type: ignore[attr-defined]  # it has one
    detector.update(rows[12 * ADAY :], times[12 * ADAY :], values[12 * ADAY :])
    assert before.startswith("rhythm of a day")
    assert detector.why(0) == "no rhythm"  # type: ignore[attr-defined]  # it has one


def test_a_checkpoint_from_when_a_day_was_the_default_goes_on() -> None:
    """The state of `seasonal` with the season of a day is taken in, and speaks at once as before."""
    times, values = series("day", 8)
    rows, half = np.zeros(times.size, np.int64), 6 * ADAY
    former = create("seasonal", {"season_ms": DAY_MS})
    former.grow(1)
    former.update(rows[:half], times[:half], values[:half])
    now = create("seasonal", {})
    now.restore(former.snapshot())
    expected = former.update(rows[half:], times[half:], values[half:])
    said = now.update(rows[half:], times[half:], values[half:])
    assert (said.reason != Reason.WARM_UP).all()
    np.testing.assert_allclose(said.expected, expected.expected)
