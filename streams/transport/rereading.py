"""Rereading: partitions whose stage raised are restored from their last checkpoint and read once more from there.

A stage that raised is half changed and worth nothing. Its partition is let go of at once, so nothing of it is saved,
then restored; the fetch goes back to where the checkpoint stands, and chunks that were on their way before that are
passed over. When the offsets come by again at which it raised, `streams.poison` finds the records that are to blame.

It refuses nothing: what cannot be restored fails as it would at a restart.
"""

import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

from aiokafka.structs import TopicPartition
from faust.types import TP

from streams.letters import letter_record
from streams.poison import SURROUNDINGS, isolate
from streams.stage import Deferring, Outgoing, Stage
from streams.state.checkpoint import Checkpointer
from streams.state.partition import Partition
from streams.transport.app import ChunkApp
from streams.transport.chunk import Chunk
from streams.transport.fetch import Fetched

log = logging.getLogger(__name__)

StageT = TypeVar("StageT", bound=Stage)


class Rereading(Generic[StageT]):
    """The partitions of one runner that are read once more.

    Attributes:
        poisoned: how many records were set aside.

    """

    def __init__(
        self,
        checkpointer: Checkpointer[StageT],
        app: ChunkApp,
        attend: Callable[[str, Coroutine[Any, Any, None]], None],
    ) -> None:
        self._checkpointer = checkpointer
        self._app = app
        self._attend = attend
        self._suspects: dict[TP, int] = {}
        self._going_back: set[TP] = set()
        self.poisoned = 0

    def apply(self, partition: Partition[StageT], chunk: Chunk) -> Sequence[Outgoing] | None:
        """What is to be sent because of a chunk; None when its stage raised, and it will come again.

        Raises:
            Exception: what the stage raised, where it is no record's fault.

        """
        if not chunk.values:
            return ()
        if self._suspected(partition.tp, chunk):
            found = isolate(partition.stage, chunk, lambda: self._checkpointer.fresh(partition.tp))
            self._checkpointer.put(partition, found.stage)
            self.poisoned += len(found.letters)
            return [*map(letter_record, found.letters), *found.outputs]
        stage: object = partition.stage
        take = stage.arrive if isinstance(stage, Deferring) else partition.stage.apply
        return self._tried(partition.tp, chunk.next_offset, lambda: take(chunk))

    def catch_up(self, partition: Partition[StageT]) -> Sequence[Outgoing] | None:
        """What is to be sent because of what a stage has put off; None when it raised, and its records come again.

        Raises:
            Exception: what the stage raised, where it is no record's fault.

        """
        stage: object = partition.stage
        if not isinstance(stage, Deferring):
            return ()
        return self._tried(partition.tp, partition.next_offset, stage.catch_up)

    def _tried(
        self, tp: TP, next_offset: int, work: Callable[[], Sequence[Outgoing]]
    ) -> Sequence[Outgoing] | None:
        try:
            return work()
        except SURROUNDINGS:
            raise
        except Exception:
            log.exception("the stage of %s failed before offset %d", tp, next_offset)
            self._begin(tp, next_offset)
            return None

    def _begin(self, tp: TP, next_offset: int) -> None:
        self._checkpointer.let_go(tp)
        self._suspects[tp] = max(next_offset, self._suspects.get(tp, 0))
        self._going_back.add(tp)
        self._attend(f"rereading of {tp}", self._go_back(tp))

    async def _go_back(self, tp: TP) -> None:
        offset = await self._checkpointer.reload(tp)
        if offset is None:
            self.forget(tp)
            return
        log.warning("%s is read once more from offset %d", tp, offset)
        await self._app.consumer.seek_wait({TopicPartition(tp.topic, tp.partition): offset})

    def forget(self, tp: TP | None = None) -> None:
        """Partitions are dealt anew, or this one has gone: there is nothing to go back for."""
        gone = set(self._suspects) if tp is None else {tp}
        self._going_back -= gone
        for each in gone:
            self._suspects.pop(each, None)

    def passes_over(self, tp: TP, chunk: Fetched | Chunk, next_offset: int) -> bool:
        """Whether a chunk was fetched before the fetch went back; `next_offset` is what the state waits for."""
        if tp not in self._going_back:
            return False
        if chunk.fetch_offset > next_offset:
            return True
        self._going_back.discard(tp)
        return False

    def _suspected(self, tp: TP, chunk: Chunk) -> bool:
        """Whether a chunk may hold what made the stage raise."""
        last = self._suspects.get(tp)
        if last is None:
            return False
        if chunk.fetch_offset >= last:
            del self._suspects[tp]
            return False
        return True
