"""Why the correlator did not take an alert; values are metric labels, so they never change their meaning."""

from enum import StrEnum


class DropReason(StrEnum):
    """Why an alert had no effect on any incident.

    `duplicate`: its source has sent it, or said that it is past its time. `late`: from a source that was given up as
    idle. `unknown_source`: from a detect partition that is not configured. `incident_full`: its incident holds
    `max_alerts` firing alerts. `not_held`: it resolved, but no incident holds it.
    """

    DUPLICATE = "duplicate"
    LATE = "late"
    UNKNOWN_SOURCE = "unknown_source"
    INCIDENT_FULL = "incident_full"
    NOT_HELD = "not_held"
