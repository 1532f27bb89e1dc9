"""river behind our protocol: the models that work, and the traps."""

import os
import pickle

import numpy as np
import pytest

from detectors import Detector, Reason, create
from detectors.river_model import MODELS
from schemas.errors import CheckpointError, ConfigError

QUICK = {"blind_samples": 40, "warm_up_samples": 20}
NOISE = np.random.default_rng(1).normal(50, 2, 600)


def fed(detector: Detector, values: np.ndarray) -> np.ndarray:
    detector.grow(1)
    rows = np.zeros(values.size, np.int64)
    return detector.update(rows, np.arange(values.size), values).score


@pytest.mark.parametrize(
    ("model", "arguments"),
    [
        ("river.anomaly.HalfSpaceTrees", {"n_trees": 5, "height": 5, "window_size": 40}),
        ("river.anomaly.GaussianScorer", {"grace_period": 30}),
        ("river.anomaly.StandardAbsoluteDeviation", {}),
        ("river.anomaly.LODA", {"n_random_cuts": 10}),
        ("river.anomaly.OneClassSVM", {}),
        ("river.anomaly.LocalOutlierFactor", {"n_neighbors": 5}),
        (
            "river.time_series.HoltWinters",
            {"alpha": 0.3, "beta": 0.1, "gamma": 0.1, "seasonality": 6},
        ),
        (
            "river.anomaly.QuantileFilter",
            {
                "anomaly_detector": {"model": "river.anomaly.LODA"},
                "q": 0.99,
                "protect_anomaly_detector": False,
            },
        ),
    ],
)
def test_models_run_and_survive_a_snapshot(model: str, arguments: dict[str, object]) -> None:
    """Each kind of model gives scores within 0 to 1, and the same ones after a restore."""
    params = {**QUICK, "model": model, "model_parameters": arguments}
    first, second = create("river", params, seed=3), create("river", params, seed=3)
    scores = fed(first, NOISE[:200])
    assert ((scores >= 0) & (scores <= 1)).all()
    assert scores.any()
    second.restore(first.snapshot())
    assert fed(first, NOISE[200:260]).tolist() == fed(second, NOISE[200:260]).tolist()


def test_a_forecaster_finds_a_spike() -> None:
    """A forecaster's error is the score: one value far out is odd, and nothing is said before the warm-up."""
    arguments = {"alpha": 0.3, "beta": 0.1, "gamma": 0.1, "seasonality": 12}
    params = {**QUICK, "model": "river.time_series.HoltWinters", "model_parameters": arguments}
    values = 10 * np.sin(np.arange(600) * np.pi / 6) + NOISE
    values[500] += 60
    detector = create("river", params)
    detector.grow(1)
    said = detector.update(np.zeros(600, np.int64), np.arange(600), values)
    assert said.score[500] > 0.9999
    assert said.reason[500] == Reason.UNUSUAL
    assert said.score[:60].tolist() == [0.0] * 60


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"model": "os.system"}, "not a path in river"),
        ({"model": "river"}, "not a path in river"),
        ({"model": "river.anomaly.Missing"}, "river has no"),
        ({"model": "river.stats.mean"}, "not a class"),
        ({"model_parameters": {"trees": 3}}, "unexpected keyword"),
        ({"model": "river.anomaly.PredictiveAnomalyDetection"}, "learns while it scores"),
        ({"model": "river.stats.Mean"}, "cannot score"),
        (
            {
                "model": "river.anomaly.QuantileFilter",
                "model_parameters": {
                    "anomaly_detector": {"model": "river.anomaly.GaussianScorer"},
                    "q": 0.9,
                },
            },
            "does not fit",
        ),
        (
            {
                "model": "river.anomaly.ThresholdFilter",
                "model_parameters": {
                    "anomaly_detector": {"model": "river.anomaly.LODA"},
                    "threshold": 0.9,
                    "protect_anomaly_detector": False,
                },
            },
            "never learns; take QuantileFilter",
        ),
    ],
)
def test_what_cannot_work_is_refused(params: dict[str, object], said: str) -> None:
    """A model that is not river's, not there, or known not to work is a ConfigError that says why."""
    with pytest.raises(ConfigError, match=said):
        create("river", params)


def test_rows_beyond_the_limit_are_not_judged() -> None:
    """The number of models is bounded; further rows say NO_ROOM and nothing breaks."""
    detector = create("river", {**QUICK, "models": 2})
    detector.grow(4)
    said = detector.update(np.arange(4), np.zeros(4, np.int64), np.ones(4))
    assert said.reason.tolist() == [Reason.WARM_UP] * 2 + [Reason.NO_ROOM] * 2
    assert np.isnan(said.score).tolist() == [False, False, True, True]


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("exit 1",)


def test_a_snapshot_cannot_run_code() -> None:
    """Bytes that ask for anything but river's classes are a CheckpointError, and are not run."""
    detector = create("river", QUICK)
    detector.grow(1)
    evil = np.frombuffer(pickle.dumps(Evil()), np.uint8)
    kept = {**detector.snapshot(), MODELS: evil, "model_sizes": np.array([evil.size])}
    with pytest.raises(CheckpointError, match="system"):
        detector.restore(kept)
