"""Tails: how rare a distance is in the past of its own row, as -log10 of its tail probability.

The past is a histogram of `CELLS` cells, two an octave, halved at `MOST_COUNTS`. Four quantiles of it are the knots of
a line of pieces; beyond the last one the tail is exponential (generalised Pareto with shape 0: Pickands 1975, doi
10.1214/aos/1176343003), its scale the mean excess over that quantile. A tail's probability may be taken to a `power`
below 1: then its knots lie further in, and what it says is -log10 of the probability over the power.

Refuses to say anything before a fit: then everything is 0.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.base import FloatArray, IntArray

Small = NDArray[np.float32]
Counts = NDArray[np.uint16]

CELLS = 64
# The cell of a distance of 1; distances below 2**-20 share the first cell with room, those above 2**11 the last.
UNIT_CELL = 41
MOST_COUNTS = 10_000
FEWEST_COUNTS = 60
QUANTILES = (0.5, 0.8, 0.95, 0.98)
# The size of a residual says more than its rank, so the tail of one begins at its 90 % quantile.
RESIDUAL_POWER = float(np.log10(1.0 - 0.9) / np.log10(1.0 - QUANTILES[-1]))
# -log10 of what lies beyond the knots, each less the one before it.
RISES = tuple(np.diff([0.0, *(-np.log10(1.0 - q) for q in QUANTILES)]).astype(np.float32).tolist())
NEPER = float(np.log10(np.e))
# Stands for a piece without width.
STEEP = 1e30
LOUDEST = 20.0
# The shape of a tail that is heavier than exponential, by its Neper.
HEAVY = np.float32(0.2 / NEPER)
# Where more than one in fifty lies in the last cell, the grid moves up by 8 octaves.
CROWDED = 0.02
MOVE = 16

_EDGES = np.ldexp(
    1.0 + (np.arange(CELLS + 1) - UNIT_CELL) % 2 / 2, (np.arange(CELLS + 1) - UNIT_CELL) // 2
)
_EDGES[0] = 0.0
_MIDDLES = 0.5 * (_EDGES[1:] + _EDGES[:-1])
_MIDDLES[0] = 0.0


def cells(distances: Small, moved: NDArray[np.int16]) -> IntArray:
    """The cell of each distance on a grid that was moved so many cells up; 0 for no distance at all."""
    # exponent and first bit of the mantissa of a float32
    found = distances.view(np.int32) >> 22
    found -= (2 * 127 - UNIT_CELL) + moved
    np.clip(found, 1, CELLS - 1, out=found)
    found *= distances > 0
    return found


def rareness(
    distances: Small, knots: Sequence[Small], slopes: Sequence[Small], beyond: Small
) -> Small:
    """-log10 of the tail probability: `knots` and `slopes` [4, ...], `beyond` [...] of `fit`, distances [...]."""
    with np.errstate(over="ignore"):
        rare: Small = distances - knots[3]
        np.maximum(rare, 0.0, out=rare)
        rare *= beyond
        before: Small | np.float32 = np.float32(0.0)
        for knot, slope, rise in zip(knots, slopes, RISES, strict=True):
            part = distances - before
            part *= slope
            np.clip(part, 0.0, 1.0, out=part)
            part *= np.float32(rise)
            rare += part
            before = knot
    return np.minimum(rare, np.float32(LOUDEST), out=rare)


def heavy(rare: Small) -> Small:
    """The same rareness, had the tail beyond the last knot the shape 0.2 in place of 0."""
    knot = np.float32(sum(RISES))
    beyond: Small = np.maximum(rare - knot, np.float32(0.0))
    beyond *= HEAVY
    beyond += np.float32(1.0)
    np.log(beyond, out=beyond)
    beyond /= HEAVY
    beyond += np.minimum(rare, knot)
    return beyond


def fit(
    counts: Counts, moved: NDArray[np.int16], least: FloatArray, power: FloatArray
) -> tuple[Small, Small, Small]:
    """Knots [4, m], slopes [4, m] and the slope beyond [m] of histograms [m, CELLS].

    `least` is the least scale of the tail; where it is 0, there is none. `power` is that of its probability. Too few
    counts say nothing: slopes of 0.
    """
    # from the last cell to the first, so that sums over what lies beyond run in the order of memory
    past = counts[:, ::-1].astype(np.float64)
    over, mass = np.cumsum(past, axis=1), np.cumsum(past * _MIDDLES[::-1], axis=1)
    total = over[:, -1]
    each = np.arange(len(past))
    unit = np.ldexp(1.0, moved // 2)
    knots = np.zeros((4, len(past)))
    for number, quantile in enumerate(QUANTILES):
        want = np.maximum((1.0 - quantile) ** power * total, 1e-9)
        cell = np.minimum((over < want[:, None]).sum(axis=1), CELLS - 1)
        inside = past[each, cell]
        above = over[each, cell] - inside
        low, high = _EDGES[CELLS - 1 - cell], _EDGES[CELLS - cell]
        share = (want - above) / np.maximum(inside, 1e-9)
        knots[number] = np.where(cell < CELLS - 1, high - share * (high - low), 0.0)
    beyond_cell = mass[each, cell] - inside * _MIDDLES[CELLS - 1 - cell]
    part = np.where(cell < CELLS - 1, (want - above) * 0.5 * (knots[3] + high), 0.0)
    excess = (beyond_cell + part) / want - knots[3]
    scale = np.maximum(excess * unit, least)
    known = total >= FEWEST_COUNTS
    with np.errstate(divide="ignore", over="ignore"):
        beyond = np.where(
            known & (scale > 0),
            np.minimum(NEPER / (power * scale), STEEP),
            np.where(known, STEEP, 0.0),
        )
        widths = np.diff(knots * unit, axis=0, prepend=0.0)
        slopes = np.where(known, np.where(widths > 0, np.minimum(1.0 / widths, STEEP), STEEP), 0.0)
    return (knots * unit).astype(np.float32), slopes.astype(np.float32), beyond.astype(np.float32)


def recentred(counts: Counts, moved: NDArray[np.int16]) -> tuple[Counts, NDArray[np.int16]]:
    """Histograms [m, CELLS], halved where they are full, on a grid further up where the last cell is crowded."""
    total = counts.sum(axis=1, dtype=np.int64)
    counts = np.where((total >= MOST_COUNTS)[:, None], counts >> 1, counts)
    crowded = counts[:, -1] > np.maximum(CROWDED * total, FEWEST_COUNTS // 4)
    if crowded.any():
        shifted = np.zeros_like(counts[crowded])
        shifted[:, 1:-MOVE] = counts[crowded, 1 + MOVE :]
        shifted[:, 0] = counts[crowded, 0]
        shifted[:, 1] += counts[crowded, 1 : 1 + MOVE].sum(axis=1, dtype=np.uint16)
        counts[crowded] = shifted
        moved = np.where(crowded, moved + MOVE, moved).astype(np.int16)
    return counts.astype(np.uint16), moved
