"""Page-Hinkley: slow drifts."""

import numpy as np

from detectors import create, threshold_for


def test_a_slow_drift_is_found_that_ewma_follows() -> None:
    """A drift of a hundredth of a deviation a sample is found by the sums, and lost by a mean that moves along."""
    step = np.arange(3000)
    values = np.random.default_rng(1).normal(100, 1, (3000, 6))
    values += np.where(step > 2000, 0.01 * (step - 2000), 0)[:, None].clip(0, 2)
    rows, times = np.tile(np.arange(6), 3000), np.repeat(step * 60_000, 6)
    found = {}
    for name, params in (("page_hinkley", {}), ("ewma", {"half_life_samples": 30.0})):
        detector = create(name, params)
        detector.grow(6)
        score = detector.update(rows, times, values.ravel()).score.reshape(values.shape)
        found[name] = (score[2001:2400] >= threshold_for(1, 86_400, 60)).any(axis=0).sum()
    assert found["page_hinkley"] == 6
    assert found["ewma"] <= 3
