"""IngestStage: the pure stage of one source partition.

Its state: the newest event time and record time, and what its limits remember: which series there are, quotas.
"""

from collections.abc import Iterable

import msgspec

from schemas import topics
from schemas.config import Config, SourceConfig
from schemas.errors import CheckpointError
from schemas.samples import encode_batch, make_batch
from schemas.scrub import Scrubber
from schemas.wire.asking import Answers
from streams.ingest.identity import make_interner, make_source_decoder
from streams.ingest.reader import Reader
from streams.ingest.shuffle import make_batches
from streams.letters import letter_record
from streams.stage import Figure, Outgoing, Sealing
from streams.state.codec import decode, freeze
from streams.time.idle import Idle
from streams.time.watermark import BEFORE_ALL
from streams.transport.chunk import Chunk

VERSION = 1


def make_reader(config: Config, source: SourceConfig, *, partitions: int) -> Reader:
    """Reader of one source partition as configured; `partitions` is the number of detect partitions."""
    interner = make_interner(config, source, partitions=partitions)
    decoder = make_source_decoder(config, source)
    return Reader(decoder, interner, config.time, config.limits)


def _first(blob: bytes) -> dict[str, int]:
    """What the first form of a snapshot, JSON, tells: it knew two times, and no limits."""
    try:
        told: dict[str, int] = msgspec.json.decode(blob, type=dict[str, int])
        return {"newest": told["newest"], "read_until": told["record_time"]}
    except (msgspec.MsgspecError, KeyError) as error:
        raise CheckpointError(f"snapshot of ingest: {error!r}") from error


def _batch_record(value: bytes, target: int, record_time: int) -> Outgoing:
    return Outgoing(topics.SAMPLES, value, partition=target, timestamp_ms=record_time)


class IngestStage:
    """Records of one source partition to batches on tocsin.samples and dead letters."""

    def __init__(self, config: Config, source: SourceConfig, topic: str, partition: int) -> None:
        self._partitions = config.kafka.partitions
        self._idle_after_ms = config.time.idle_after
        # a partition that gets no samples needs the watermark only when it passes a tick
        self._tick_ms = config.time.tick
        self._told = [BEFORE_ALL // self._tick_ms] * self._partitions
        self._reader = make_reader(config, source, partitions=self._partitions)
        self._topic = topic
        self._partition = partition

    @property
    def newest(self) -> int:
        """Largest accepted event time, ms."""
        return self._reader.newest

    def wanted(self, chunk: Chunk) -> set[int]:
        """Ids of schemas that are to be learnt before this chunk is applied."""
        return self._reader.wanted(chunk)

    def learn(self, answers: Answers) -> None:
        """Take in schemas."""
        self._reader.learn(answers)

    @property
    def scrubber(self) -> Scrubber | None:
        """What replaces personal data."""
        return self._reader.interner.labelling.scrubber

    def apply(self, chunk: Chunk) -> list[Outgoing]:
        """What goes to tocsin.samples and tocsin.dead-letters because of a chunk."""
        if not len(chunk):
            return []
        reader = self._reader
        samples, letters = reader.read(chunk)
        out = [letter_record(letter) for letter in letters]
        tick = reader.watermark // self._tick_ms
        untold = {p for p, told in enumerate(self._told) if told < tick}
        for target, batch in make_batches(
            samples,
            reader.interner,
            topic=self._topic,
            partition=self._partition,
            watermark=reader.watermark,
            record_time=reader.record_time,
            partitions=self._partitions,
        ):
            out.append(_batch_record(encode_batch(batch), target, reader.record_time))
            if batch.late_at is None:
                self._told[target] = tick
                untold.discard(target)
        if untold:
            out += self._tell(untold, reader.watermark, reader.record_time)
            for target in untold:
                self._told[target] = tick
        return out

    def _tell(
        self, targets: Iterable[int], watermark: int, record_time: int, *, idle: bool = False
    ) -> list[Outgoing]:
        """A batch without samples for each of these detect partitions."""
        batch = make_batch(
            self._topic, self._partition, watermark=watermark, record_time=record_time, idle=idle
        )
        value = encode_batch(batch)
        return [_batch_record(value, target, record_time) for target in sorted(targets)]

    @property
    def series(self) -> int:
        """Series that the limits remember."""
        return self._reader.interner.tenants.total

    def figures(self) -> list[Figure]:
        """Refused records and samples."""
        return self._reader.limits.figures()

    def apply_event(self, event: object) -> list[Outgoing]:
        """Take in that there is nothing to read; the verdict goes to every detect partition as a record."""
        assert isinstance(event, Idle)
        watermark = max(self._reader.watermark, event.at_ms - self._idle_after_ms)
        return self._tell(range(self._partitions), watermark, event.at_ms, idle=True)

    def freeze(self) -> Sealing:
        """Newest times of this partition, and what its limits remember."""
        columns, facts = self._reader.snapshot()
        return freeze(columns, kind="ingest", version=VERSION, meta=facts)

    def snapshot(self) -> bytes:
        """The same as bytes."""
        return bytes(self.freeze()())

    def restore(self, blob: bytes) -> None:
        """Continue from a snapshot.

        Raises:
            CheckpointError: it cannot be read.

        """
        if blob.startswith(b"{"):
            self._reader.restore({}, _first(blob))
            return
        state = decode(blob, kind="ingest", version=VERSION)
        self._reader.restore(state.columns, state.meta)
