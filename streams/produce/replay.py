"""The past again: files merged by event time, moved to another time, and paced.

Each file keeps its own order, so what came late then comes late again; between files the order is
event time, and at the same time the order in which the files were named.
Refuses to know the time: clock and sleep come in.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import merge
from itertools import chain
from pathlib import Path

import msgspec

from streams.produce.columns import Columns
from streams.produce.event_time import shift
from streams.produce.files import records_of
from streams.produce.telemetry import Record

WHOLE = Columns()


def read(paths: Sequence[Path], columns: Columns = WHOLE) -> Iterator[Record]:
    """Yield the records of all files, merged by event time; ReplayError names file and line.

    Takes one open file a path, and memory for one line of each.
    """
    ordered = [_ordered(records_of(path, columns)) for path in paths]
    return (record for _, record in merge(*ordered, key=lambda pair: pair[0]))


def _ordered(records: Iterable[Record]) -> Iterator[tuple[int, Record]]:
    """Give each record the latest time so far, for a late one must not hold up the merge."""
    latest_ms = None
    for record in records:
        latest_ms = max(record.timestamp_ms, latest_ms or record.timestamp_ms)
        yield latest_ms, record


def span_of(records: Iterable[Record]) -> int:
    """Milliseconds from the first record to the latest one; 0 for none."""
    times = (record.timestamp_ms for record in records)
    first_ms = next(times, 0)
    return max(max(times, default=first_ms) - first_ms, 0)


def begin_ms(now_ms: int, span_ms: int, speed: float) -> int:
    """Event time to begin with so that none lies in the future when it is sent, at `speed` times real speed.

    What is ahead of the clock would be refused: by Kafka (`message.timestamp.after.max.ms`, an hour) and by ingest.
    """
    return now_ms - max(round(span_ms - span_ms / speed), 0)


def shift_to(records: Iterable[Record], at_ms: int) -> Iterator[Record]:
    """Move all event times alike, so that the first record's becomes `at_ms`.

    A message that is no JSON is left as it is, but for its record's time; so is a sample that
    has no readable time.
    """
    remaining = iter(records)
    first = next(remaining, None)
    if first is None:
        return
    by_ms = at_ms - first.timestamp_ms
    for record in chain([first], remaining):
        yield Record(record.key, _shifted(record.value, by_ms), record.timestamp_ms + by_ms)


def _shifted(value: bytes, by_ms: int) -> bytes:
    try:
        document = msgspec.json.decode(value)
    except ValueError:
        return value
    for part in document if isinstance(document, list) else [document]:
        with suppress(ValueError, TypeError, KeyError):
            part["ts"] = shift(part["ts"], by_ms)
    return msgspec.json.encode(document)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast to go: `speed` event seconds a second, by a monotonic clock in seconds."""

    speed: float
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]

    def __post_init__(self) -> None:
        if not self.speed > 0.0:
            raise ValueError(f"a speed is above zero: {self.speed}")


async def paced(records: Iterable[Record], pace: Pace) -> AsyncIterator[Record]:
    """Yield each record when its time has come, the first at once; late ones do not wait.

    An infinite speed never waits. Falling behind is made up for: the beat is the first record's.
    """
    began: tuple[int, float] | None = None
    for record in records:
        first_ms, began_seconds = began = began or (record.timestamp_ms, pace.clock())
        due_seconds = (record.timestamp_ms - first_ms) / 1000.0 / pace.speed
        wait_seconds = due_seconds - (pace.clock() - began_seconds)
        if wait_seconds > 0.0:
            await pace.sleep(wait_seconds)
        yield record
