"""Detection: every detector of the table on every set, one shipped configuration, strictly online.

The threshold is that of `false_alarms: 1 per week`; the best one stands beside it, and is nobody's to know beforehand.
Left-out tables choose the threshold on some data and judge it on other: on three kinds for the fourth, and on random
halves of the series for the other halves. Ablations set one choice of `auto` aside each.

Refuses to hide a target that is missed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.accuracy import events, nab
from benchmarks.accuracy.kinds import Series, read
from benchmarks.accuracy.online import ONE_A_WEEK, Said, listen
from detectors.auto import Auto, tails
from detectors.auto import alarms as loudness
from detectors.auto import judge as judging
from detectors.auto import learn as learning
from detectors.base import FloatArray

Corpora = Mapping[str, Sequence[Series]]
Result = dict[str, float | int | str]

# What the first table compares; `auto` first, the others with their defaults.
TABLE: Mapping[str, Mapping[str, object]] = {
    "auto": {},
    "ewma": {},
    "ewma with refractory": {"refractory": True},
    "novelty": {},
    "novelty with refractory": {"refractory": True},
}
TARGETS = {"nab": 70.0, "cloud60": 0.45, "servers": 0.28}
# Thresholds that are tried, in alarms claimed a week.
TRIED = np.linspace(-1.5, 1.5, 25)
HALVES = 40


@dataclass(frozen=True)
class Ablation:
    """One choice set aside: constants of `auto` and what they are made."""

    name: str
    changes: tuple[tuple[object, str, object], ...]


def without_a_past(distances: FloatArray, *_: object) -> FloatArray:
    """In place of a rareness: the logarithm of a distance, in first steps of its series."""
    told: FloatArray = np.log1p(distances)
    return told


def rank_alone(distances: FloatArray, knots: Any, slopes: Any, beyond: Any) -> FloatArray:
    """In place of a rareness: the rank in the past, without the tail beyond its 98 % quantile."""
    told: FloatArray = RARENESS(distances, knots, slopes, np.zeros_like(beyond))
    return told


RARENESS: Callable[..., FloatArray] = tails.rareness
ABLATIONS = (
    Ablation("no calibration", ((tails, "rareness", without_a_past),)),
    Ablation("no tail beyond the rank", ((tails, "rareness", rank_alone),)),
    Ablation("no refractory", ((loudness, "LEAST_MS", 0), (loudness, "AGE_SHARE", 0.0))),
    Ablation("refractory of 3 h at every age", ((loudness, "AGE_SHARE", 0.0),)),
    Ablation("no common step", ((loudness, "STEP_POWER", 0.0),)),
    Ablation("no residuals", ((judging, "RESIDUAL_WEIGHT", 1e-9),)),
    Ablation("residuals at full weight", ((judging, "RESIDUAL_WEIGHT", 1.0),)),
    Ablation("time of day never votes twice", ((learning, "DAILY_WEIGHT", 0.0),)),
    Ablation("counters are not told apart", ((learning, "COUNTER_RISE", 2.0),)),
    *(
        Ablation(
            f"without the view {view}",
            ((judging, "VOTES", tuple(float(n != number) for n in range(4))),),
        )
        for number, view in enumerate(Auto.views[:4])
    ),
)


def judge(name: str, corpus: Sequence[Series], claims: Mapping[str, FloatArray]) -> Result:
    """The figures of one detector on one set, at the shipped threshold and at the best."""
    if name == "nab":
        at, best = nab.judge(corpus, claims, ONE_A_WEEK), nab.judge(corpus, claims)
        rows = sum(int(events.outside(series).sum()) for series in corpus)
        return {
            "score": round(at.score, 2),
            "best": round(best.score, 2),
            "best_per_week": round(10.0**-best.threshold, 3),
            "found": at.found,
            "events": at.windows,
            "false_per_10k": round(1e4 * at.false_rows / rows, 2),
        }
    told, most = events.judge(corpus, claims, ONE_A_WEEK), events.judge(corpus, claims)
    return {
        "score": round(told.f1, 4),
        "precision": round(told.precision, 3),
        "recall": round(told.recall, 3),
        "best": round(most.f1, 4),
        "best_per_week": round(10.0**-most.threshold, 3),
        "found": told.found,
        "events": told.events,
        "false_per_10k": round(told.false_per_10k, 2),
    }


def measured(data: Path, name: str, title: str) -> tuple[Result, Said | None]:
    """A detector of the table on a set: its figures, and of `auto` what it said."""
    corpus = read(data)[name]
    said = listen(title.partition(" ")[0], corpus, TABLE[title])
    return judge(name, corpus, said.claims), said if title == "auto" else None


def ablated(data: Path, name: str, number: int) -> Result:
    """`auto` on a set, with one choice set aside."""
    corpus = read(data)[name]
    with ExitStack() as changed:
        for place, what, value in ABLATIONS[number].changes:
            changed.enter_context(patch.object(place, what, value))
        return judge(name, corpus, listen("auto", corpus, {}).claims)


def left_out(corpora: Corpora, said: Mapping[str, Said]) -> Iterator[tuple[str, Result]]:
    """The threshold that is best on the other kinds, by score over target, judged on the kind left out."""
    scores = {name: _score(name, _tallies(name, corpora[name], said[name])) for name in corpora}
    for name in corpora:
        others = [scores[other] / TARGETS[other] for other in corpora if other != name]
        chosen = int(np.argmax(np.mean(others, axis=0)))
        result: Result = {
            "score": round(float(scores[name][chosen]), 4),
            "per_week": round(10.0 ** -float(TRIED[chosen]), 3),
        }
        yield f"{name}.left_out", result


def halves(corpora: Corpora, said: Mapping[str, Said]) -> Iterator[tuple[str, Result]]:
    """The threshold that is best on random halves of each set, judged on those and on the other halves: means."""
    draw = np.random.default_rng(0)
    for name, corpus in corpora.items():
        tallies = _tallies(name, corpus, said[name])
        here, there = [], []
        for _ in range(HALVES):
            parts = np.array_split(draw.permutation(len(corpus)), 2)
            curves = [_score(name, tallies[part]) for part in parts]
            chosen = int(np.argmax(curves[0]))
            here.append(curves[0][chosen])
            there.append(curves[1][chosen])
        result: Result = {
            "chosen_on": round(float(np.mean(here)), 4),
            "other": round(float(np.mean(there)), 4),
        }
        yield f"{name}.halves", result


def _tallies(name: str, corpus: Sequence[Series], said: Said) -> FloatArray:
    """Of each series at each threshold that is tried, what a score is made of: [series, thresholds, 3]."""
    tallied = nab.tally if name == "nab" else events.tally
    return np.array([tallied(series, said.claims[series.name], TRIED) for series in corpus])


def _score(name: str, tallies: FloatArray) -> FloatArray:
    """The score at each threshold that is tried."""
    first, second, total = tallies.sum(axis=0).T
    if name == "nab":
        return 50.0 * (first + second + total) / total
    return 2.0 * first / np.maximum(first + second + total, 1.0)
