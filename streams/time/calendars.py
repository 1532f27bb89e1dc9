"""Calendars: spans of time from dates as people write them, and from iCalendar files (RFC 5545).

Of iCalendar it reads events with DTSTART, DTEND or DURATION, days and times, TZID, and rules that repeat each year.
Spans are (begin, end), event times in ms since the epoch UTC, the end exclusive.

Refuses what it would have to guess, with the line: a date that is none, a rule that repeats otherwise.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Span = tuple[int, int]

YEARS = range(2000, 2101)
"""Years in which a date without one is meant."""
_DAY = timedelta(days=1)
_YEARLY = re.compile(r"(\d\d)-(\d\d)")
_LASTS = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_LINE = re.compile(r"([A-Za-z-]+)((?:;[^:;\"]+=(?:\"[^\"]*\"|[^:;]*))*):(.*)")


class CalendarError(ValueError):
    """A date or a calendar that makes no sense; says where."""


def read_dates(texts: Sequence[str], zone: str) -> list[Span]:
    """Spans of dates such as `2026-12-25`, `12-25`, `2026-12-24/2026-12-26` or `2026-11-27T18:00/2026-11-28T06:00`.

    Raises:
        CalendarError: one is none; names it.

    """
    return [span for text in texts for span in _dates(text.strip(), ZoneInfo(zone))]


def read_list(text: str, zone: str) -> list[Span]:
    """The same of a text with one a line; what stands behind `#` is left out.

    Raises:
        CalendarError: a line is none; names it.

    """
    found: list[Span] = []
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.partition("#")[0].strip()
        try:
            found += read_dates([bare] if bare else [], zone)
        except CalendarError as error:
            raise CalendarError(f"line {number}: {error}") from error
    return found


def read_ics(text: str, zone: str) -> list[Span]:
    """Spans of the events of an iCalendar text; times without a zone are meant in `zone`.

    Raises:
        CalendarError: it is none, or holds what cannot be read; names the line.

    """
    found: list[Span] = []
    event: dict[str, tuple[str, str]] | None = None
    begun = 0
    if "BEGIN:VCALENDAR" not in text:
        raise CalendarError("no iCalendar file: there is no BEGIN:VCALENDAR")
    for number, line in _unfolded(text):
        if line == "BEGIN:VEVENT":
            event, begun = {}, number
        elif line == "END:VEVENT" and event is not None:
            try:
                found += _event(event, zone)
            except (CalendarError, LookupError, OSError, ValueError) as error:
                raise CalendarError(f"event of line {begun}: {error}") from error
            event = None
        elif event is not None and (parts := _LINE.fullmatch(line)):
            event.setdefault(parts[1].upper(), (parts[2], parts[3]))
    return found


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Whole lines with the number of their first one: a line that begins with a blank goes on with the one before."""
    whole, first = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line[:1] in (" ", "\t"):
            whole += line[1:]
            continue
        if whole:
            yield first, whole
        whole, first = line.rstrip(), number
    if whole:
        yield first, whole


def _dates(text: str, zone: ZoneInfo) -> Iterator[Span]:
    if yearly := _YEARLY.fullmatch(text):
        month, day = int(yearly[1]), int(yearly[2])
        days = [found for year in YEARS if (found := _day_of(year, month, day))]
        if not days:
            raise CalendarError(f"no day of any year: {text!r}")
        yield from (_days(found, found, zone) for found in days)
        return
    first, slash, last = text.partition("/")
    try:
        if "T" in text:
            begin, end = datetime.fromisoformat(first), datetime.fromisoformat(last)
            span = _at(begin, zone), _at(end, zone)
        else:
            begun = date.fromisoformat(first)
            span = _days(begun, date.fromisoformat(last) if slash else begun, zone)
    except ValueError as error:
        raise CalendarError(
            f"not a date: {text!r}; write 2026-12-25, 12-25, 2026-12-24/2026-12-26 or times with T"
        ) from error
    if span[0] >= span[1]:
        raise CalendarError(f"it ends before it begins: {text!r}")
    yield span


def _day_of(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:  # the 29th of February, mostly
        return None


def _days(first: date, last: date, zone: ZoneInfo) -> Span:
    return (
        _at(datetime.combine(first, time()), zone),
        _at(datetime.combine(last + _DAY, time()), zone),
    )


def _at(moment: datetime, zone: ZoneInfo) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return round(aware.timestamp() * 1000)


def _event(event: dict[str, tuple[str, str]], zone: str) -> list[Span]:
    if "DTSTART" not in event:
        raise CalendarError("it has no DTSTART")
    begin, all_day, where = _moment(*event["DTSTART"], zone)
    if "DTEND" in event:
        end = _moment(*event["DTEND"], zone)[0]
    elif "DURATION" in event:
        end = begin + _lasts(event["DURATION"][1])
    else:
        end = begin + _DAY if all_day else begin
    repeated = _repeats(begin, event.get("RRULE", ("", ""))[1])
    return [
        (_at(each, where), _at(each + (end - begin), where)) for each in repeated if end > begin
    ]


def _moment(options: str, value: str, zone: str) -> tuple[datetime, bool, ZoneInfo]:
    """The moment without a zone, whether it is a day, and its zone."""
    named = re.search(r"TZID=\"?([^;\"]+)", options)
    where = ZoneInfo(named[1]) if named else ZoneInfo(zone)
    if len(value) == len("20261225"):
        return datetime.strptime(value, "%Y%m%d"), True, where  # noqa: DTZ007  its zone stands beside it
    form = "%Y%m%dT%H%M%S"
    if value.endswith("Z"):
        where = ZoneInfo("UTC")
    return datetime.strptime(value.removesuffix("Z"), form), False, where  # noqa: DTZ007  as above


def _lasts(text: str) -> timedelta:
    found = _LASTS.fullmatch(text)
    if found is None:
        raise CalendarError(f"not a duration: {text!r}")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def _repeats(begin: datetime, rule: str) -> list[datetime]:
    if not rule:
        return [begin]
    parts = dict(part.partition("=")[::2] for part in rule.upper().split(";"))
    if parts.pop("FREQ", "") != "YEARLY" or parts.keys() - {"INTERVAL", "COUNT", "UNTIL", "WKST"}:
        raise CalendarError(f"only rules that repeat the same day each year are read: {rule!r}")
    step, most = int(parts.get("INTERVAL", 1)), int(parts.get("COUNT", len(YEARS)))
    until = parts.get("UNTIL", "99991231")[:8]
    found = []
    for year in range(begin.year, YEARS.stop, step)[:most]:
        day = _day_of(year, begin.month, begin.day)
        if day is not None and day.strftime("%Y%m%d") <= until:
            found.append(datetime.combine(day, begin.time()))
    return found
