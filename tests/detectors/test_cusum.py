"""CUSUM: the recursion, small shifts, and what becomes of the sums of a frozen row."""

import numpy as np
import pytest

from detectors import Detector, create, threshold_for

HOURLY = threshold_for(1, 3600, 60)
MINUTE_MS = 60_000


def fed(detector: Detector, values: np.ndarray, start: int = 0) -> np.ndarray:
    steps = np.arange(start, start + values.size)
    return detector.update(np.zeros(values.size, np.int64), steps * MINUTE_MS, values).raw


def made(name: str = "cusum", **params: object) -> Detector:
    detector = create(name, params)
    detector.grow(1)
    return detector


@pytest.mark.parametrize(("name", "keep"), [("cusum", 1.0), ("page_hinkley", 0.9)])
def test_sums_are_those_of_the_recursion(name: str, keep: float) -> None:
    """The stored sums are what Page's recursion over the standardised values gives, one value at a time."""
    values = np.random.default_rng(1).normal(50, 2, 400)
    params = {"allowance_scales": 0.4, "tail": "normal"} | (
        {"forgetting": keep} if name == "page_hinkley" else {"half_life_samples": 1e9}
    )
    detector = made(name, **params)
    up = down = 0.0
    for step, value in enumerate(values.tolist()):
        kept = detector.snapshot()
        variance = kept["variance"][0] if name == "cusum" else kept["squares"][0] / max(step - 1, 1)
        z = (value - kept["mean"][0]) / max(np.sqrt(variance), 1e-4 * abs(kept["mean"][0]), 1e-12)
        if step >= 30:
            z = min(max(z, -3.0), 3.0)
            up = min(max(keep * up + z - 0.4, 0.0), 50.0)
            down = min(max(keep * down - z - 0.4, 0.0), 50.0)
        fed(detector, np.array([value]), step)
        said = detector.snapshot()
        assert said["up"][0] == pytest.approx(up)
        assert said["down"][0] == pytest.approx(down)
    assert up + down > 0


@pytest.mark.parametrize("shift", [1.0, -1.0])
def test_a_small_shift_is_found_where_a_single_sample_tells_nothing(shift: float) -> None:
    """One deviation that lasts is an alarm of cusum on all series within 60 samples, of ewma on few."""
    values = np.random.default_rng(2).normal(100, 1, (1060, 8))
    values[1000:] += shift
    rows, times = np.tile(np.arange(8), 1060), np.repeat(np.arange(1060) * MINUTE_MS, 8)
    found = {}
    for name in ("cusum", "ewma"):
        detector = create(name, {})
        detector.grow(8)
        score = detector.update(rows, times, values.ravel()).score.reshape(values.shape)
        found[name] = (score[1000:1060] >= threshold_for(1, 86_400, 60)).any(axis=0)
    assert found["cusum"].all()
    assert found["ewma"].sum() < 4


def test_an_alarm_ends_while_its_row_is_frozen() -> None:
    """A row frozen at its alarm goes quiet when the shift is over, and stays quiet when it is thawed."""
    values = np.random.default_rng(3).normal(100, 1, 1300)
    values[1000:1200] += 3.0
    detector, row = made(), np.array([0])
    fed(detector, values[:1000])
    start = next(
        step for step in range(1000, 1020) if fed(detector, values[step : step + 1], step)[0] > 5
    )
    detector.freeze(row, frozen=True)
    during = fed(detector, values[start + 1 : 1200], start + 1)
    after = fed(detector, values[1200:1250], 1200)
    detector.freeze(row, frozen=False)
    thawed = fed(detector, values[1250:], 1250)
    assert during.min() > 4
    assert after[30:].max() < 3.5
    assert thawed.max() < 4


def test_a_band_narrows_as_a_sum_rises() -> None:
    """What a sum holds already is taken off the band on its side, and added on the other."""
    detector, row = made(tail="normal"), np.array([0])
    fed(detector, np.random.default_rng(4).normal(100, 1, 1000))
    first = detector.update(row, np.array([10**9]), np.array([102.9]))
    then = detector.update(row, np.array([10**9]), np.array([100.0]))
    assert then.high[0] < first.high[0]
    assert then.low[0] <= first.low[0]
