"""Logs: silence for verbs that answer at once, lines on standard error for workers.

What a verb has to say it says itself; a client library's log is kept only as the reason for an error. Workers log
warnings and errors, in normal operation nothing, and what is said again and again once in a while with a count.
"""

import logging
import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s%(left_out)s"
REPEAT_SECONDS = 10.0
"""A line is not repeated within this time: of a broker that refuses writes the client says it 40 times a second."""
MOST_TEMPLATES = 1000


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


class Repeats:
    """Lets a logger's message through once in `REPEAT_SECONDS`, whatever its arguments, and counts the others.

    The next line that goes through says how many were left out. Times are the records' own.
    """

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def __call__(self, record: logging.LogRecord) -> bool:
        """Whether to print the record; notes on it what was left out before."""
        template = (record.name, str(record.msg))
        at, left_out = self._said.get(template, (-math.inf, 0))
        if record.created < at + REPEAT_SECONDS:
            self._said[template] = at, left_out + 1
            return False
        record.left_out = f" ({left_out} more like it since the last)" if left_out else ""
        # the one that was printed longest ago stands first
        self._said.pop(template, None)
        self._said[template] = record.created, 0
        if len(self._said) > MOST_TEMPLATES:
            del self._said[next(iter(self._said))]
        return True


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
    handler.addFilter(Repeats())
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
