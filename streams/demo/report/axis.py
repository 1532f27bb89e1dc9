"""Axes: where a time or a value lies, in percent of the room for it, and the round numbers to mark.

Percents make a drawing as wide as its window without scaling its letters.
Refuses to leave the room: what lies outside is put on its edge.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

_STEPS_MS = tuple(
    count * unit
    for unit, counts in (
        (1_000, (1, 2, 5, 10, 15, 30)),
        (60_000, (1, 2, 5, 10, 15, 30)),
        (3_600_000, (1, 2, 3, 6, 12, 24)),
    )
    for count in counts
)


@dataclass(frozen=True)
class TimeAxis:
    """Event times from `start_ms` to `end_ms`, left to right."""

    start_ms: int
    end_ms: int

    def percent(self, time_ms: int) -> float:
        """Place of a time, 0 to 100."""
        share = (time_ms - self.start_ms) / max(self.end_ms - self.start_ms, 1)
        return round(100 * min(max(share, 0.0), 1.0), 3)

    def width(self, from_ms: int, to_ms: int) -> float:
        """Part of the room that a span of time takes, in percent."""
        return round(max(self.percent(to_ms) - self.percent(from_ms), 0.0), 3)

    def ticks(self, most: int) -> Iterator[int]:
        """Round times within, not more than `most`."""
        span = max(self.end_ms - self.start_ms, 1)
        fitting = (step for step in _STEPS_MS if span / step <= most - 1)
        step = next(fitting, ceil(span / (most * _STEPS_MS[-1])) * _STEPS_MS[-1])
        yield from range(-(-self.start_ms // step) * step, self.end_ms + 1, step)


@dataclass(frozen=True)
class ValueAxis:
    """Values from `low` to `high`, bottom to top."""

    low: float
    high: float

    def percent(self, value: float) -> float:
        """Place of a value from the top, 0 to 100."""
        share = (value - self.low) / (self.high - self.low)
        return round(100 * (1 - min(max(share, 0.0), 1.0)), 2)

    def ticks(self, most: int = 4) -> list[float]:
        """Round values within, not more than `most`."""
        step = _round_step((self.high - self.low) / (most - 1))
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [step * count for count in range(first, last + 1)]


def value_axis(values: Iterable[float | None]) -> ValueAxis:
    """An axis with all finite values on it and some air above; with zero, unless they vary little and far from it."""
    known = [v for v in values if v is not None and isfinite(v)] or [0.0]
    low, high = min(known), max(known)
    if low > 0 and low < 0.7 * high:
        low = 0.0
    air = (high - low) * 0.12 or abs(high) * 0.5 or 1.0
    return ValueAxis(low if low == 0 else low - air, high + air)


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is not below `least`."""
    power = 10.0 ** floor(log10(least))
    return next(m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0, 10.1) if m * power >= least)
