"""Why the correlator did not take an alert; values are metric labels, so they never change their meaning."""

from enum import StrEnum


class DropReason(StrEnum):
    """Why an alert had no effect on any incident.

    `duplicate`: its source has sent it before, or has said that it is past its time. `unknown_source`: it comes from a
    detect partition that is not configured. `incident_full`: its incident holds `max_alerts` firing alerts. `not_held`:
    it resolved, but no incident holds it.
    """

    DUPLICATE = "duplicate"
    UNKNOWN_SOURCE = "unknown_source"
    INCIDENT_FULL = "incident_full"
    NOT_HELD = "not_held"
