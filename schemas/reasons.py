"""The enums of "why": each refusal, change and outcome names one of these.

They are stored in records, shown to people and used as metric labels, so a value, once released, never
changes its meaning.
"""

from enum import StrEnum
from typing import Self


class DeadLetterReason(StrEnum):
    """Why a record, or a sample of it, could not be taken in."""

    EMPTY_VALUE = "empty_value"
    TOMBSTONE = "tombstone"
    TOO_LARGE = "too_large"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    WRONG_TYPE = "wrong_type"
    MISSING_METRIC = "missing_metric"
    MISSING_TIME = "missing_time"
    MISSING_VALUE = "missing_value"
    BAD_METRIC = "bad_metric"
    BAD_TIME = "bad_time"
    NOT_FINITE = "not_finite"
    BAD_HISTOGRAM = "bad_histogram"
    TOO_FAR_AHEAD = "too_far_ahead"
    TOO_OLD = "too_old"
    LATE = "late"
    TOO_MANY_LABELS = "too_many_labels"
    LABEL_TOO_LONG = "label_too_long"
    BAD_LABEL = "bad_label"
    TOO_MANY_SERIES = "too_many_series"
    TOO_MANY_TENANTS = "too_many_tenants"
    RATE_LIMITED = "rate_limited"
    UNKNOWN_RECORD = "unknown_record"
    UNKNOWN_FORMAT = "unknown_format"
    UNKNOWN_SCHEMA = "unknown_schema"
    MALFORMED = "malformed"
    REPEATED = "repeated"
    STAGE_FAILED = "stage_failed"
    COMMAND_REFUSED = "command_refused"


class IgnoreReason(StrEnum):
    """What of a record is left out on purpose: it is no sample, and nothing here asks for it."""

    EXEMPLAR = "exemplar"
    DROPPED_BY_RULE = "dropped_by_rule"
    TEXT_FIELD = "text_field"
    TOMBSTONE = "tombstone"
    RECORD_TIME_AHEAD = "record_time_ahead"


class ProduceReason(StrEnum):
    """Why a producer in a service gave up a sample."""

    BUFFER_FULL = "buffer_full"
    NOT_FINITE = "not_finite"
    BAD_TIME = "bad_time"
    BAD_SERIES = "bad_series"
    TOO_LARGE = "too_large"
    REFUSED = "refused"
    CLOSED = "closed"


class AlertState(StrEnum):
    """States of an alert that travel; inactive never does."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class AlertReason(StrEnum):
    """Why an alert changed its state."""

    CONDITION_TRUE = "condition_true"
    HELD_FOR = "held_for"
    CONDITION_FALSE = "condition_false"
    SERIES_GONE = "series_gone"
    RULE_REMOVED = "rule_removed"
    RULE_FAILED = "rule_failed"
    AMENDED = "amended"
    WITHDRAWN = "withdrawn"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> Self:  # noqa: ARG003  the enum's own signature
        """Of a newer version: a reader goes on, and shows that it does not know."""
        return cls("other")


class AbsenceReason(StrEnum):
    """What a rule says of an alert at a time, when somebody asks why it did not fire."""

    NO_RULE = "no_rule"
    NO_SERIES = "no_series"
    CONDITION_FALSE = "condition_false"
    STILL_PENDING = "still_pending"
    DETECTOR_DECIDES = "detector_decides"
    FIRES = "fires"


class ReloadReason(StrEnum):
    """How an attempt to take over changed rule files ended."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class DetectorState(StrEnum):
    """What the detector of a rule may do with a series."""

    WAITING = "waiting"
    READY = "ready"
    FROZEN = "frozen"


class IncidentState(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Severity(StrEnum):
    """How bad; order by `rank`, the worst first."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return _SEVERITY_RANK[self]


_SEVERITY_RANK = {severity: rank for rank, severity in enumerate(Severity)}


class Priority(StrEnum):
    """How urgent for people; the smallest is the most urgent. From the table `correlate.priorities`."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class IncidentChange(StrEnum):
    """Why a record of an incident was written."""

    OPENED = "opened"
    ALERTS_ADDED = "alerts_added"
    ALERTS_RESOLVED = "alerts_resolved"
    SEVERITY_RAISED = "severity_raised"
    CAUSE_CHANGED = "cause_changed"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    ANNOUNCED = "announced"
    UNACKNOWLEDGED = "unacknowledged"
    ASSIGNED = "assigned"
    NOTED = "noted"
    MERGED = "merged"
    UNMERGED = "unmerged"
    FLAPPING = "flapping"
    STEADY = "steady"
    HELD = "held"
    SUPPRESSED = "suppressed"
    REFUSED = "refused"
    AMENDED = "amended"
    WITHDRAWN = "withdrawn"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> Self:  # noqa: ARG003  the enum's own signature
        """Of a newer version: a reader goes on, and shows that it does not know."""
        return cls("other")


class Amendment(StrEnum):
    """What late samples did to an incident that had been written."""

    AMENDED = "amended"
    WITHDRAWN = "withdrawn"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> Self:  # noqa: ARG003  the enum's own signature
        """Of a newer version: a reader goes on, and shows that it does not know."""
        return cls("other")


class CommandReason(StrEnum):
    """Why a command was not carried out."""

    UNKNOWN_INCIDENT = "unknown_incident"
    ALREADY_RESOLVED = "already_resolved"
    NOT_RESOLVED = "not_resolved"
    NOT_ACKNOWLEDGED = "not_acknowledged"
    ALREADY_MERGED = "already_merged"
    NOT_MERGED = "not_merged"
    SAME_INCIDENT = "same_incident"
    NOTHING_HELD = "nothing_held"
    OVER_ALREADY = "over_already"
    INCOMPLETE = "incomplete"
    TOO_MANY = "too_many"
    DUPLICATE = "duplicate"
    NOT_TAKEN = "not_taken"
    BAD_MATCHER = "bad_matcher"
    MATCHES_ALL = "matches_all"
    TOO_LONG = "too_long"
    UNKNOWN_SILENCE = "unknown_silence"
    UNKNOWN_INTERVAL = "unknown_interval"


class Gate(StrEnum):
    """What may stop an alert or an announcement on its way to people."""

    DEDUP = "dedup"
    GROUP = "group"
    INHIBITION = "inhibition"
    SILENCE = "silence"
    MUTE = "mute_time_interval"
    ACTIVE = "active_time_interval"
    ROUTE = "route"
    STORM = "storm"
    HOLD = "hold"
    ACKNOWLEDGED = "acknowledged"
    FLAPPING = "flapping"
    LIMIT = "limit"
    HORIZON = "horizon"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> Self:  # noqa: ARG003  the enum's own signature
        """Of a newer version: a reader goes on, and shows that it does not know."""
        return cls("other")


class GateReason(StrEnum):
    """Why a gate let pass, or did not."""

    BUDGET_LEFT = "budget_left"
    OVER_BUDGET = "over_budget"
    HELD_BY_COMMAND = "held_by_command"
    RELEASED = "released"
    ACKNOWLEDGED_BY_OWNER = "acknowledged_by_owner"
    FLAPS = "flaps"
    OVER_BEFORE_TOLD = "over_before_told"
    NO_ROOM = "no_room"
    SEVERITY_ROSE = "severity_rose"
    SOURCE_FIRES = "source_fires"
    SILENCED = "silenced"
    HUSHED = "hushed"
    IN_MUTE_INTERVAL = "in_mute_interval"
    OUTSIDE_ACTIVE_INTERVAL = "outside_active_interval"


class JoinReason(StrEnum):
    """Why an alert went into the incident that it is in."""

    FIRST_OF_GROUP = "first_of_group"
    SAME_GROUP = "same_group"
    CALL_GRAPH = "call_graph"
    REOPENED_WITHIN_WINDOW = "reopened_within_window"
    SEVERITY_SPLIT = "severity_split"
    MERGED_BY_HAND = "merged_by_hand"
    LEARNT_GRAPH = "learnt_graph"
    SHARED_LABEL = "shared_label"
    SEEN_TOGETHER = "seen_together"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> Self:  # noqa: ARG003  the enum's own signature
        """Of a newer version: a reader goes on, and shows that it does not know."""
        return cls("other")


class AnnounceReason(StrEnum):
    """Why people are to be told now; Alertmanager's notification reasons."""

    FIRST_NOTIFICATION = "first notification"
    NEW_ALERTS_ADDED = "new alerts added"
    SOME_ALERTS_RESOLVED = "some alerts resolved"
    ALL_ALERTS_RESOLVED = "all alerts resolved"
    REPEAT_INTERVAL_ELAPSED = "repeat interval elapsed"
    SILENCE_ENDED = "silence ended"
    ALERTS_FLAP = "alerts flap"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> Self:  # noqa: ARG003  the enum's own signature
        """Of a newer version: a reader goes on, and shows that it does not know."""
        return cls("other")


class DeliveryReason(StrEnum):
    """How an attempt to tell somebody, or to act, ended; bounded, so it is a metric label too."""

    DELIVERED = "delivered"
    DUPLICATE = "duplicate"
    NO_ROUTE = "no_route"
    RESOLVE_NOT_WANTED = "resolve_not_wanted"
    NEVER_ANNOUNCED = "never_announced"
    HISTORICAL = "historical"
    CLIENT_ERROR = "client_error"
    SERVER_ERROR = "server_error"
    AUTH_ERROR = "auth_error"
    RATE_LIMITED = "rate_limited"
    TIMED_OUT = "timed_out"
    CONNECTION_FAILED = "connection_failed"
    GAVE_UP = "gave_up"


class RemediationState(StrEnum):
    """Where a remediation stands."""

    INTENDED = "intended"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused"
    DRY_RUN = "dry_run"


class RemediationReason(StrEnum):
    """Why a playbook acted or did not."""

    MATCHED = "matched"
    DRY_RUN = "dry_run"
    RATE_LIMITED = "rate_limited"
    ALREADY_DONE = "already_done"
    INCIDENT_RESOLVED = "incident_resolved"
    UNCONFIRMED = "unconfirmed"
    DONE = "done"
    ACTION_FAILED = "action_failed"
