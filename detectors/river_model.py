"""Any river model, one per series, behind the same protocol as our own banks.

An anomaly model sees {"value": p}, where p in 0..1 is the place of the value in the normal law of the series so far,
because half-space trees expect 0..1 and nobody's telemetry is. Its score is then measured in standard deviations of
its own past scores, because scores of different models and configurations do not compare. A forecaster sees the value
in deviations, and its error takes the place of the score; a detector of drifts sees the same (one over bits sees
whether the value lies outside the middle half), and a drift counts as eight deviations. Cost: river's, that is 0.1 to
500 microseconds a sample in a Python loop, and up to 170 kB a series; hence the limit on the number of models.

Refuses models that cannot score, that never learn, or that learn while they score.
"""

import contextlib
import importlib
import inspect
import pickle
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray
from river import anomaly
from river.base import BinaryDriftDetector, DriftDetector, SupervisedAnomalyDetector
from river.time_series.base import Forecaster
from scipy.special import ndtr  # type: ignore[import-untyped]  # scipy ships no types

from detectors.bank import Bank, Judgement, Settings
from detectors.base import FloatArray, IntArray, Reason, Round, Scores
from detectors.columns import Column
from detectors.pickled import joined, parted, read_model
from schemas.errors import ConfigError

GRACES = ("grace_period", "window_size", "warmup_period", "min_instances")
# What a drift counts: drifts are there or not, and how rare they are the calibration tells.
DRIFT_DEVIATIONS = 8.0
LARGEST_PLACE = 8.0
# Half of normal values lie within so many deviations.
MIDDLE_HALF = 0.6745


class RiverSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of `river`."""

    model: Annotated[
        str, Meta(description="import path of the model, for example river.anomaly.LODA")
    ] = "river.anomaly.HalfSpaceTrees"
    model_parameters: Annotated[
        dict[str, Any],
        Meta(
            description="its arguments; {model: PATH, model_parameters: {...}} stands for a model"
        ),
    ] = msgspec.field(default_factory=dict)
    blind_samples: Annotated[
        int, Meta(ge=2, description="samples that the model learns before its scores count")
    ] = 300
    models: Annotated[
        int, Meta(ge=1, description="most models; rows from there on are not judged")
    ] = 1000


class RiverModel(Bank):
    """A river model per row; raw = (score - mean of past scores) / their standard deviation, not under 0."""

    parameters: ClassVar[type[Settings]] = RiverSettings
    sided = False
    guarded = False
    settings: RiverSettings

    def __init__(self, settings: RiverSettings, seed: int = 0) -> None:
        super().__init__(settings)
        self._seed = seed
        self._models: list[Any] = []
        sample = build(settings.model, settings.model_parameters, seed)
        self._forecasts = isinstance(sample, Forecaster)
        self._drifts = isinstance(sample, DriftDetector | BinaryDriftDetector)
        self._bits = isinstance(sample, BinaryDriftDetector)
        self._supervised = isinstance(sample, SupervisedAnomalyDetector)
        # Scores jump when a model's own first window ends, so they count only after that.
        graces = (getattr(sample, name, None) or 0 for name in GRACES)
        self._blind_samples = max(settings.blind_samples, *graces)
        self._mute_samples = self._blind_samples + settings.warm_up_samples
        # An untrained model as bytes: a copy costs less than building, and rows begin exactly alike.
        self._blank = pickle.dumps(sample)
        self._rehearse(sample)

    def _forms(self) -> Mapping[str, Column]:
        return {
            "mean": Column(),
            "squares": Column(),
            "scores": Column(np.int64),
            "score_mean": Column(),
            "score_squares": Column(),
        }

    def update(self, rows: IntArray, times: IntArray, values: FloatArray) -> Scores:
        """Score and learn the rows below the limit; say NO_ROOM for the others."""
        rows, values = np.asarray(rows, np.int64), np.asarray(values, np.float64)
        beyond = rows >= self.settings.models
        scores = super().update(rows, times, np.where(beyond, np.nan, values))
        scores.reason[beyond] = Reason.NO_ROOM
        return scores

    def _place(self, now: Round) -> FloatArray:
        """Return the values in deviations from what the row has seen so far."""
        samples, mean = self.columns["samples"][now.at], self.columns["mean"][now.at]
        scale = np.sqrt(self.columns["squares"][now.at] / np.maximum(samples - 1, 1))
        # The first value has nothing to be compared with: it lies in the middle.
        place = np.where(samples > 0, (now.values - mean) / self.floored(scale, mean), 0.0)
        # What is left of a constant is rounding, which models without a least scale take for news.
        rounded: FloatArray = np.round(np.clip(place, -1e6, 1e6), 6)
        return rounded

    def _judge(self, now: Round) -> Judgement:
        place = self._place(now)
        if self._drifts:
            return self._judge_drift(now, place)
        pairs = zip(now.rows.tolist(), place.tolist(), ndtr(place).tolist(), strict=True)
        note = np.array([self._score(self._models[row], z, p) for row, z, p in pairs])
        count, mean = self.columns["scores"][now.at], self.columns["score_mean"][now.at]
        variance = self.columns["score_squares"][now.at] / np.maximum(count - 1, 1)
        deviation = np.nan_to_num((note - mean) / self.floored(np.sqrt(variance), mean))
        ready = (count >= self.settings.settled_samples) & np.isfinite(note)
        nothing = np.full(now.rows.size, np.nan)
        return Judgement(nothing, nothing, deviation, ready, note)

    def _judge_drift(self, now: Round, place: FloatArray) -> Judgement:
        """Feed the detectors of drifts, which learn what they judge; those of frozen rows as copies."""
        frozen = self.columns["frozen"][now.at].tolist()
        note = np.zeros(place.size)
        # The first places are wild, and a detector of drifts never forgets how wild.
        settled = self.columns["samples"][now.at] >= self.settings.settled_samples
        place = np.clip(place, -LARGEST_PLACE, LARGEST_PLACE)
        for at in np.flatnonzero(settled).tolist():
            row, z, held = int(now.rows[at]), float(place[at]), frozen[at]
            model = self._models[row]
            if model is None or held:
                kept = self._blank if model is None else pickle.dumps(model)
                model = pickle.loads(kept)  # noqa: S301  # our own bytes
            model.update(abs(z) > MIDDLE_HALF if self._bits else z)
            note[at] = float(model.drift_detected)
            if not held:
                self._models[row] = model
        ready = self.columns["samples"][now.at] >= self._blind_samples
        nothing = np.full(place.size, np.nan)
        return Judgement(nothing, nothing, DRIFT_DEVIATIONS * note, ready, note)

    def _score(self, model: Any, place: float, share: float) -> float:
        """Return the model's score; NaN where it has none yet."""
        if model is None:
            return np.nan
        try:
            if self._forecasts:
                score = abs(place - model.forecast(horizon=1)[0])
            elif self._supervised:
                score = model.score_one({"value": share}, share)
            else:
                score = model.score_one({"value": share})
        except (ArithmeticError, IndexError, ValueError):
            # river's forecasters, until they have seen a season; others, where their arithmetic ends.
            return np.nan
        # river's statistics say None when they have no data.
        return np.nan if score is None or not np.isfinite(score) else float(score)

    def _teach(self, model: Any, place: float, share: float) -> None:
        """Let the model learn; what it cannot take it does not learn."""
        with contextlib.suppress(ArithmeticError, ValueError):
            if self._forecasts:
                model.learn_one(place)
            elif self._supervised:
                model.learn_one({"value": share}, share)
            else:
                model.learn_one({"value": share})

    def _rehearse(self, model: Any) -> None:
        """Use a model once, so that one that does not fit fails at the start; raises ConfigError."""
        if not (self._forecasts or self._drifts or hasattr(model, "score_one")):
            what = "no anomaly model, no forecaster, no detector of drifts"
            raise ConfigError([f"{self.settings.model} cannot score: {what}"])
        try:
            for place in (0.0, 0.5, -0.5):
                if self._drifts:
                    model.update(place > 0 if self._bits else place)
                    continue
                self._score(model, place, float(ndtr(place)))
                self._teach(model, place, float(ndtr(place)))
        except (AttributeError, KeyError, TypeError) as error:
            raise ConfigError([f"{self.settings.model} does not fit: {error}"]) from error

    def _learn(
        self,
        now: Round,
        judgement: Judgement,
        weight: FloatArray | float,  # noqa: ARG002  # river models know no weights
    ) -> None:
        assert judgement.note is not None
        columns, place = self.columns, self._place(now)
        shares = ndtr(place).tolist()
        pairs = zip(now.rows.tolist(), place.tolist(), shares, strict=True)
        for row, z, share in () if self._drifts else pairs:
            model = self._models[row]
            if model is None:
                model = self._models[row] = pickle.loads(self._blank)  # noqa: S301  # our own bytes
            self._teach(model, z, share)
        samples = columns["samples"][now.at]
        welford(columns["mean"], columns["squares"], now.rows, now.values, samples + 1)
        counts = np.isfinite(judgement.note) & (samples >= self._blind_samples)
        rows = now.rows[counts]
        columns["scores"][rows] += 1
        welford(
            columns["score_mean"],
            columns["score_squares"],
            rows,
            judgement.note[counts],
            columns["scores"][rows],
        )

    def grow(self, capacity: int) -> None:
        """Make room; models are made when their row is first seen."""
        super().grow(capacity)
        self._models += [None] * (self.columns.capacity - len(self._models))

    def reset(self, rows: IntArray) -> None:
        """Forget these rows."""
        super().reset(rows)
        for row in np.asarray(rows).tolist():
            self._models[row] = None

    def take(self, rows: IntArray, capacity: int) -> None:
        """Keep these rows alone, and their models."""
        super().take(rows, capacity)
        kept = [self._models[row] for row in rows.tolist()]
        self._models = kept + [None] * (capacity - len(kept))

    def snapshot(self) -> Mapping[str, NDArray[Any]]:
        """Return the columns, and the models as bytes."""
        return joined(super().snapshot(), self._models)

    def give(self, rows: IntArray, columns: Mapping[str, NDArray[Any]], source: IntArray) -> None:
        """Let these rows know what rows `source` of a snapshot know, models and all."""
        own, pickles = parted(columns)
        super().give(rows, own, source)
        for row, at in zip(rows.tolist(), source.tolist(), strict=True):
            self._models[row] = read_model(pickles[at])

    def restore(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Replace the state; raises CheckpointError for anything but river models in the bytes."""
        own, pickles = parted(columns)
        models = [read_model(each) for each in pickles]
        super().restore(own)
        self._models = models


def welford(
    mean: FloatArray, squares: FloatArray, rows: IntArray, values: FloatArray, count: IntArray
) -> None:
    """Take `values` into running means and sums of squares; `count` includes them."""
    gap = values - mean[rows]
    mean[rows] += gap / count
    squares[rows] += gap * (values - mean[rows])


def build(path: str, parameters: Mapping[str, Any], seed: int) -> Any:
    """Make a river model; raises ConfigError for what river lacks or what cannot work."""
    cls = find(path)
    nested = {
        name: build(value["model"], value.get("model_parameters", {}), seed)
        if isinstance(value, dict) and "model" in value
        else value
        for name, value in parameters.items()
    }
    if "seed" in inspect.signature(cls).parameters:
        nested.setdefault("seed", seed)
    try:
        model = cls(**nested)
    except (TypeError, ValueError) as error:
        raise ConfigError([f"{path}: {error}"]) from error
    if isinstance(model, anomaly.ThresholdFilter) and not model.protect_anomaly_detector:
        raise ConfigError(
            [f"{path}: with protect_anomaly_detector false it never learns; take QuantileFilter"]
        )
    return model


def find(path: str) -> Any:
    """Return the river class at `path`; raises ConfigError."""
    module, _, name = path.rpartition(".")
    if module.split(".", 1)[0] != "river":
        raise ConfigError([f"{path} is not a path in river"])
    try:
        cls = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError([f"river has no {path}"]) from error
    if not isinstance(cls, type):
        raise ConfigError([f"{path} is not a class"])
    if issubclass(cls, anomaly.PredictiveAnomalyDetection):
        raise ConfigError([f"{path} learns while it scores: give its forecaster as the model"])
    return cls
