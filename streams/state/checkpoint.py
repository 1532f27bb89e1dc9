"""Checkpoints: a stage's state and the input offset that belongs to it become durable together.

One checkpoint of a partition: freeze state, offset and outbox position in one step without an await;
wait until every output up to that position is delivered; write the snapshot to the state topic; commit
the offset with the pointer to the snapshot as its metadata. After a kill the commit says which state to
load and where to read on, so each record changes the state exactly once and each output leaves at least
once.

Where no commit points to a snapshot, because the group's offsets have expired or were set by hand, the newest one on
the state topic is taken, and reading goes on where it ends, or further on where the hand has put it.

It refuses to go on after a failure: `close` makes every later checkpoint a no-op, because a state that
broke in the middle of a chunk must never be saved. It refuses to start where neither the current
snapshot nor the one before can be read.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Generic, NamedTuple, Protocol

from faust.types import TP

from schemas.errors import CheckpointError
from streams.stage import Freezing, Resuming, Sealing
from streams.state.partition import Partition, S, StageState
from streams.state.pointer import VERSION, Pointer, Position, next_slot
from streams.state.snapshots import SnapshotReader, SnapshotStore
from streams.time.clock import Clock, WallClock

log = logging.getLogger(__name__)


class Group(Protocol):
    """The consumer group as a checkpoint sees it."""

    @property
    def generation(self) -> int:
        """Generation of which this member was told last."""
        ...

    async def commit_positions(
        self, positions: Mapping[TP, tuple[int, str]], generation: int
    ) -> bool:
        """Commit offsets with metadata; False when the group has moved on."""
        ...

    async def committed_positions(self, partitions: Iterable[TP]) -> dict[TP, tuple[int, str]]:
        """Offsets and metadata that the group has committed."""
        ...

    async def log_starts(self, partitions: Iterable[TP]) -> dict[TP, int]:
        """The oldest offset that each partition still has."""
        ...


class Outputs(Protocol):
    """The outbox as a checkpoint sees it."""

    @property
    def position(self) -> int:
        """How many outputs have been put in so far."""
        ...

    async def delivered(self, position: int) -> None:
        """Wait until the first `position` outputs are delivered."""
        ...


class _Saved(NamedTuple, Generic[S]):
    """A partition, its revision that is stored, and where that lies."""

    partition: Partition[S]
    revision: int
    position: Position


class _Committed(NamedTuple):
    """What the group says of a partition: its offset, None for nothing, and where its snapshot lies.

    `pointless` says that nobody has said where it lies, so that it is worth a search.
    """

    offset: int | None
    position: Position | None
    pointless: bool


class Checkpointer(Generic[S]):
    """Partitions of one stage in this process, and their checkpoints; one at a time."""

    def __init__(
        self,
        new_stage: Callable[[str, int], S],
        store: SnapshotStore,
        outputs: Outputs,
        group: Callable[[], Group],
        retired: Callable[[S], None] = lambda _: None,
        clock: Clock | None = None,
        finish: Callable[[TP], None] = lambda _: None,
    ) -> None:
        """`finish` has a partition do what it has put off, before it is saved."""
        self._new_stage = new_stage
        self._store = store
        self._outputs = outputs
        self._group = group
        self._retired = retired
        self._clock = clock or WallClock()
        self._finish = finish
        self._lock = asyncio.Lock()
        self._closed = False
        self.partitions: dict[TP, Partition[S]] = {}
        self.epoch = 0  # counts resumes: a chunk that was fetched before one will be fetched again
        self.commits = 0
        self.restores = 0

    def close(self) -> None:
        """From now on nothing is saved."""
        self._closed = True

    async def checkpoint(self) -> bool:
        """Save every partition that changed; False when the group refused, then they are saved next time.

        Raises:
            KafkaError: an output, a part or the commit was not delivered.

        """
        async with self._lock:
            generation = self._group().generation
            saved: list[_Saved[S]] = []
            for tp in list(self.partitions):
                if self._closed:
                    return True
                self._finish(tp)
                partition = self.partitions.get(tp)
                if partition is not None and partition.dirty:
                    # one after the other: a frozen state takes as much memory as what it was taken of
                    saved.append(await self._save(partition))
            if self._closed or not saved:
                return True
            commit = {each.partition.tp: each.position for each in saved}
            if not await self._group().commit_positions(
                {tp: (at.current.offset, at.to_text()) for tp, at in commit.items()}, generation
            ):
                return False
            for each in saved:
                each.partition.position = each.position
                each.partition.saved = each.revision
            self.commits += 1
            return True

    async def resume(self, mine: set[TP]) -> dict[TP, int]:
        """After a rebalance, flow stopped: the offset from which each of my partitions is to be read.

        A state stays warm when the group's last commit for it is our own; else somebody else has had it
        meanwhile, and it is restored.

        Raises:
            CheckpointError: neither the current nor the previous snapshot of a partition can be read.

        """
        async with self._lock:
            self.epoch += 1
            for tp in self.partitions.keys() - mine:
                self._retire(tp)
            if not mine:
                return {}
            committed = await self._committed(mine)
            cold = {tp: at for tp, at in committed.items() if not self._is_warm(tp, at)}
            for tp, restored in (await self._restore(cold)).items():
                self._retire(tp)
                self.partitions[tp] = restored
            return {tp: self.partitions[tp].next_offset for tp in mine}

    async def _committed(self, tps: Collection[TP]) -> dict[TP, _Committed]:
        """What the group says of these partitions; it says nothing of one that never was, or whose offset expired."""
        found = await self._group().committed_positions(tps)
        return {tp: _read(*found.get(tp, (None, ""))) for tp in tps}

    def _is_warm(self, tp: TP, committed: _Committed) -> bool:
        warm = self.partitions.get(tp)
        return (
            warm is not None
            and warm.position == committed.position
            and warm.next_offset >= (committed.offset or 0)
        )

    def let_go(self, tp: TP) -> None:
        """Forget a partition whose state is worth nothing any more; `reload` brings it back."""
        self._retire(tp)

    async def reload(self, tp: TP) -> int | None:
        """Restore a partition that was let go of; where it goes on, None when it has gone to another member meanwhile.

        Raises:
            CheckpointError: neither the current nor the previous snapshot can be read.

        """
        epoch = self.epoch
        async with self._lock:
            restored = (await self._restore(await self._committed([tp])))[tp]
            if epoch != self.epoch:  # dealt anew, and restored there if it is still ours
                self._retired(restored.stage)
                return None
            self.partitions[tp] = restored
            return restored.next_offset

    def fresh(self, tp: TP) -> S:
        """An empty state for a partition."""
        return self._new_stage(tp.topic, tp.partition)

    def put(self, partition: Partition[S], stage: S) -> None:
        """Let another state, which began as a snapshot of this one, be the partition's."""
        if stage is not partition.stage:
            self._retired(partition.stage)
            partition.stage = stage

    def _retire(self, tp: TP) -> None:
        partition = self.partitions.pop(tp, None)
        if partition is not None:
            self._retired(partition.stage)

    async def _save(self, partition: Partition[S]) -> _Saved[S]:
        """Store what a partition is now; the commit that makes it count is still to come."""
        revision, offset, before = partition.revision, partition.next_offset, partition.position
        seal = _freeze(partition.stage)
        await self._outputs.delivered(self._outputs.position)
        pointer = await self._store.write(
            partition.tp, slot=next_slot(before), offset=offset, seal=seal
        )
        position = Position(VERSION, pointer) if before is None else before.followed_by(pointer)
        return _Saved(partition, revision, position)

    async def _restore(self, cold: Mapping[TP, _Committed]) -> dict[TP, Partition[S]]:
        """States as the group's commits say; where these say nothing, as the state topic does."""
        if not cold:
            return {}
        restored: dict[TP, Partition[S]] = {}
        pointless = [tp for tp, at in cold.items() if at.pointless]
        async with self._store.reader() as reader:
            newest = await self._store.newest(pointless, reader) if pointless else {}
            starts = await self._group().log_starts(
                [tp for tp, at in cold.items() if at.offset is None and tp not in newest]
            )
            for tp, at in sorted(cold.items()):
                if at.position is not None:
                    restored[tp] = await self._load_either(tp, at.position, reader)
                elif tp in newest:
                    restored[tp] = await self._load_found(tp, at, newest[tp], reader)
                else:
                    begin = starts[tp] if at.offset is None else at.offset
                    restored[tp] = Partition(tp, self.fresh(tp), begin)
        return restored

    async def _load_either(
        self, tp: TP, position: Position, reader: SnapshotReader
    ) -> Partition[S]:
        try:
            return await self._load(tp, position.current, reader, position)
        except CheckpointError as error:
            if position.previous is None:
                raise
            log.error("%s: %s; the snapshot before it is used", tp, error)  # noqa: TRY400 - the message says it all
            before = Position(VERSION, position.previous)
            return await self._load(tp, position.previous, reader, before)

    async def _load_found(
        self, tp: TP, at: _Committed, pointer: Pointer, reader: SnapshotReader
    ) -> Partition[S]:
        """A state to which no commit points; it is saved again soon, so that one does."""
        what = "the group has no offset" if at.offset is None else f"offset {at.offset} set by hand"
        log.warning("%s: %s; going on from its newest snapshot, %s", tp, what, pointer)
        found = await self._load(tp, pointer, reader, Position(VERSION, pointer))
        found.skip_to(max(pointer.offset, at.offset or 0))
        return found

    async def _load(
        self, tp: TP, pointer: Pointer, reader: SnapshotReader, position: Position
    ) -> Partition[S]:
        stored = await reader.read(tp, pointer)
        stage = self.fresh(tp)
        stage.restore(stored.snapshot)
        if isinstance(stage, Resuming):
            stage.resumed(max(0, self._clock.now_ms() - stored.written_ms))
        self.restores += 1
        return Partition(tp, stage, pointer.offset, position)


def _freeze(stage: StageState) -> Sealing:
    if isinstance(stage, Freezing):
        return stage.freeze()
    return partial(bytes, stage.snapshot())


def _read(offset: int | None, text: str) -> _Committed:
    return _Committed(offset, Position.from_text(text), pointless=not text)
