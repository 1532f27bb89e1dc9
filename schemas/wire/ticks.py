"""Ticks: event times that are numbers of a unit, or of one that their size tells.

Units do not overlap from March 1973 up to the year 5138, so a number of either tells its own; see `numbers_ms`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.config.options import TimeUnit
from schemas.wire.columns import MILLISECONDS_BELOW
from schemas.wire.stamps import texts_ms

PER_MS = {"s": 1e-3, "ms": 1.0, "us": 1e3, "ns": 1e6}
_BELOW = (1e11, MILLISECONDS_BELOW, 1e17, 1e20)
"""Bounds of seconds, milliseconds, microseconds and nanoseconds."""
_DIVISORS = np.array([1e-3, 1.0, 1e3, 1e6, 1.0])


def ticks_ms(ticks: NDArray[np.float64], unit: TimeUnit) -> NDArray[np.int64]:
    """Event times in ms, to the nearest, of numbers of this unit; what is no time gives -1."""
    good = ticks >= 0
    ticks = np.where(good, ticks, 0.0)
    if unit == "auto":
        sizes = np.searchsorted(_BELOW, ticks, side="right")
        ms = np.where(sizes < len(_BELOW), ticks / _DIVISORS[sizes], MILLISECONDS_BELOW)
    else:
        ms = ticks / PER_MS[unit]
    good &= ms < MILLISECONDS_BELOW
    return np.where(good, np.rint(np.where(good, ms, 0.0)), -1.0).astype(np.int64)


def stamps_ms(times: Sequence[float | str], unit: TimeUnit) -> NDArray[np.int64]:
    """The same of numbers and RFC 3339 texts."""
    kinds = set(map(type, times))
    if str not in kinds:
        return ticks_ms(np.array(times, np.float64), unit)
    if kinds == {str}:
        return texts_ms(times)  # type: ignore[arg-type]  # all are texts
    texts = iter(texts_ms([time for time in times if isinstance(time, str)]).tolist())
    numbers = [time for time in times if not isinstance(time, str)]
    parsed = iter(ticks_ms(np.array(numbers, np.float64), unit).tolist())
    return np.array([next(texts if isinstance(t, str) else parsed) for t in times], np.int64)
