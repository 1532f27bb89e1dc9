"""What a template can hold beside texts, numbers and maps: the data at its root, times, durations, and their methods.

Everything is frozen. Times are UTC, to the millisecond, as Prometheus makes them.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

DATA_TYPE = (
    "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; "
    "Value interface {} }"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


class CallError(Exception):
    """A function of a template has failed; the message is Go's where it is known."""


class IncompatibleTypesError(CallError):
    """A comparison that fails whatever the values are."""


class Args(dict[str, object]):
    """What `args` makes: a map whose missing entries are nil."""


@dataclass(frozen=True)
class Data:
    """The root of a template: `.Labels`, `.ExternalLabels`, `.ExternalURL`, `.Value`."""

    Labels: Mapping[str, str]
    ExternalLabels: Mapping[str, str]
    ExternalURL: str
    Value: float


@dataclass(frozen=True)
class Method:
    """A name that a value's method gives, which prints as itself: a month, a day of the week."""

    name: str
    number: int
    type_name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Duration:
    """A span, in nanoseconds."""

    nanoseconds: int

    def __str__(self) -> str:
        ns, sign = abs(self.nanoseconds), "-" if self.nanoseconds < 0 else ""
        if ns < 1_000_000_000:
            for unit, size in (("ms", 1_000_000), ("µs", 1_000), ("ns", 1)):
                if ns >= size:
                    return f"{sign}{_decimal(ns, size)}{unit}"
            return "0s"
        minutes, rest = divmod(ns, 60_000_000_000)
        hours, minutes = divmod(minutes, 60)
        lead = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
        return f"{sign}{lead}{_decimal(rest, 1_000_000_000)}s"

    @property
    def seconds(self) -> float:
        """The span in seconds."""
        whole, rest = divmod(abs(self.nanoseconds), 1_000_000_000)
        return math.copysign(whole + rest / 1e9, self.nanoseconds)


def _decimal(number: int, size: int) -> str:
    whole, rest = divmod(number, size)
    digits = str(rest).rjust(len(str(size)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)


@dataclass(frozen=True)
class Time:
    """A moment, in milliseconds since the epoch."""

    ms: int

    @property
    def stamp(self) -> datetime:
        """The same as Python's."""
        return _EPOCH + timedelta(milliseconds=self.ms)

    def __str__(self) -> str:
        part = f".{self.ms % 1000:03d}".rstrip("0").rstrip(".")
        return f"{self.stamp:%Y-%m-%d %H:%M:%S}{part} +0000 UTC"

    def format(self, layout: str) -> str:
        """Go's `Time.Format`: the layout shows how the moment 2006-01-02 15:04:05 would be written."""
        return _LAYOUT.sub(lambda found: _part(found[0], self), layout)


_LAYOUT = re.compile(
    r"January|Jan|Monday|Mon|MST|2006|__2|002|Z07:00(?::00)?|Z0700|-07:00(?::00)?|-0700|-07"
    r"|[.,](?:0+|9+)(?!\d)|01|02|03|04|05|06|15|PM|pm|_2|1|2|3|4|5"
)


def _part(word: str, time: Time) -> str:
    stamp = time.stamp
    hour = stamp.hour % 12 or 12
    if word[0] in ".,":
        digits = f"{time.ms % 1000:03d}000000"[: len(word) - 1]
        digits = digits.rstrip("0") if word[1] == "9" else digits
        return word[0] + digits if digits else ""
    if word[0] == "Z":
        return "Z"
    if word[0] == "-":
        return {"-07": "+00", "-0700": "+0000", "-07:00": "+00:00"}.get(word, "+00:00:00")
    return {
        "January": _MONTHS[stamp.month - 1], "Jan": _MONTHS[stamp.month - 1][:3],
        "Monday": _DAYS[stamp.weekday()], "Mon": _DAYS[stamp.weekday()][:3],
        "MST": "UTC", "2006": f"{stamp.year:04d}", "06": f"{stamp.year % 100:02d}",
        "002": f"{stamp:%j}", "__2": f"{int(f'{stamp:%j}'):3d}",
        "01": f"{stamp.month:02d}", "1": str(stamp.month),
        "02": f"{stamp.day:02d}", "2": str(stamp.day), "_2": f"{stamp.day:2d}",
        "15": f"{stamp.hour:02d}", "03": f"{hour:02d}", "3": str(hour),
        "04": f"{stamp.minute:02d}", "4": str(stamp.minute),
        "05": f"{stamp.second:02d}", "5": str(stamp.second),
        "PM": "PM" if stamp.hour >= 12 else "AM", "pm": "pm" if stamp.hour >= 12 else "am",
    }[word]  # fmt: skip


TIME_METHODS: dict[str, Callable[[Time], object]] = {
    "Year": lambda t: t.stamp.year,
    "Month": lambda t: Method(_MONTHS[t.stamp.month - 1], t.stamp.month, "time.Month"),
    "Day": lambda t: t.stamp.day,
    "Hour": lambda t: t.stamp.hour,
    "Minute": lambda t: t.stamp.minute,
    "Second": lambda t: t.stamp.second,
    "Nanosecond": lambda t: t.ms % 1000 * 1_000_000,
    "Weekday": lambda t: Method(
        _DAYS[t.stamp.weekday()], (t.stamp.weekday() + 1) % 7, "time.Weekday"
    ),
    "YearDay": lambda t: int(f"{t.stamp:%j}"),
    "Unix": lambda t: t.ms // 1000,
    "UnixMilli": lambda t: t.ms,
    "UTC": lambda t: t,
    "String": str,
}
DURATION_METHODS: dict[str, Callable[[Duration], object]] = {
    "Hours": lambda d: d.seconds / 3600,
    "Minutes": lambda d: d.seconds / 60,
    "Seconds": lambda d: d.seconds,
    "Milliseconds": lambda d: int(d.nanoseconds / 1_000_000),
    "Nanoseconds": lambda d: d.nanoseconds,
    "String": str,
}


def type_name(value: object) -> str:
    """Go's name of the value's type, as its messages show it."""
    match value:
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float64"
        case str():
            return "string"
        case Args():
            return "map[string]interface {}"
        case Time():
            return "*time.Time"
        case Duration():
            return "*time.Duration"
        case Method():
            return value.type_name
        case Data():
            return DATA_TYPE
    return "map[string]string"
