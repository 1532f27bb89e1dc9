"""Logs: silence for verbs that answer at once, lines on standard error for workers.

What a verb has to say it says itself; a client library's log is kept only as the reason for an error. Workers log
warnings and errors, in normal operation nothing.
"""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"


# What the Kafka clients say whenever a worker joins or leaves, which is no reason to look.
_ROUTINE = (
    "because it is rebalancing",
    "GroupCoordinatorNotAvailableError",
    "NotCoordinatorForGroupError",
    "when flow not active",
)


def _is_news(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    return not any(routine in text for routine in _ROUTINE)


class LastWord(logging.Handler):
    """Keeps the last message of the Kafka client, and prints nothing."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        if record.name.startswith("aiokafka"):
            self.text = record.getMessage().rstrip(": ")


@contextmanager
def quiet() -> Iterator[LastWord]:
    """While the block runs nothing is logged to the terminal; what was said last is kept."""
    kept = LastWord()
    with _handled_by(kept):
        yield kept


@contextmanager
def logging_to_stderr() -> Iterator[None]:
    """While the block runs warnings and errors are lines on standard error, with times in UTC."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = logging.Formatter(FORMAT, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.setLevel(logging.WARNING)
    handler.addFilter(_is_news)
    with _handled_by(handler):
        yield


@contextmanager
def _handled_by(handler: logging.Handler) -> Iterator[None]:
    root = logging.getLogger()
    before = list(root.handlers)
    root.handlers[:] = [handler]
    try:
        yield
    finally:
        root.handlers[:] = before
