"""Moved: whose values moved before those of the symptom, by how much, and how alike.

The symptom is the worst of the alerts that explain no other one: what people feel. Each other entity's values are
compared with the symptom's later ones, as far as alerts tell what their rules had looked at before they fired, and the
strongest correlation counts. It looks at `ENTITIES_MAX` entities at most, the worst ones, and refuses what chance
gives as well.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from detectors.base import FloatArray
from streams.correlate.lag import lagged_correlation
from streams.correlate.suspect import span
from streams.correlate.symptom import Symptom
from streams.correlate.walk import Scene

LAGS = 8
"""So many steps before the symptom: at 15 s, two minutes."""
LEAST = 0.7
"""The best of nine correlations of 20 pairs of noise is over this three times of a hundred."""
VALUE_BYTES = 4
VALUES_MIN = 16
"""Of fewer values chance makes anything."""
ENTITIES_MAX = 20
SPAN_MAX = 1_000
"""Histories that are further apart have no steps in common."""


class Ahead(NamedTuple):
    """How an entity moved: correlation 0 to 1, by how many ms before the symptom, and that in words."""

    strength: float
    lag_ms: int
    text: str


def ahead(scene: Scene) -> dict[str, Ahead]:
    """The entities that moved before, or together with, the symptom; none where that is not known."""
    if len(scene.entities) == 1 or sum(map(_known, scene.symptoms)) < 2:
        return {}
    symptom = _symptom(scene)
    if not _known(symptom):
        return {}
    found: dict[str, Ahead] = {}
    others = [e for e in scene.entities if e != symptom.entity]
    for entity in sorted(others, key=lambda e: (-scene.weight(e), e))[:ENTITIES_MAX]:
        moves = [_compared(s, symptom) for s in scene.entities[entity] if _known(s)]
        strength, lag_ms = max(moves, default=(0.0, 0))
        if strength >= LEAST:
            when = f"{span(lag_ms)} before" if lag_ms else "together with"
            text = f"moved {when} {symptom.entity}, r={strength:.2f}"
            found[entity] = Ahead(strength, lag_ms, text)
    return found


def _known(symptom: Symptom) -> bool:
    return len(symptom.values) >= VALUES_MIN * VALUE_BYTES


def _symptom(scene: Scene) -> Symptom:
    """The worst alert of the nodes that nobody hands blame to; of all nodes where they stand in a circle."""
    below = {n for node in scene.nodes for n in scene.explained_by(node)}
    tops = [node for node in scene.nodes if node not in below] or list(scene.nodes)
    every = [s for node in tops for s in scene.nodes[node]]
    return max(every, key=lambda s: (_known(s), s.weight, s.onset, s.entity, s.name))


def _compared(leader: Symptom, follower: Symptom) -> tuple[float, int]:
    """How well the one foretells the other, rounded, and by how many ms ahead."""
    step_ms = max(leader.step_ms, follower.step_ms)
    own, other = (
        (s.values, s.until // s.step_ms * s.step_ms, s.step_ms) for s in (leader, follower)
    )
    strength, lag = _lagged(own, other, step_ms)
    return round(strength, 2), lag * step_ms


_Values = tuple[bytes, int, int]


@lru_cache(maxsize=2_000)
def _lagged(leader: _Values, follower: _Values, step_ms: int) -> tuple[float, int]:
    """An incident is ranked again and again; what was before its alerts stays the same."""
    first = min(
        until - (len(values) // VALUE_BYTES - 1) * step
        for values, until, step in (leader, follower)
    )
    last = max(leader[1], follower[1])
    if last - first > SPAN_MAX * step_ms:
        return 0.0, 0
    grid = np.arange(-(-first // step_ms), last // step_ms + 1) * step_ms
    return lagged_correlation(_on(grid, leader), _on(grid, follower), LAGS)


def _on(grid: "np.ndarray[tuple[int], np.dtype[np.int64]]", history: _Values) -> FloatArray:
    """Values at these times, NaN where there are none."""
    values, until, step_ms = history
    known = np.frombuffer(values, "<f4").astype(np.float64)
    back, off = np.divmod(until - grid, step_ms)
    there = (off == 0) & (back >= 0) & (back < len(known))
    found = np.full(len(grid), np.nan)
    found[there] = known[len(known) - 1 - back[there]]
    return found
