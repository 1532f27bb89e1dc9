"""Zone: what a local clock shows at an event time, with its changes of the offset.

The changes of a year are searched once, by days and then by halving, and kept for as many years as `YEARS`; the rest is
one binary search for each sample. Times are int64 ms since the epoch, UTC; so are local times, as if they were UTC.

Refuses zones that the system's database does not know.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from detectors.base import IntArray
from schemas.errors import ConfigError

YEARS = 64
DAY_MS = 86_400_000
# The years that a datetime can be asked for with a day to spare; times beyond have the offset of the end.
FIRST_YEAR, LAST_YEAR = 1970, 2200


def known(zone: str) -> str:
    """Return the zone's name; raises ConfigError where there is none of that name."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError([f"unknown time zone '{zone}'"]) from error
    return zone


def local(times: IntArray, zone: str) -> IntArray:
    """Return what the zone's clock shows, as ms since the epoch; `times` int64[n] ms."""
    if zone == "UTC" or times.size == 0:
        return times
    first, last = (_year(int(bound)) for bound in (times.min(), times.max()))
    parts = [_changes(zone, year) for year in range(first, last + 1)]
    # Years overlap by some days, and both tell the truth there.
    starts = np.concatenate([starts for starts, _ in parts])
    order = np.argsort(starts, kind="stable")
    starts, offsets = starts[order], np.concatenate([offsets for _, offsets in parts])[order]
    shown: IntArray = times + offsets[np.maximum(np.searchsorted(starts, times, "right") - 1, 0)]
    return shown


def _year(time_ms: int) -> int:
    # The mean Gregorian year; a day's error at its ends is taken up by `_changes`, which looks beyond them.
    year = 1970 + int(time_ms // (365.2425 * DAY_MS))
    return min(max(year, FIRST_YEAR), LAST_YEAR)


def _offset(zone: ZoneInfo, time_ms: int) -> int:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds() * 1000)


@lru_cache(YEARS)
def _changes(name: str, year: int) -> tuple[IntArray, IntArray]:
    """Return from when on which offset holds, in ms, beginning two days before the year and ending with it."""
    zone = ZoneInfo(name)
    begin = int((year - 1970) * 365.2425) * DAY_MS - 2 * DAY_MS
    starts, offsets = [begin], [_offset(zone, begin)]
    for day in range(begin, begin + 368 * DAY_MS, DAY_MS):
        after = _offset(zone, day + DAY_MS)
        if after == offsets[-1]:
            continue
        low, high = day, day + DAY_MS
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if _offset(zone, middle) == after else (middle, high)
        starts.append(high)
        offsets.append(after)
    return np.array(starts, np.int64), np.array(offsets, np.int64)
