"""Spans of time from dates and from iCalendar files."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from streams.time.calendars import YEARS, CalendarError, read_dates, read_ics, read_list

BERLIN = "Europe/Berlin"


def at(text: str, zone: str = BERLIN) -> int:
    """Event time of a local time."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("2026-12-25", "2026-12-25T00:00", "2026-12-26T00:00"),
        ("2026-12-24/2026-12-26", "2026-12-24T00:00", "2026-12-27T00:00"),
        ("2026-11-27T18:00/2026-11-28T06:00", "2026-11-27T18:00", "2026-11-28T06:00"),
        ("2026-03-29", "2026-03-29T00:00", "2026-03-30T00:00"),
    ],
)
def test_a_date_is_a_span_of_its_zone(text: str, begin: str, end: str) -> None:
    """A day ends where the next one begins, also one of 23 hours."""
    assert [(at(begin), at(end))] == read_dates([text], BERLIN)


def test_a_date_without_a_year_is_meant_each_year() -> None:
    """Where there is such a day."""
    assert len(YEARS) == len(read_dates(["12-25"], BERLIN))
    assert sum(1 for y in YEARS if (y % 4 == 0 and y % 100) or y % 400 == 0) == len(
        read_dates(["02-29"], BERLIN)
    )


@pytest.mark.parametrize(
    "text", ["13-40", "christmas", "2026-12-26/2026-12-24", "2026-12-25T18:00", "2026-13-01"]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    """By its text."""
    with pytest.raises(CalendarError, match=text.replace("/", "/")):
        read_dates([text], BERLIN)


def test_a_list_has_comments_and_lines() -> None:
    """A wrong line is named by its number."""
    text = "# ours\n2026-05-01  # labour day\n\n12-25\n"
    assert 1 + len(YEARS) == len(read_list(text, BERLIN))
    with pytest.raises(CalendarError, match="line 5: not a date"):
        read_list(f"{text}soon\n", BERLIN)


ICS = """BEGIN:VCALENDAR\r
VERSION:2.0\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20261225\r
DTEND;VALUE=DATE:20261227\r
SUMMARY:Christ\r
 mas\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART;TZID=America/New_York:20261127T090000\r
DURATION:PT3H30M\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART:20260101T000000Z\r
DTEND:20260101T010000Z\r
RRULE:FREQ=YEARLY;COUNT=3\r
END:VEVENT\r
END:VCALENDAR\r
"""


def test_events_of_a_calendar_file() -> None:
    """Days, times with a zone, durations, and what repeats each year."""
    new_york = "America/New_York"
    assert [
        (at("2026-12-25T00:00"), at("2026-12-27T00:00")),
        (at("2026-11-27T09:00", new_york), at("2026-11-27T12:30", new_york)),
        (at("2026-01-01T00:00", "UTC"), at("2026-01-01T01:00", "UTC")),
        (at("2027-01-01T00:00", "UTC"), at("2027-01-01T01:00", "UTC")),
        (at("2028-01-01T00:00", "UTC"), at("2028-01-01T01:00", "UTC")),
    ] == read_ics(ICS, BERLIN)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello", "no iCalendar file"),
        (ICS.replace("FREQ=YEARLY", "FREQ=WEEKLY"), "event of line 13: only rules that repeat"),
        (ICS.replace("20261225", "2026"), "event of line 3"),
        (ICS.replace("America/New_York", "Mars/Olympus"), "event of line 9"),
    ],
)
def test_what_cannot_be_read_is_refused_by_line(text: str, said: str) -> None:
    """Half a calendar would be a lie."""
    with pytest.raises(CalendarError, match=said):
        read_ics(text, BERLIN)
