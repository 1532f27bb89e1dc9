"""Date functions: the calendar, in UTC, of seconds since the epoch.

Days are counted by the proleptic Gregorian calendar (H. Hinnant, chrono-compatible date algorithms: civil_from_days).
What is no number, or too big for a 64-bit count of seconds, is taken for 2**63: so Go's time overflows on amd64.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from schemas.samples import Float64s, Int64s

DateFunction: TypeAlias = Callable[[Float64s], Float64s]

DAY_SECONDS = 86_400
LIMIT = 2**63
ERA_DAYS = 146_097
"""Days in 400 years."""
EPOCH_DAYS = 719_468
"""From 0000-03-01 to 1970-01-01."""


def split(values: Float64s) -> tuple[Int64s, Int64s]:
    """Days since the epoch and seconds of the day; fractions of a second are cut off."""
    fits = np.abs(values) < LIMIT
    whole = np.trunc(np.where(fits, values, 0.0)).astype(np.int64)
    days, seconds = whole // DAY_SECONDS, whole % DAY_SECONDS
    days[~fits], seconds[~fits] = LIMIT // DAY_SECONDS, LIMIT % DAY_SECONDS
    return days, seconds


def civil(days: Int64s) -> tuple[Int64s, Int64s, Int64s]:
    """Year, month (1 to 12) and day of the month of days since the epoch."""
    since = days + EPOCH_DAYS
    era = since // ERA_DAYS
    in_era = since - era * ERA_DAYS
    year = (in_era - in_era // 1460 + in_era // 36_524 - in_era // 146_096) // 365
    in_year = in_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * in_year + 2) // 153
    day = in_year - (153 * shifted + 2) // 5 + 1
    month = np.where(shifted < 10, shifted + 3, shifted - 9)
    return era * 400 + year + (month <= 2), month, day


def first_day(year: Int64s, month: Int64s) -> Int64s:
    """Days since the epoch of the first of a month; month 13 is January of the next year."""
    year, month = year + (month > 12), np.where(month > 12, month - 12, month)
    shifted = np.where(month > 2, month - 3, month + 9)
    year = year - (month <= 2)
    era = year // 400
    in_era = year - era * 400
    days = in_era * 365 + in_era // 4 - in_era // 100 + (153 * shifted + 2) // 5
    since: Int64s = era * ERA_DAYS + days - EPOCH_DAYS
    return since


def year(values: Float64s) -> Float64s:
    """The year."""
    return civil(split(values)[0])[0].astype(np.float64)


def month(values: Float64s) -> Float64s:
    """1 to 12."""
    return civil(split(values)[0])[1].astype(np.float64)


def day_of_month(values: Float64s) -> Float64s:
    """1 to 31."""
    return civil(split(values)[0])[2].astype(np.float64)


def day_of_year(values: Float64s) -> Float64s:
    """1 to 366."""
    days = split(values)[0]
    years = civil(days)[0]
    return (days - first_day(years, np.ones_like(years)) + 1).astype(np.float64)


def day_of_week(values: Float64s) -> Float64s:
    """0 for Sunday to 6; the epoch was a Thursday."""
    return ((split(values)[0] + 4) % 7).astype(np.float64)


def days_in_month(values: Float64s) -> Float64s:
    """28 to 31."""
    years, months, _ = civil(split(values)[0])
    return (first_day(years, months + 1) - first_day(years, months)).astype(np.float64)


def hour(values: Float64s) -> Float64s:
    """0 to 23."""
    return (split(values)[1] // 3600).astype(np.float64)


def minute(values: Float64s) -> Float64s:
    """0 to 59."""
    return (split(values)[1] % 3600 // 60).astype(np.float64)


DATE_FUNCTIONS: dict[str, DateFunction] = {
    "day_of_month": day_of_month,
    "day_of_week": day_of_week,
    "day_of_year": day_of_year,
    "days_in_month": days_in_month,
    "hour": hour,
    "minute": minute,
    "month": month,
    "year": year,
}
