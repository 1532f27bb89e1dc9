"""Reader: one source partition's records to samples as columns, and its watermark.

Every refusal is a dead letter with a reason; what stands beside it goes through. Lateness is judged against the
partition's own watermark, sample by sample in the order of the log, so the verdict hangs neither on other partitions
nor on where chunks are cut.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.config import LimitsConfig, TimeConfig
from schemas.dead_letters import DeadLetter, dead_letter
from schemas.reasons import DeadLetterReason
from schemas.wire.columns import Columns, Decoder, times_ms
from schemas.wire.interner import Interner
from streams.time.watermark import BEFORE_ALL
from streams.transport.chunk import Chunk


@dataclass(frozen=True, slots=True)
class Samples:
    """Accepted samples of a chunk, in its order; `ids` are the interner's."""

    ids: NDArray[np.intp]
    times: NDArray[np.int64]
    values: NDArray[np.float64]
    offsets: NDArray[np.int64]


class Reader:
    """Decodes and judges the records of one source partition.

    Attributes:
        newest: largest accepted event time, ms.
        record_time: largest Kafka record time, ms.

    """

    def __init__(
        self, decoder: Decoder, interner: Interner, time: TimeConfig, limits: LimitsConfig
    ) -> None:
        self._decoder = decoder
        self._time = time
        self._limits = limits
        self.interner = interner
        self.newest = BEFORE_ALL
        self.record_time = BEFORE_ALL

    @property
    def watermark(self) -> int:
        """Event time, ms, before which this partition brings nothing more that is not late."""
        return (
            self.newest if self.newest == BEFORE_ALL else self.newest - self._time.allowed_lateness
        )

    def read(self, chunk: Chunk) -> tuple[Samples, list[DeadLetter]]:
        """Samples to keep, and a dead letter for each record or item that is refused."""
        if self.interner.full:
            self.interner.reset()
        columns = self._decoder.decode(chunk.values, self.interner)
        times = times_ms(columns.times)
        values = np.array(columns.values, np.float64)
        records = np.array(columns.records, np.intp)
        stamps = np.array(chunk.timestamps, np.int64)
        kept = self._judge(columns, times, values, stamps[records])
        if len(stamps):
            self.record_time = max(self.record_time, int(stamps.max()))
        if chunk.offsets is None:
            offsets = records.astype(np.int64) + chunk.offset
        else:
            offsets = np.array(chunk.offsets, np.int64)[records]
        ids = np.array(columns.series, np.intp)
        letters = [
            dead_letter(
                reason,
                detail,
                chunk.values[record],
                topic=chunk.topic,
                partition=chunk.partition,
                offset=chunk.offset_of(record),
                record_time=chunk.timestamps[record],
                item=item,
            )
            for record, item, reason, detail in sorted(columns.refused)
        ]
        if kept is None:
            return Samples(ids, times, values, offsets), letters
        return Samples(ids[kept], times[kept], values[kept], offsets[kept]), letters

    def _judge(
        self,
        columns: Columns,
        times: NDArray[np.int64],
        values: NDArray[np.float64],
        stamps: NDArray[np.int64],
    ) -> NDArray[np.bool_] | None:
        """Refuse by value and time; which samples stay, None for all of them."""
        if not len(times):
            return None
        verdicts = (
            (DeadLetterReason.BAD_TIME, times < 0),
            (DeadLetterReason.NOT_FINITE, ~np.isfinite(values)),
            (DeadLetterReason.TOO_FAR_AHEAD, times > stamps + self._time.max_ahead),
            (DeadLetterReason.TOO_OLD, times < stamps - self._time.max_age),
        )
        kept = np.ones(len(times), np.bool_)
        for reason, refused in verdicts:
            self._refuse(columns, refused & kept, reason, times)
            kept &= ~refused
        # the newest accepted time before each sample, in the order of the log
        newest = np.maximum.accumulate(np.where(kept, times, BEFORE_ALL))
        before = np.maximum(np.concatenate(([BEFORE_ALL], newest[:-1])), self.newest)
        late = kept & (times < before - self._time.allowed_lateness)
        self._refuse(columns, late, DeadLetterReason.LATE, times)
        kept &= ~late
        self.newest = max(self.newest, int(newest[-1]))
        return None if kept.all() else kept

    def _refuse(
        self,
        columns: Columns,
        refused: NDArray[np.bool_],
        reason: DeadLetterReason,
        times: NDArray[np.int64],
    ) -> None:
        for at in np.flatnonzero(refused):
            detail = f"ts {columns.times[at]!r} ({times[at]} ms), value {columns.values[at]!r}"
            columns.refuse(columns.records[at], columns.items[at], reason, detail)
