"""Scores that tell which view spoke."""

from dataclasses import dataclass

import numpy as np

from detectors.base import CodeArray, FloatArray, Scores, Selector

FIELDS = ("raw", "score", "expected", "low", "high", "reason", "view")


@dataclass(frozen=True, slots=True)
class ViewedScores(Scores):
    """Scores that tell which view spoke: numbers into `Auto.views`."""

    view: CodeArray


def put(scores: ViewedScores, where: Selector, told: ViewedScores) -> None:
    """Let these scores be what is said of the samples there."""
    for name in FIELDS:
        getattr(scores, name)[where] = getattr(told, name)


def unsaid(values: FloatArray) -> ViewedScores:
    """Scores that say nothing yet, and why."""
    plain, nobody = Scores.unsaid(values), np.zeros(values.size, np.int8)
    return ViewedScores(
        plain.raw, plain.score, plain.expected, plain.low, plain.high, plain.reason, nobody
    )
