"""Columns: what a decoder makes of one chunk of records, and what it refused on the way."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from schemas.handles import pick
from schemas.histograms import NativeHistogram
from schemas.reasons import DeadLetterReason, IgnoreReason
from schemas.records import Headers
from schemas.samples import STALE_BITS
from schemas.wire.interner import Interner

SECONDS_BELOW = 1e11
"""A number below this is seconds (until the year 5138), above it milliseconds (since March 1973)."""
MILLISECONDS_BELOW = 1e14
WHOLE = -1
"""Item number of a record that is one sample, and of a refusal of a whole record."""


class Refusal(NamedTuple):
    """A record of the chunk, or one item of it, that is refused; the tenant where it is known."""

    record: int
    item: int
    reason: DeadLetterReason
    detail: str
    tenant: str = ""


@dataclass(slots=True)
class Columns:
    """Samples of a chunk, in its order.

    Attributes:
        series: intp[n], id of each sample's label set in the interner.
        times: int64[n], event time in ms; negative where what was written is no time.
        values: float64[n].
        records: intp[n], index of the record in the chunk, ascending.
        items: intp[n], index of the sample within its record, `WHOLE` when the record is one sample.
        refused: records and items that are not among the samples.
        unread: how many more samples were refused unread, by tenant (where it is known) and reason.
        meant: bool[n], values that are not finite on purpose: stale markers, handles, and NaN and infinity in a format
            that has them; None where there are none.
        histograms: what the handles among the values name, by number.
        ignored: what was left out on purpose, which is no refusal.

    """

    series: NDArray[np.intp]
    times: NDArray[np.int64]
    values: NDArray[np.float64]
    records: NDArray[np.intp]
    items: NDArray[np.intp]
    refused: list[Refusal] = field(default_factory=list)
    unread: Counter[tuple[str, DeadLetterReason]] = field(default_factory=Counter)
    meant: NDArray[np.bool_] | None = None
    histograms: list[NativeHistogram] = field(default_factory=list)
    ignored: Counter[IgnoreReason] = field(default_factory=Counter)

    def refuse(
        self, record: int, item: int, reason: DeadLetterReason, detail: str, tenant: str = ""
    ) -> None:
        """Note a refusal."""
        self.refused.append(Refusal(record, item, reason, detail, tenant))

    def keep(self, mask: NDArray[np.bool_] | NDArray[np.intp]) -> "Columns":
        """The samples where the mask is true, or with these numbers in their order, and all refusals."""
        # to take numbers costs half of what a mask does, for each column
        at = np.flatnonzero(mask) if mask.dtype == np.bool_ else mask
        return Columns(
            self.series[at],
            self.times[at],
            self.values[at],
            self.records[at],
            self.items[at],
            self.refused,
            self.unread,
            None if self.meant is None else self.meant[at],
            self.histograms,
            self.ignored,
        )


def join(parts: Sequence[Columns]) -> Columns:
    """The samples of these parts, one after the other, and their refusals."""
    values = [part.values for part in parts]
    histograms: list[NativeHistogram] = []
    for at, part in enumerate(parts):
        if part.histograms:
            values[at], named = pick(part.values, part.histograms, len(histograms))
            histograms += named
    meant = None
    if any(part.meant is not None for part in parts):
        none = (np.zeros(len(part.values), np.bool_) for part in parts)
        meant = np.concatenate(
            [e if p.meant is None else p.meant for p, e in zip(parts, none, strict=True)]
        )
    return Columns(
        np.concatenate([part.series for part in parts]),
        np.concatenate([part.times for part in parts]),
        np.concatenate(values),
        np.concatenate([part.records for part in parts]),
        np.concatenate([part.items for part in parts]),
        [refusal for part in parts for refusal in part.refused],
        sum((part.unread for part in parts), Counter()),
        meant,
        histograms,
        sum((part.ignored for part in parts), Counter()),
    )


def settled(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
    """Values of a format that has NaN and infinity, and which are not finite, None where all are.

    Stale markers stay what they are, bit by bit; any other NaN becomes the plain one, so that none looks like a handle.
    """
    finite = np.isfinite(values)
    if finite.all():
        return values, None
    plain = np.isnan(values) & (values.view(np.int64) != STALE_BITS)
    return np.where(plain, np.nan, values), ~finite


class Decoder(Protocol):
    """A wire format: makes columns of the values of a chunk and never raises."""

    def decode(
        self,
        values: Sequence[bytes | None],
        interner: Interner,
        headers: Sequence[Headers] | None = None,
        /,
    ) -> Columns:
        """Columns of the samples in these record values; `headers`, where there are any, one entry a value."""
        ...


@runtime_checkable
class Remembering(Decoder, Protocol):
    """A decoder that adds up what comes record by record, and so has a state.

    What it adds up exists once a source partition: such series carry the label `source_partition`.
    """

    def begin(self, topic: str, partition: int) -> None:
        """Say where the next values stand."""
        ...

    def snapshot(self) -> Mapping[str, NDArray[np.generic]]:
        """Columns that `restore` takes."""
        ...

    def restore(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Continue from a snapshot; from nothing where there are no columns.

        Raises:
            CheckpointError: it is none of this decoder.

        """
        ...


def times_ms(times: Sequence[float | str]) -> NDArray[np.int64]:
    """Event times in ms of numbers (seconds or milliseconds, told apart by size) and RFC 3339 texts.

    What is no time gives -1.
    """
    if str in set(map(type, times)):
        return np.fromiter((_one_time(t) for t in times), np.int64, len(times))
    try:
        return numbers_ms(np.array(times, np.float64))
    except OverflowError:  # of a whole number of hundreds of digits
        return np.fromiter((_one_time(t) for t in times), np.int64, len(times))


def numbers_ms(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """The same of numbers alone."""
    good = (numbers >= 0) & (numbers < MILLISECONDS_BELOW)
    numbers = np.where(good, numbers, -1.0)
    ms = np.where(good & (numbers < SECONDS_BELOW), numbers * 1000.0, numbers)
    return np.rint(ms).astype(np.int64)


def _one_time(time: float | str) -> int:
    if not isinstance(time, str):
        within = max(-1.0, min(time, MILLISECONDS_BELOW))
        return int(numbers_ms(np.array([within]))[0])
    try:
        stamp = datetime.fromisoformat(time)
    except ValueError:
        return -1
    # RFC 3339 demands an offset: a time without a zone is nobody's time
    return -1 if stamp.tzinfo is None else round(stamp.timestamp() * 1000)
