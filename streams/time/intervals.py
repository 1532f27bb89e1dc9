"""Intervals: whether a moment lies in a named time interval of the configuration.

Every interval is asked in its own time zone. Weekdays count from Sunday, as in Alertmanager. It differs from
Alertmanager in one thing: a month that loses an hour to summer time keeps all of its days there, so the last day of
March is the 31st (Alertmanager's `daysInMonth` divides hours by 24).
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from schemas.config.intervals import Bounds, IntervalConfig, TimeIntervalConfig

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE_MS = 60_000
SEARCH_MINUTES = 8 * 24 * 60
"""How far ahead the end of a time is looked for: every weekly one ends within that."""


class Intervals:
    """The time intervals of the configuration, by name."""

    def __init__(self, configs: Iterable[TimeIntervalConfig]) -> None:
        self._intervals: Mapping[str, tuple[IntervalConfig, ...]] = {
            c.name: c.time_intervals for c in configs
        }

    def __contains__(self, name: object) -> bool:
        return name in self._intervals

    def contains(self, name: str, at: int) -> bool:
        """Whether an event time, ms, lies in the interval of this name; never in one that is not there."""
        return any(holds(interval, at) for interval in self._intervals.get(name, ()))

    def first(self, names: Iterable[str], at: int) -> str | None:
        """The first of these that holds at a time."""
        return next((name for name in names if self.contains(name, at)), None)

    def end(self, name: str, at: int) -> int:
        """The first full minute, ms, after a time that lies in the interval, that does not; at most 8 days later."""
        minute = at - at % MINUTE_MS
        for ahead in range(1, SEARCH_MINUTES + 1):
            if not self.contains(name, minute + ahead * MINUTE_MS):
                return minute + ahead * MINUTE_MS
        return minute + SEARCH_MINUTES * MINUTE_MS


def holds(interval: IntervalConfig, at: int) -> bool:
    """Whether an event time, ms, fulfils all conditions of an interval."""
    time = (_EPOCH + timedelta(milliseconds=at)).astimezone(_zone(interval.location))
    minute = time.hour * 60 + time.minute
    return (
        (interval.times is None or any(t.start_time <= minute < t.end_time for t in interval.times))
        and (interval.days_of_month is None or _has_day(interval.days_of_month, time))
        and _within(interval.months, time.month)
        and _within(interval.weekdays, time.isoweekday() % 7)
        and _within(interval.years, time.year)
    )


def _within(ranges: tuple[Bounds, ...] | None, value: int) -> bool:
    return ranges is None or any(first <= value <= last for first, last in ranges)


def _has_day(ranges: tuple[Bounds, ...], time: datetime) -> bool:
    days = monthrange(time.year, time.month)[1]
    for bounds in ranges:
        first, last = (days + day + 1 if day < 0 else day for day in bounds)
        if first <= days and max(first, -days) <= time.day <= min(last, days):
            return True
    return False


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
