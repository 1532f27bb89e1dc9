"""Change point: against a plain run of Adams and MacKay's recursion, and what is a change and what is not."""

import numpy as np
import pytest
from scipy.stats import t

from detectors import change_point, create


def test_odds_are_those_of_the_recursion(monkeypatch: pytest.MonkeyPatch) -> None:
    """While no run is pooled the odds of all run lengths are those of the textbook's recursion."""
    monkeypatch.setattr(change_point, "MOST_NATS", 1e9)
    values = np.random.default_rng(1).normal(5, 2, 40)
    values[25:] += 9
    detector = create("change_point", {"lengths": 60, "usual_run_samples": 50.0})
    detector.grow(1)
    odds, runs = np.array([1.0]), [()]
    for step, value in enumerate(values.tolist()):
        kept = detector.snapshot()
        mean = value if step == 0 else kept["mean"][0]
        scale = max(np.sqrt(kept["step_square"][0]), 1e-4 * abs(mean), 1e-12)
        laws = []
        for run in runs:
            m, k, a, b = run or (mean, 0.1, 1.0, scale**2)
            laws.append((m, k, a, max(b, 1e-6 * scale**2)))
        likely = [
            p * t.pdf(value, 2 * a, m, np.sqrt(b * (k + 1) / (a * k)))
            for p, (m, k, a, b) in zip(odds, laws, strict=True)
        ]
        grown = np.array([0.02 * sum(likely), *(0.98 * p for p in likely)])
        odds = grown / grown.sum()
        runs = [
            (),
            *(
                ((k * m + value) / (k + 1), k + 1, a + 0.5, b + k * (value - m) ** 2 / (2 * k + 2))
                for m, k, a, b in laws
            ),
        ]
        detector.update(np.array([0]), np.array([step]), np.array([value]))
        said = detector.snapshot()["odds"][0]
        assert said[: odds.size] == pytest.approx(odds, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("kind", ["mean", "spread"])
def test_a_change_is_found_and_over_soon(kind: str) -> None:
    """A change of the mean, or of the spread, is loud within ten samples, and quiet 60 samples later."""
    values = np.random.default_rng(2).normal(size=(1200, 10))
    values[1000:] = values[1000:] + 4 if kind == "mean" else values[1000:] * 6
    detector = create("change_point", {})
    detector.grow(10)
    rows, times = np.tile(np.arange(10), 1200), np.repeat(np.arange(1200), 10)
    score = detector.update(rows, times, values.ravel()).score.reshape(values.shape)
    assert ((score[1000:1010] > 0.999).any(axis=0)).sum() >= 9
    assert (score[1060:] > 0.999).mean() < 0.02


def test_one_spike_is_no_change() -> None:
    """After a single spike of ten deviations the old run goes on."""
    values = np.random.default_rng(3).normal(size=1000)
    values[900] += 10
    detector = create("change_point", {})
    detector.grow(1)
    detector.update(np.zeros(910, np.int64), np.arange(910), values[:910])
    assert detector.snapshot()["odds"][0, 20:].sum() > 0.9
