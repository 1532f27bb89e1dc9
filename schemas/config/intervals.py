"""Section `time_intervals`: named times at which routes are muted or active; Alertmanager's form.

Ranges are inclusive at both ends, but the end of a time of day is exclusive. Days of the month may be negative: they
count from its end. Source: Alertmanager's `timeinterval` package.
"""

import re
from collections.abc import Callable
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, PlainSerializer, field_validator, model_validator

from schemas.config.section import Section

Bounds: TypeAlias = tuple[int, int]
"""First and last of a range."""

WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00")
_SHORTEST_MONTH = 28


def _minute(given: object) -> int:
    if isinstance(given, str) and _CLOCK.fullmatch(given):
        hour, minute = given.split(":")
        return int(hour) * 60 + int(minute)
    raise ValueError(f"not a time of day: {given!r}; write it as 08:30, at most 24:00")


def _range(member: Callable[[str], int]) -> Callable[[object], Bounds]:
    def parse(given: object) -> Bounds:
        if isinstance(given, tuple) and len(given) == 2:
            return int(given[0]), int(given[1])
        if not isinstance(given, str | int) or isinstance(given, bool):
            raise ValueError(f"not a range: {given!r}")  # noqa: TRY004  pydantic reports ValueError only
        first, _, last = str(given).lower().partition(":")
        begin = member(first)
        return begin, member(last) if ":" in str(given) else begin

    return parse


def _number(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError(f"not a number: {text!r}")
    return int(text)


def _weekday(text: str) -> int:
    if text not in WEEKDAYS:
        raise ValueError(f"not a weekday: {text!r}")
    return WEEKDAYS.index(text)


def _month(text: str) -> int:
    return MONTHS.index(text) + 1 if text in MONTHS else _number(text)


def _ordered(bounds: Bounds) -> Bounds:
    if bounds[0] > bounds[1]:
        raise ValueError(f"the range ends before it begins: {bounds[0]}:{bounds[1]}")
    return bounds


def _day(bounds: Bounds) -> Bounds:
    for day in bounds:
        if day == 0 or abs(day) > 31:
            raise ValueError(f"no day of a month: {day}")
    begin, end = bounds
    if begin < 0 < end:
        raise ValueError("a range that begins from the end of the month must end from there too")
    shortest = [_SHORTEST_MONTH + d if d < 0 else d for d in bounds]
    if shortest[0] > shortest[1]:
        raise ValueError(f"day {end} is always before day {begin}")
    return bounds


def _shown(bounds: Bounds) -> str:
    return str(bounds[0]) if bounds[0] == bounds[1] else f"{bounds[0]}:{bounds[1]}"


def _shown_weekdays(bounds: Bounds) -> str:
    first, last = (WEEKDAYS[d] for d in bounds)
    return first if first == last else f"{first}:{last}"


TimeOfDay: TypeAlias = Annotated[
    int,
    BeforeValidator(lambda v: v if type(v) is int and v in range(1441) else _minute(v)),
    PlainSerializer(lambda m: f"{m // 60:02d}:{m % 60:02d}"),
]
_Weekdays: TypeAlias = Annotated[
    Bounds,
    BeforeValidator(lambda v: _ordered(_range(_weekday)(v))),
    PlainSerializer(_shown_weekdays),
]
_Days: TypeAlias = Annotated[
    Bounds, BeforeValidator(lambda v: _day(_range(_number)(v))), PlainSerializer(_shown)
]
_Months: TypeAlias = Annotated[
    Bounds, BeforeValidator(lambda v: _ordered(_range(_month)(v))), PlainSerializer(_shown)
]
_Years: TypeAlias = Annotated[
    Bounds, BeforeValidator(lambda v: _ordered(_range(_number)(v))), PlainSerializer(_shown)
]


def known_zone(given: str) -> str:
    """The name of a time zone, as it is.

    Raises:
        ValueError: there is none of that name.

    """
    try:
        ZoneInfo(given)
    except (OSError, ValueError, LookupError) as error:
        raise ValueError(f"not a time zone: {given!r}; write one such as Europe/Berlin") from error
    return given


class ClockRange(Section):
    """A part of a day, from `start_time` up to but not including `end_time`, as `08:30` and `24:00`."""

    start_time: TimeOfDay
    end_time: TimeOfDay

    @model_validator(mode="after")
    def _in_order(self) -> "ClockRange":
        if self.start_time >= self.end_time:
            raise ValueError("start_time must be before end_time")
        return self


class IntervalConfig(Section):
    """Times that fulfil every condition given here; a condition is fulfilled by any of its ranges.

    Attributes:
        times: parts of a day.
        weekdays: `monday:friday`, `sunday`; a week begins on Sunday.
        days_of_month: `1:7`, `-3:-1`; what a month does not have is cut off.
        months: `january:march`, `12`.
        years: `2026:2028`.
        location: name of the time zone that all of this is meant in, such as `Europe/Berlin`.

    """

    times: tuple[ClockRange, ...] | None = None
    weekdays: tuple[_Weekdays, ...] | None = None
    days_of_month: tuple[_Days, ...] | None = None
    months: tuple[_Months, ...] | None = None
    years: tuple[_Years, ...] | None = None
    location: str = "UTC"

    @field_validator("location")
    @classmethod
    def _known(cls, given: str) -> str:
        return known_zone(given)


class TimeIntervalConfig(Section):
    """A name for the times that lie in any of these intervals."""

    name: str
    time_intervals: tuple[IntervalConfig, ...] = Field(default=())
