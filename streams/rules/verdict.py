"""Verdict: what a detector said of each result of an expression, and which of the results make an alert."""

from typing import NamedTuple

import numpy as np

from detectors.base import BoolArray, FloatArray
from streams.rules.announce import FACTS
from streams.rules.vector import Vector


class Verdict(NamedTuple):
    """One entry per sample: whether it is abnormal, and what the detector said.

    Of what is abnormal: how many samples of the series it had learnt before, and the number of the view that spoke.
    """

    abnormal: BoolArray
    score: FloatArray
    expected: FloatArray
    low: FloatArray
    high: FloatArray
    samples: FloatArray
    view: FloatArray

    @classmethod
    def unsaid(cls, size: int) -> "Verdict":
        """Nothing said yet."""
        return cls(np.zeros(size, np.bool_), *np.full((6, size), np.nan))


def odd(vector: Vector, verdict: Verdict | None) -> tuple[Vector, FloatArray]:
    """The results that make an alert, and the facts of each, float64[7, n]: for plain rules all of them."""
    if verdict is None:
        facts = np.full((len(FACTS), len(vector.rows)), np.nan)
        facts[0] = vector.values
        return vector, facts
    at = verdict.abnormal
    return vector.keep(at), np.array([vector.values[at], *(column[at] for column in verdict[1:])])
