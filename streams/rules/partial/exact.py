"""Exact sums: a partition's sum as floats that add up to it without any error, and the one float nearest to many such.

An expansion (Shewchuk, "Adaptive precision floating-point arithmetic", 1997) loses nothing, so the sum of all is the
same however the addends were spread over partitions. Infinities and NaN add up as IEEE 754 says; a total beyond the
largest float is infinite. Refuses nothing.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import chain
from math import fsum, inf, isfinite, nan

import numpy as np

from schemas.samples import Float64s, Int64s

EXACT_BELOW = 2.0**53
"""Whole numbers below this are floats, and so are their sums."""


def expansion(values: Sequence[float]) -> list[float]:
    """Floats that together are exactly the sum of these, the largest first; at least one."""
    try:
        found = [fsum(values)]
        if not isfinite(found[0]):
            return found
        while rest := fsum(chain(values, (-each for each in found))):
            found.append(rest)
    except ValueError:  # inf and -inf
        return [nan]
    except OverflowError:  # the sum is no float, its halves may be
        half = len(values) // 2
        return expansion(values[:half]) + expansion(values[half:])
    return found


def total(values: Sequence[float]) -> float:
    """The float nearest to the sum of these."""
    try:
        return fsum(values)
    except ValueError:
        return nan
    except OverflowError:
        return _rounded(values, 1.0)


def average(values: Sequence[float], count: float) -> float:
    """The sum of these over a count; finite where the mean is, even if the sum is not."""
    try:
        return fsum(values) / count
    except ValueError:
        return nan
    except OverflowError:
        return _rounded(values, count)


def _rounded(values: Sequence[float], count: float) -> float:
    """The sum over a count where the sum of some is no float."""
    infinite = [each for each in values if not isfinite(each)]
    if infinite:
        return total(infinite)
    exact = sum(map(Fraction, values)) / Fraction(count)
    try:
        return float(exact)
    except OverflowError:
        return inf if exact > 0 else -inf


def expansions(values: Float64s, low: Int64s, high: Int64s) -> tuple[Int64s, Int64s, Float64s]:
    """Expansions of the stretches [low, high) of a column, none empty: stretch, place in its expansion, value."""
    stretches = np.arange(len(low))
    if _adds_exactly(values):
        running = np.concatenate(([0.0], np.cumsum(values)))
        return stretches, np.zeros(len(low), np.int64), running[high] - running[low]
    found = [
        expansion(values[a:b].tolist()) for a, b in zip(low.tolist(), high.tolist(), strict=True)
    ]
    sizes = np.fromiter(map(len, found), np.int64, len(found))
    places = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.repeat(stretches, sizes), places, np.fromiter(chain.from_iterable(found), float)


def _adds_exactly(values: Float64s) -> bool:
    if not len(values):
        return False
    largest = float(np.abs(values).max())
    return largest * len(values) < EXACT_BELOW and bool((np.rint(values) == values).all())
