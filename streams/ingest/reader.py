"""Reader: one source partition's records to samples as columns, and its watermark.

Every refusal is a dead letter with a reason; what stands beside it goes through. Lateness is judged against the
partition's own watermark before its record, in the order of the log, so the verdict hangs neither on other partitions
nor on where chunks are cut. A late sample that is behind by no more than `time.amend_within` is accepted, and marked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.config import LimitsConfig, TimeConfig
from schemas.dead_letters import DeadLetter, dead_letter
from schemas.histograms import NativeHistogram
from schemas.reasons import DeadLetterReason, IgnoreReason
from schemas.samples import Int64s
from schemas.wire.asking import Answers, Asking
from schemas.wire.columns import Columns, Decoder, Remembering, join
from schemas.wire.interner import Interner
from streams.ingest.limits import MINUTE_SECONDS, Limits
from streams.time.watermark import BEFORE_ALL
from streams.transport.chunk import Chunk

LEAP_MS = 60_000
"""A record may be dated so much after the log before it and after its reading; more is no time but a wrong clock."""
DECODER = "decoder."
"""Before the names of a decoder's columns in a checkpoint."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Accepted samples of a chunk, in its order; `ids` are the interner's, handles among `values` name histograms.

    `late_at` is for each late sample the watermark before its record, `BEFORE_ALL` for the others; None where none is.
    """

    ids: NDArray[np.intp]
    times: NDArray[np.int64]
    values: NDArray[np.float64]
    offsets: NDArray[np.int64]
    histograms: Sequence[NativeHistogram] = ()
    late_at: NDArray[np.int64] | None = None

    def keep(self, mask: NDArray[np.bool_]) -> "Samples":
        """The samples where the mask is true."""
        return Samples(
            self.ids[mask],
            self.times[mask],
            self.values[mask],
            self.offsets[mask],
            self.histograms,
            None if self.late_at is None else self.late_at[mask],
        )


def parted(samples: Samples) -> list[Samples]:
    """Late samples and then the others, which alone say how far a source has come; these may be none."""
    if samples.late_at is None:
        return [samples]
    late = samples.late_at > BEFORE_ALL
    return [samples.keep(late), replace(samples.keep(~late), late_at=None)]


class Reader:
    """Decodes and judges the records of one source partition.

    Attributes:
        newest: largest accepted event time, ms; of a sample ahead of its record the record's.
        record_time: largest Kafka record time, ms.
        limits: what is counted, and which limits hold.

    """

    def __init__(
        self, decoder: Decoder, interner: Interner, time: TimeConfig, limits: LimitsConfig
    ) -> None:
        self._decoder = decoder
        # a look at a protocol takes ten microseconds, as long as a small chunk may
        self._asking = decoder if isinstance(decoder, Asking) else None
        self._remembering = decoder if isinstance(decoder, Remembering) else None
        self._time = time
        self.interner = interner
        self.limits = Limits(limits, interner)
        self.newest = BEFORE_ALL
        self.record_time = BEFORE_ALL

    @property
    def watermark(self) -> int:
        """Event time, ms, before which this partition brings nothing more that is not late."""
        return (
            self.newest if self.newest == BEFORE_ALL else self.newest - self._time.allowed_lateness
        )

    def wanted(self, chunk: Chunk) -> set[int]:
        """Ids of schemas that are to be learnt before this chunk is read."""
        if self._asking is None:
            return set()
        return self._asking.wanted(chunk.values, chunk.headers)

    def learn(self, answers: Answers) -> None:
        """Take in schemas."""
        if self._asking is not None:
            self._asking.learn(answers)

    def read(self, chunk: Chunk) -> tuple[Samples, list[DeadLetter]]:
        """Samples to keep, and dead letters for what is refused: of a tenant's flood only the first of each minute."""
        self.limits.compact()
        if self._remembering is not None:
            self._remembering.begin(chunk.topic, chunk.partition)
        stamps = self._believed(chunk)
        if len(stamps):
            self.record_time = max(self.record_time, int(stamps.max()))
        seconds = self.limits.advance(stamps)
        # limits change their mind when a minute begins, wherever chunks are cut
        turns: list[int] = []
        if len(stamps) and seconds[0] // MINUTE_SECONDS < seconds[-1] // MINUTE_SECONDS:
            turns = (np.flatnonzero(np.diff(seconds // MINUTE_SECONDS)) + 1).tolist()
        letters: list[DeadLetter] = []
        parts = []
        late: list[NDArray[np.int64] | None] = []
        for first, last in pairwise([0, *turns, len(chunk)]):
            part, late_at = self._read(chunk, first, last, stamps, seconds, letters)
            parts.append(part)
            late.append(late_at)
        columns = parts[0] if len(parts) == 1 else join(parts)
        if chunk.offsets is None:
            offsets = columns.records + chunk.offset
        else:
            offsets = np.array(chunk.offsets, np.int64)[columns.records]
        samples = Samples(
            columns.series,
            columns.times,
            columns.values,
            offsets,
            columns.histograms,
            _together(late, parts),
        )
        return samples, letters

    def _believed(self, chunk: Chunk) -> Int64s:
        """Record times; one that leaps ahead of the log and of the reader's clock counts as of the later of these."""
        stamps = np.array(chunk.timestamps, np.int64)
        if chunk.read_at_ms is None or not len(stamps):
            return stamps
        newest = max(chunk.read_at_ms, self.record_time)
        if int(stamps.max()) <= newest + LEAP_MS:
            return stamps
        before = np.maximum.accumulate(np.concatenate(([newest], stamps[:-1])))
        if (stamps <= before + LEAP_MS).all():
            return stamps
        for at, stamp in enumerate(stamps.tolist()):
            if stamp > newest + LEAP_MS:
                stamps[at] = newest
                self.limits.ignored[IgnoreReason.RECORD_TIME_AHEAD] += 1
            else:
                newest = max(newest, stamp)
        return stamps

    def _read(
        self,
        chunk: Chunk,
        first: int,
        last: int,
        stamps: NDArray[np.int64],
        seconds: NDArray[np.int64],
        letters: list[DeadLetter],
    ) -> tuple[Columns, NDArray[np.int64] | None]:
        """Samples to keep of the records from `first` up to `last`, which are of one minute, and `Samples.late_at`."""
        if first < last:
            self.limits.turn(int(seconds[first]) // MINUTE_SECONDS)
        headers = None if chunk.headers is None else chunk.headers[first:last]
        columns = self._decoder.decode(chunk.values[first:last], self.interner, headers)
        if first:
            columns.records += first
            columns.refused = [r._replace(record=r.record + first) for r in columns.refused]
        self.limits.hear(columns)
        columns = self.limits.without_dropped(columns)
        within = self.limits.within_quota(columns, seconds[columns.records])
        kept = columns
        if within is not None:
            self.limits.refuse(columns, ~within, DeadLetterReason.RATE_LIMITED)
            kept = columns.keep(within)
        kept, late_at = self._judge(kept, stamps[kept.records])
        letters += [
            dead_letter(
                refusal.reason,
                refusal.detail,
                chunk.values[refusal.record],
                topic=chunk.topic,
                partition=chunk.partition,
                offset=chunk.offset_of(refusal.record),
                record_time=chunk.timestamps[refusal.record],
                item=refusal.item,
                scrubber=self.interner.labelling.scrubber,
            )
            for refusal in self.limits.letters(columns.refused)
        ]
        return kept, late_at

    def _judge(
        self, columns: Columns, stamps: NDArray[np.int64]
    ) -> tuple[Columns, NDArray[np.int64] | None]:
        """Refuse by value and time; the samples that stay, and `Samples.late_at` of them."""
        times = columns.times
        if not len(times):
            return columns, None
        ahead = times - stamps
        least, most = int(times.min()), int(ahead.max())
        if (
            least >= 0
            and -self._time.max_age <= int(ahead.min()) <= most <= self._time.max_ahead
            and np.isfinite(columns.values).all()
        ):
            newest = int((np.minimum(times, stamps) if most > 0 else times).max())
            newest = max(self.newest, newest)
            if least >= newest - self._time.allowed_lateness:
                # none is late, whatever their order: nearly all chunks are like that
                self.newest = newest
                return columns, None
        return self._judge_each(columns, stamps)

    def _judge_each(
        self, columns: Columns, stamps: NDArray[np.int64]
    ) -> tuple[Columns, NDArray[np.int64]]:
        """The same where something may have to be refused."""
        times, values = columns.times, columns.values
        late_at = np.full(len(times), BEFORE_ALL, np.int64)
        not_finite = ~np.isfinite(values)
        if columns.meant is not None:
            not_finite &= ~columns.meant
        verdicts = (
            (DeadLetterReason.BAD_TIME, times < 0),
            (DeadLetterReason.NOT_FINITE, not_finite),
            (DeadLetterReason.TOO_FAR_AHEAD, times > stamps + self._time.max_ahead),
            (DeadLetterReason.TOO_OLD, times < stamps - self._time.max_age),
        )
        kept = np.ones(len(times), np.bool_)
        for reason, refused in verdicts:
            if refused.any():
                self.limits.refuse(columns, refused & kept, reason)
                kept &= ~refused
        # the newest accepted time before each sample, in the order of the log; whose clock is ahead of the log's own
        # time moves it no further than that, or all others would be late
        newest = np.maximum.accumulate(np.where(kept, np.minimum(times, stamps), BEFORE_ALL))
        before = np.maximum(np.concatenate(([BEFORE_ALL], newest[:-1])), self.newest)
        behind = np.flatnonzero(kept & (times < before - self._time.allowed_lateness))
        if len(behind):
            # all samples of a record came when it did
            first = np.searchsorted(columns.records, columns.records[behind])
            watermark = before[first] - self._time.allowed_lateness
            late_at[behind] = np.where(times[behind] < watermark, watermark, BEFORE_ALL)
            amends = times[behind] >= watermark - self._time.amend_within
            refused = np.zeros(len(times), np.bool_)
            refused[behind] = (late_at[behind] > BEFORE_ALL) & ~amends
            if refused.any():
                self.limits.refuse(columns, refused, DeadLetterReason.LATE)
                kept &= ~refused
        self.newest = max(self.newest, int(newest[-1]))
        return (columns, late_at) if kept.all() else (columns.keep(kept), late_at[kept])

    def snapshot(self) -> tuple[dict[str, NDArray[np.generic]], dict[str, Any]]:
        """Columns and small facts that `restore` takes."""
        columns, facts = self.limits.snapshot()
        if self._remembering is not None:
            columns |= {DECODER + name: c for name, c in self._remembering.snapshot().items()}
        return columns, {**facts, "newest": self.newest, "read_until": self.record_time}

    def restore(self, columns: Mapping[str, NDArray[np.generic]], facts: Mapping[str, Any]) -> None:
        """Continue from a snapshot.

        Raises:
            CheckpointError: it is none of a reader.

        """
        if columns:  # the first version had no limits
            self.limits.restore(columns, facts)
        if self._remembering is not None:
            own = {k.removeprefix(DECODER): c for k, c in columns.items() if k.startswith(DECODER)}
            self._remembering.restore(own)
        self.newest, self.record_time = facts["newest"], facts["read_until"]


def _together(
    late: Sequence[NDArray[np.int64] | None], parts: Sequence[Columns]
) -> NDArray[np.int64] | None:
    """`Samples.late_at` of all parts of a chunk."""
    if all(each is None or (each == BEFORE_ALL).all() for each in late):
        return None
    return np.concatenate(
        [
            np.full(len(part.times), BEFORE_ALL, np.int64) if each is None else each
            for each, part in zip(late, parts, strict=True)
        ]
    )
