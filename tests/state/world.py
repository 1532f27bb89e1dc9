"""A world for checkpoints: a store and a group that live in memory and outlive the workers."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Self

from faust.types import TP

from schemas.errors import CheckpointError
from streams.stage import Sealing
from streams.state.checkpoint import Checkpointer
from streams.state.pointer import Pointer
from streams.state.snapshots import Stored
from streams.time.clock import ManualClock

HERE, THERE = TP("t", 0), TP("t", 1)
WRITTEN_MS = 1_700_000_000_000


class Sum:
    """A stage that adds up."""

    def __init__(self) -> None:
        self.total = 0
        self.away_ms = -1

    def snapshot(self) -> bytes:
        return b"%d" % self.total

    def restore(self, blob: bytes) -> None:
        self.total = int(blob)

    def resumed(self, away_ms: int) -> None:
        self.away_ms = away_ms


class Slow(Sum):
    """One that writes its state down in another thread; `frozen` states wait for that."""

    frozen = 0

    def freeze(self) -> Sealing:
        Slow.frozen += 1
        return partial(self._seal, self.total)

    @staticmethod
    def _seal(total: int) -> bytes:
        Slow.frozen -= 1
        return b"%d" % total


class Store:
    """Snapshots by the number of their write; `lost` ones cannot be read any more."""

    def __init__(self) -> None:
        self.blobs: list[bytes] = []
        self.pointers: dict[TP, Pointer] = {}
        self.searches = 0
        self.lost: set[int] = set()
        self.before_write: Callable[[], None] = lambda: None

    async def write(self, tp: TP, *, slot: int, offset: int, seal: Sealing) -> Pointer:
        self.before_write()
        self.blobs.append(bytes(seal()))
        number = len(self.blobs) - 1
        self.pointers[tp] = Pointer(offset, tp.partition, number, number, 1, slot, 0)
        return self.pointers[tp]

    def reader(self) -> Self:
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    async def newest(self, tps: Iterable[TP], _: "Store") -> dict[TP, Pointer]:
        self.searches += 1
        return {tp: self.pointers[tp] for tp in tps if tp in self.pointers}

    async def read(self, tp: TP, pointer: Pointer) -> Stored:
        if pointer.first in self.lost:
            raise CheckpointError(f"snapshot of {tp} is corrupt")
        return Stored(self.blobs[pointer.first], WRITTEN_MS)


class Group:
    """A consumer group that remembers commits."""

    def __init__(self) -> None:
        self.generation = 1
        self.refusing = False
        self.committed: dict[TP, tuple[int, str]] = {}

    async def commit_positions(
        self, positions: Mapping[TP, tuple[int, str]], generation: int
    ) -> bool:
        if self.refusing or generation != self.generation:
            return False
        self.committed.update(positions)
        return True

    async def committed_positions(self, partitions: Iterable[TP]) -> dict[TP, tuple[int, str]]:
        return {tp: self.committed[tp] for tp in partitions if tp in self.committed}

    async def log_starts(self, partitions: Iterable[TP]) -> dict[TP, int]:
        return dict.fromkeys(partitions, 7)


class Outputs:
    """An outbox that notes what was waited for."""

    position = 3

    def __init__(self) -> None:
        self.waited: list[int] = []
        self.error: Exception | None = None

    async def delivered(self, position: int) -> None:
        self.waited.append(position)
        if self.error is not None:
            raise self.error


class World:
    """What outlives a process: the store and the group; `worker` starts a new process."""

    def __init__(self) -> None:
        self.store, self.group, self.outputs = Store(), Group(), Outputs()
        self.clock = ManualClock(WRITTEN_MS)

    def worker(self, kind: type[Sum] = Sum) -> Checkpointer[Sum]:
        store: Any = self.store
        return Checkpointer(
            lambda _t, _p: kind(), store, self.outputs, lambda: self.group, clock=self.clock
        )


def apply(worker: Checkpointer[Sum], amount: int) -> None:
    """Let the partition apply one record."""
    partition = worker.partitions[HERE]
    partition.stage.total += amount
    partition.next_offset += 1
    partition.touched()


async def saved(world: World, *amounts: int) -> Checkpointer[Sum]:
    """A worker that has saved after each of these records."""
    worker = world.worker()
    await worker.resume({HERE})
    for amount in amounts:
        apply(worker, amount)
        assert await worker.checkpoint()
    return worker
