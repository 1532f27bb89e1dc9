"""The enums of "why": each refusal, change and outcome names one of these.

They are stored in records, shown to people and used as metric labels, so a value, once released, never
changes its meaning.
"""

from enum import StrEnum


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
    MALFORMED = "malformed"
    STAGE_FAILED = "stage_failed"


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


class ReloadReason(StrEnum):
    """How an attempt to take over changed rule files ended."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


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


class JoinReason(StrEnum):
    """Why an alert went into the incident that it is in."""

    FIRST_OF_GROUP = "first_of_group"
    SAME_GROUP = "same_group"
    CALL_GRAPH = "call_graph"
    REOPENED_WITHIN_WINDOW = "reopened_within_window"


class AnnounceReason(StrEnum):
    """Why people are to be told now; Alertmanager's notification reasons."""

    FIRST_NOTIFICATION = "first notification"
    NEW_ALERTS_ADDED = "new alerts added"
    SOME_ALERTS_RESOLVED = "some alerts resolved"
    ALL_ALERTS_RESOLVED = "all alerts resolved"
    REPEAT_INTERVAL_ELAPSED = "repeat interval elapsed"


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
