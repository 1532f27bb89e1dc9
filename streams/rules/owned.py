"""Owned results: of what every partition would say alike, only the owner's word counts."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from schemas.labels import Labels
from streams.rules.vector import LabelSpace, Vector

Owns: TypeAlias = Callable[[Labels], bool] | None


def keep_owned(vector: Vector, space: LabelSpace, owns: Owns) -> Vector:
    """The results whose label set belongs to this partition; all of them without an owner's test."""
    if owns is None:
        return vector
    mask = np.array([owns(space.labels[row]) for row in vector.rows.tolist()], np.bool_)
    return vector.keep(mask)
