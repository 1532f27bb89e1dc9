"""Columns: what a decoder fills from one chunk of records, and what it refused on the way."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.reasons import DeadLetterReason
from schemas.wire.interner import Interner

SECONDS_BELOW = 1e11
"""A number below this is seconds (until the year 5138), above it milliseconds (since March 1973)."""
MILLISECONDS_BELOW = 1e14


class Refusal(NamedTuple):
    """A record of the chunk, or one item of it, that is refused; item -1 is the whole record."""

    record: int
    item: int
    reason: DeadLetterReason
    detail: str


@dataclass(slots=True)
class Columns:
    """Samples of a chunk, in its order.

    Attributes:
        series: id of each sample's label set in the interner.
        times: as written: seconds, milliseconds or RFC 3339.
        values: float each.
        records: index of the record in the chunk.
        items: index of the sample within its record, -1 when the record is one sample.

    """

    series: list[int] = field(default_factory=list)
    times: list[float | int | str] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    records: list[int] = field(default_factory=list)
    items: list[int] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    def refuse(self, record: int, item: int, reason: DeadLetterReason, detail: str) -> None:
        """Note a refusal."""
        self.refused.append(Refusal(record, item, reason, detail))


class Decoder(Protocol):
    """A wire format: fills columns from the values of a chunk and never raises."""

    def decode(self, values: list[bytes | None], interner: Interner) -> Columns:
        """Columns of the samples in these record values."""
        ...


def times_ms(times: list[float | int | str]) -> NDArray[np.int64]:
    """Event times in ms of numbers (seconds or milliseconds, told apart by size) and RFC 3339 texts.

    What is no time gives -1.
    """
    if str in set(map(type, times)):
        return np.fromiter((_one_time(t) for t in times), np.int64, len(times))
    return _numbers_ms(np.array(times, np.float64))


def _numbers_ms(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    ms = np.where(numbers < SECONDS_BELOW, numbers * 1000.0, numbers)
    good = (numbers >= 0) & (numbers < MILLISECONDS_BELOW)
    return np.where(good, np.rint(np.where(good, ms, -1.0)), -1.0).astype(np.int64)


def _one_time(time: float | str) -> int:
    if not isinstance(time, str):
        return int(_numbers_ms(np.array([time], np.float64))[0])
    try:
        stamp = datetime.fromisoformat(time)
    except ValueError:
        return -1
    # RFC 3339 demands an offset: a time without a zone is nobody's time
    return -1 if stamp.tzinfo is None else round(stamp.timestamp() * 1000)
