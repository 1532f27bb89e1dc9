"""One input partition's state: the stage, and the input offset up to which it has applied its log.

A stage changes only together with its offset, in one step without an await. A chunk that was seen is
dropped, one that was seen in part is trimmed, so a replay after a restart leaves no trace.

It refuses a chunk that begins after the next offset: a slice was lost, and going on would hide that.
"""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from faust.types import TP

from streams.state.pointer import Position
from streams.transport.chunk import Chunk


class StageState(Protocol):
    """What a checkpoint needs of a stage; `restore` raises CheckpointError for what it cannot read."""

    def snapshot(self) -> bytes:
        """The whole state, frozen now."""
        ...

    def restore(self, blob: bytes) -> None:
        """Become the state that `snapshot` gave."""
        ...


S = TypeVar("S", bound=StageState)


class GapError(RuntimeError):
    """A slice of the log never reached the state."""


@dataclass(slots=True)
class Partition(Generic[S]):
    """State of one input partition; `revision` counts changes, `saved` is the one that is durable."""

    tp: TP
    stage: S
    next_offset: int
    position: Position | None = None
    revision: int = 0
    saved: int = 0

    @property
    def dirty(self) -> bool:
        """Whether it has changed since the last durable checkpoint."""
        return self.revision != self.saved

    def admit(self, chunk: Chunk) -> Chunk | None:
        """What of the chunk is still to be applied, None if nothing is.

        Raises:
            GapError: records between the state and the chunk are missing.

        """
        if chunk.next_offset <= self.next_offset:
            return None
        if chunk.fetch_offset > self.next_offset:
            raise GapError(f"{self.tp}: expected offset {self.next_offset}, got {chunk}")
        return chunk.drop_before(self.next_offset)

    def applied(self, chunk: Chunk) -> None:
        """The stage has applied this chunk."""
        self.next_offset = chunk.next_offset
        self.revision += 1

    def touched(self) -> None:
        """The stage has changed by something that is not in the log."""
        self.revision += 1

    def skip_to(self, offset: int) -> None:
        """Go on at an offset because the log does not have what lies before any more."""
        self.next_offset = offset
        self.revision += 1
