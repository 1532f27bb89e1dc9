"""Far: whether a value is far enough from what was expected, on the side that a rule watches.

Refuses nothing: a detector without an expected value has no distance, and none can refuse it.
"""

import numpy as np

from detectors.base import BoolArray, FloatArray, Reason, Scores
from streams.rules.rule import DetectBlock


def reaches(
    block: DetectBlock, scores: Scores, values: FloatArray, least: FloatArray, share: float
) -> BoolArray:
    """Whether scores reach the least ones, on the side watched, at this share of the least distances."""
    far: BoolArray = scores.score >= least
    if not far.any():
        return far
    gap = values - scores.expected
    if block.direction == "up":
        far &= ~(gap < 0)
    elif block.direction == "down":
        far &= ~(gap > 0)
    far &= ~(np.abs(gap) < share * block.min_effect)
    far &= ~(np.abs(gap) < share * block.min_change * np.abs(scores.expected))
    return far


def hushed(block: DetectBlock, scores: Scores, values: FloatArray) -> BoolArray:
    """Where a detector keeps quiet since it has just spoken, while the value is outside of its band."""
    above = (values > scores.high) & (block.direction != "down")
    below = (values < scores.low) & (block.direction != "up")
    quiet: BoolArray = (scores.reason == Reason.REFRACTORY) & (above | below)
    return quiet
