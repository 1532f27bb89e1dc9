"""Fetched records to chunks: drains aiokafka's fetcher batch by batch instead of record by record.

aiokafka keeps what a fetch brought as unparsed batches; building one of its record objects costs about 1
microsecond, a loop over the parsed batch a tenth of that. The position moves on exactly as far as the
chunk reaches. It touches privates of aiokafka 0.14.0, which is therefore pinned.

It refuses a batch with a wrong checksum: what came before it is handed on, the batch itself is fetched
again, and if it is the first one the error is raised.
"""

# ruff: noqa: SLF001 - aiokafka has no public way to whole batches, nor to metadata of many partitions

from array import array
from collections.abc import Set as AbstractSet
from typing import Any

from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult
from aiokafka.errors import CorruptRecordException
from faust.types import TP

from schemas.records import Headers
from streams.transport.batches import Batch, end_of, find_places
from streams.transport.chunk import Chunk


class Fetched:
    """Batches of one partition that a fetch has brought: a chunk, but for the records' own objects.

    They are made by whoever works on the chunk, in its own thread: made in the thread of the fetch they would have to
    come over from the other core's cache.
    """

    __slots__ = (
        "_batches",
        "_want_headers",
        "_want_keys",
        "fetch_offset",
        "highwater",
        "next_offset",
        "partition",
        "topic",
    )

    def __init__(
        self,
        topic: str,
        partition: int,
        *,
        fetch_offset: int,
        next_offset: int,
        batches: list[Batch],
        highwater: int | None = None,
        want_keys: bool = False,
        want_headers: bool = False,
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.fetch_offset = fetch_offset
        self.next_offset = next_offset
        self.highwater = highwater
        self._batches = batches
        self._want_keys = want_keys
        self._want_headers = want_headers

    def __repr__(self) -> str:
        covered = f"[{self.fetch_offset}, {self.next_offset})"
        return f"<Fetched {self.topic}-{self.partition} {covered}>"

    def unpack(self) -> Chunk:
        """The chunk; only once, for the batches are let go of."""
        batches, self._batches = self._batches, []
        plain = not self._want_keys and not self._want_headers
        places = find_places(batches, self.fetch_offset, self.next_offset) if plain else None
        if places is not None:
            return Chunk(
                self.topic,
                self.partition,
                fetch_offset=self.fetch_offset,
                next_offset=self.next_offset,
                values=places.values,
                timestamps=array("q", places.times.tobytes()),
                offsets=array("q", places.offsets.tobytes()),
                highwater=self.highwater,
            )
        values: list[bytes | None] = []
        keys: list[bytes | None] = []
        headers: list[Headers] = []
        timestamps: list[int] = []
        offsets: list[int] = []
        for batch in (each.records for each in batches):
            if plain and batch.base_offset >= self.fetch_offset:
                records = [*batch]
                values += [record.value for record in records]
                timestamps += [record.timestamp for record in records]
                if len(records) == batch.next_offset - batch.base_offset:
                    offsets += range(batch.base_offset, batch.next_offset)
                else:
                    offsets += [record.offset for record in records]
                continue
            for record in batch:
                if record.offset < self.fetch_offset:
                    continue
                offsets.append(record.offset)
                timestamps.append(record.timestamp)
                values.append(record.value)
                keys.append(record.key)
                headers.append(tuple(record.headers))
        return Chunk(
            self.topic,
            self.partition,
            fetch_offset=self.fetch_offset,
            next_offset=self.next_offset,
            values=values,
            timestamps=timestamps,
            keys=keys if self._want_keys else None,
            headers=headers if self._want_headers else None,
            offsets=offsets,
            highwater=self.highwater,
        )


def gather(
    topic: str,
    partition: int,
    fetched: Any,
    *,
    highwater: int | None,
    want_keys: bool,
    want_headers: bool,
) -> Fetched:
    """All that an aiokafka `PartitionRecords` still holds; moves its position on.

    Raises:
        CorruptRecordException: its first batch has a wrong checksum.

    """
    records = fetched._records
    committed_only = fetched._isolation_level == READ_COMMITTED
    batches: list[Batch] = []
    start = position = fetched.next_fetch_offset
    end = 0
    while records.has_next():
        batch = records.next_batch()
        begin, end = end, end_of(records.kept, end)
        if fetched._check_crcs and not batch.validate_crc():
            if position > start:
                break
            raise CorruptRecordException(f"invalid checksum in {topic}-{partition} at {position}")
        aborted = committed_only and _aborted(fetched, batch)
        if not (batch.is_control_batch or aborted):
            batches.append(Batch(batch, records.kept, begin, end))
        position = max(position, batch.next_offset)
    fetched.next_fetch_offset = position
    # aiokafka's own iterator, unused, refers back to its records: a cycle that would keep a megabyte until it is found
    fetched._records_iterator = None
    return Fetched(
        topic,
        partition,
        fetch_offset=start,
        next_offset=position,
        batches=batches,
        highwater=highwater,
        want_keys=want_keys,
        want_headers=want_headers,
    )


def _aborted(fetched: Any, batch: Any) -> bool:
    """Whether the batch belongs to a transaction that was given up; the same steps as in aiokafka."""
    if batch.producer_id is None:
        return False
    fetched._consume_aborted_up_to(batch.base_offset)
    if batch.is_control_batch and fetched._contains_abort_marker(batch):
        # what the producer writes from here on is of its next transaction
        fetched._aborted_producers.discard(batch.producer_id)
    return batch.is_transactional and batch.producer_id in fetched._aborted_producers


def drain(
    fetcher: Any,
    active: AbstractSet[TP] | None,
    *,
    want_keys: bool,
    want_headers: bool,
    held: AbstractSet[TP] = frozenset(),
) -> dict[Any, list[Fetched]]:
    """What is to become a chunk for each active partition for which the fetcher holds something.

    What is there of a partition in `held` stays, and while it does aiokafka fetches nothing more of it.

    Raises:
        KafkaError: what a fetch met with, when no other partition has something to hand on first.

    """
    chunks: dict[Any, list[Fetched]] = {}
    for tp in list(fetcher._records):
        if tp in held or (active and tp not in active):
            if not fetcher._subscriptions.is_assigned(tp):
                del fetcher._records[tp]
            continue
        result = fetcher._records[tp]
        if not isinstance(result, FetchResult):
            if chunks:
                return chunks
            _discard(fetcher, tp)
            result.check_raise()
            continue
        try:
            chunk = _take(result, tp, want_keys=want_keys, want_headers=want_headers)
        except CorruptRecordException:
            _discard(fetcher, tp)
            if chunks:
                return chunks
            raise
        _discard(fetcher, tp)
        if chunk is not None:
            chunks[tp] = [chunk]
    return chunks


def _take(result: Any, tp: Any, *, want_keys: bool, want_headers: bool) -> Fetched | None:
    if not result.has_more() or not result.check_assignment(tp):
        return None
    state = result._assignment.state_value(tp)
    chunk = gather(
        tp.topic,
        tp.partition,
        result._partition_records,
        highwater=state.highwater,
        want_keys=want_keys,
        want_headers=want_headers,
    )
    result._update_position()
    return chunk if chunk.next_offset > chunk.fetch_offset else None


def _discard(fetcher: Any, tp: Any) -> None:
    """Forget what was fetched, and let the fetcher fetch on."""
    del fetcher._records[tp]
    fetcher._notify(fetcher._wait_consume_future)
