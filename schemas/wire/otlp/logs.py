"""Logs: log records counted by service, severity and template, as `log_records_total`.

A log record without a time has the time at which it was
observed; one without either is refused alone.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.config.limits import LimitsConfig
from schemas.labels import make_labels
from schemas.wire.columns import Columns, Refusal
from schemas.wire.interner import Interner
from schemas.wire.otlp.attributes import any_value, as_text
from schemas.wire.otlp.context import SOURCE_PARTITION, Context
from schemas.wire.otlp.counting import Counting, columns_of, no_room, no_time
from schemas.wire.otlp.layout import to_ms
from schemas.wire.otlp.names import SERVICE
from schemas.wire.otlp.protobuf import last_of, message, span_of, text, uint64
from schemas.wire.otlp.templates import Templates
from schemas.wire.tally import Told

LOG_RECORDS = "log_records_total"
_TIME, _OBSERVED, _NUMBER, _TEXT, _BODY, _EVENT = 0x09, 0x59, 0x10, 0x1A, 0x2A, 0x62
_MESSAGES = ("message", "msg", "body", "event")
"""Where a structured body has its line."""
SEVERITIES = ("trace", "debug", "info", "warn", "error", "fatal")
UNSET = "unset"
_NUMBERS_EACH = 4
_WORDS = {
    **{word: word for word in SEVERITIES},
    "warning": "warn",
    "err": "error",
    "critical": "fatal",
    "information": "info",
}


class _Line(NamedTuple):
    time_ms: int
    service: str
    severity: str
    text: str
    context: Context


class Logs(Counting):
    """Counts the log records of one source partition."""

    def __init__(self, limits: LimitsConfig) -> None:
        super().__init__(limits)
        self._templates = Templates()

    def read(self, record: int, value: bytes, interner: Interner) -> Columns:
        """Columns of what is told because of one record.

        Raises:
            DecodeError: it is no such record, or holds too many log records.

        """
        told: list[Told] = []
        refused: list[Refusal] = []
        for item, line in enumerate(self._items(value, interner, _line)):
            if line.time_ms < 0:
                refused.append(no_time(record, item, "a log record"))
                continue
            told += self._tally.advance(line.time_ms)
            labels = make_labels(
                {
                    **line.context.owner,
                    "severity": line.severity,
                    "template": self._templates.find(line.service, line.text),
                    SOURCE_PARTITION: self._place,
                }
            )
            if not self._tally.count(LOG_RECORDS, labels):
                refused.append(no_room(record, item))
        return columns_of(record, told, refused, interner)

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Columns that `restore` takes."""
        return {**self._tally.snapshot(), **self._templates.snapshot()}

    def restore(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Continue from a snapshot; raises CheckpointError where it is none."""
        self._tally.restore(columns)
        self._templates.restore(columns)


def _line(data: bytes, at: int, end: int, context: Context) -> _Line:
    found = message(data, at, end)
    body = any_value(data, *span_of(found, _BODY))
    if isinstance(body, dict):
        body = next((body[key] for key in _MESSAGES if isinstance(body.get(key), str)), None)
    return _Line(
        to_ms(uint64(data, found, _TIME) or uint64(data, found, _OBSERVED)),
        context.attributes.get(SERVICE, ""),
        _severity(last_of(found, _NUMBER), text(data, *span_of(found, _TEXT))),
        text(data, *span_of(found, _EVENT)) if body is None else as_text(body),
        context,
    )


def _severity(number: int, word: str) -> str:
    """Name of a severity by its number, 1 to 24, else by its text."""
    if 0 < number <= _NUMBERS_EACH * len(SEVERITIES):
        return SEVERITIES[(number - 1) // _NUMBERS_EACH]
    return _WORDS.get(word.lower(), UNSET)
