"""river behind our protocol: the models that work, and the traps."""

import os
import pickle

import numpy as np
import pytest
from river.drift import PageHinkley

from detectors import Detector, Reason, create
from detectors.pickled import MODELS, method
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
        ("river.drift.ADWIN", {}),
        ("river.drift.KSWIN", {"window_size": 60, "stat_size": 20}),
        ("river.drift.PageHinkley", {"threshold": 8.0}),
        ("river.drift.DummyDriftDetector", {"t_0": 50}),
        ("river.drift.binary.DDM", {}),
        ("river.drift.binary.EDDM", {}),
        ("river.drift.binary.FHDDM", {}),
        ("river.drift.binary.HDDMA", {}),
        ("river.drift.binary.HDDMW", {}),
        ("river.time_series.SNARIMAX", {"p": 2, "d": 1, "q": 1}),
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
    assert scores.any() or "drift" in model
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
        ({"model": "river.time_series.HorizonMetric"}, "required positional|cannot score"),
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


@pytest.mark.parametrize("model", ["river.drift.ADWIN", "river.drift.binary.DDM"])
def test_a_drift_is_found_and_said_once(model: str) -> None:
    """A step of three deviations is told within 200 samples, by few samples, at eight deviations."""
    values = np.random.default_rng(2).normal(50, 2, 1600)
    values[1000:] += 6
    detector = create("river", {"model": model})
    detector.grow(1)
    said = detector.update(np.zeros(1600, np.int64), np.arange(1600), values)
    drifts = 1000 + np.flatnonzero(said.raw[1000:] == 8.0)
    assert drifts.size
    assert drifts[0] < 1200
    assert drifts.size < 5
    assert said.reason[drifts[0]] == Reason.UNUSUAL


def test_a_drift_is_looked_for_without_learning_while_frozen() -> None:
    """A detector of drifts learns what it judges: a frozen row is judged on a copy, and goes on from where it was."""
    detector = create("river", {**QUICK, "model": "river.drift.PageHinkley"})
    fed(detector, NOISE[:300])
    before = {name: column.copy() for name, column in detector.snapshot().items()}
    detector.freeze(np.array([0]), True)
    fed(detector, NOISE[300:350] + 100)
    detector.freeze(np.array([0]), False)
    after = detector.snapshot()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_forecaster_without_a_season_yet_is_silent() -> None:
    """River's Holt-Winters raises IndexError until a season was seen: no score until then, and no error."""
    arguments = {"alpha": 0.3, "beta": 0.1, "gamma": 0.1, "seasonality": 50}
    params = {"blind_samples": 2, "warm_up_samples": 2, "model_parameters": arguments}
    detector = create("river", {**params, "model": "river.time_series.HoltWinters"})
    detector.grow(1)
    said = detector.update(np.zeros(150, np.int64), np.arange(150), NOISE[:150])
    assert set(said.reason[:50].tolist()) == {Reason.WARM_UP}
    assert said.score[60:].any()


def test_trees_see_values_between_0_and_1_in_any_unit() -> None:
    """Half-space trees expect 0..1, where all else is one box to them: theirs see the same in any unit, and differ."""
    arguments = {"n_trees": 5, "height": 6, "window_size": 50}
    params = {**QUICK, "model": "river.anomaly.HalfSpaceTrees", "model_parameters": arguments}
    found = []
    for unit in (1e-6, 1.0, 1e6):
        detector = create("river", params, seed=1)
        detector.grow(1)
        said = detector.update(np.zeros(200, np.int64), np.arange(200), NOISE[:200] * unit)
        found.append(said.raw[120:])
    np.testing.assert_allclose(found[0], found[1])
    np.testing.assert_allclose(found[2], found[1])
    assert np.unique(found[1]).size > 20


def test_no_data_yet_is_no_score() -> None:
    """River's statistics say None, or nothing at all, before they have data: that is warm-up, not a number."""
    params = {"blind_samples": 2, "warm_up_samples": 2, "model": "river.anomaly.GaussianScorer"}
    detector = create("river", {**params, "model_parameters": {"grace_period": 1}})
    detector.grow(1)
    said = detector.update(np.zeros(40, np.int64), np.arange(40), NOISE[:40])
    assert said.reason[0] == Reason.WARM_UP
    assert np.isfinite(said.score).all()


def test_a_method_in_a_snapshot_is_one_of_river_models() -> None:
    """Methods that models keep for later are read, of river's own objects and without two underscores."""
    with pytest.raises(CheckpointError, match="__reduce__"):
        method(PageHinkley(), "__reduce__")
    with pytest.raises(CheckpointError, match="system"):
        method(os, "system")
    assert method(PageHinkley(), "update") is not None


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
