"""Why a file cannot be replayed, and the error that says so with the file and the line.

Refuses to be raised for the telemetry itself: a recorded message that makes no sense is replayed
as it was, since ingest is the one to judge it.
"""

from enum import StrEnum
from pathlib import Path


class Refusal(StrEnum):
    """What is wrong with a file that is to be replayed."""

    UNREADABLE = "unreadable"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    BAD_ROW = "bad_row"
    BAD_TIME = "bad_time"
    BAD_VALUE = "bad_value"
    BAD_METRIC = "bad_metric"
    BAD_LABELS = "bad_labels"
    NO_TIME_COLUMN = "no_time_column"
    NO_VALUE_COLUMN = "no_value_column"
    NO_SUCH_COLUMN = "no_such_column"
    LATE_COLUMN = "late_column"


class RefusedError(ValueError):
    """One cell, row or table is refused; where it stood is not known here."""

    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class ReplayError(ValueError):
    """A file is refused; `line` counts from 1, and is 0 when no line is to blame."""

    def __init__(self, path: Path, line: int, reason: Refusal, detail: str) -> None:
        place = f"{path}:{line}" if line else str(path)
        super().__init__(f"{place}: {detail} ({reason})")
        self.path, self.line, self.reason = path, line, reason
