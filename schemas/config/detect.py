"""Section `detect`: what detectors of rules heed beside samples: a calendar, maintenance, what was learnt before."""

from typing import Literal

from pydantic import Field, field_validator

from schemas.config.intervals import known_zone
from schemas.config.section import Section


class CalendarConfig(Section):
    """Days and times that are not like others, such as holidays or a sale.

    Attributes:
        name: a rule's `calendar` may name it.
        dates: `2026-12-25`, `12-25` (each year), both ends of days `2026-12-24/2026-12-26`, or of times
            `2026-11-27T18:00/2026-11-28T06:00`, whose end is exclusive.
        file: path, relative to the configuration, of an iCalendar file, or of a text with one of the above a line.
        location: name of the time zone that these are meant in, such as `Europe/Berlin`.
        then: `quiet`: nothing is an alert then, and nothing is learnt; `apart`: what is usual then is learnt by itself.

    """

    name: str
    dates: tuple[str, ...] = ()
    file: str = ""
    location: str = "UTC"
    then: Literal["quiet", "apart"] = "quiet"

    @field_validator("location")
    @classmethod
    def _known(cls, given: str) -> str:
        return known_zone(given)


class DetectConfig(Section):
    """What all rules with a detector share.

    Attributes:
        calendar: days and times that are not like others.
        maintenance: names of `time_intervals` in which detectors judge as ever, and learn nothing.
        learnt: files that `tocsin learn` has written, relative to the configuration: what series begin with that are
            seen for the first time.

    """

    calendar: tuple[CalendarConfig, ...] = Field(default=())
    maintenance: tuple[str, ...] = ()
    learnt: tuple[str, ...] = ()
