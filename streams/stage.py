"""What a stage is: a pure state machine for one input partition, and what it sends.

`(state, batch) -> (state, records)`: no clock, no Kafka, no network, no randomness. The shell that drives it
(transport) and a backtest that drives it from files are the only ones who know where the records come from.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

from schemas.records import Headers
from schemas.scrub import Scrubber
from streams.transport.chunk import Chunk

Sealing: TypeAlias = Callable[[], bytes | memoryview]
"""What gives the bytes of a frozen state, once, in any thread."""


class Outgoing(NamedTuple):
    """A record to be sent; without a partition, the key's hash decides."""

    topic: str
    value: bytes | None
    key: bytes | None = None
    partition: int | None = None
    headers: Headers = ()
    timestamp_ms: int | None = None


class Figure(NamedTuple):
    """A count that a stage keeps about its own decisions: what, by which reason, how many."""

    name: str
    reason: str
    total: int


def scrub_figures(scrubber: Scrubber | None) -> list[Figure]:
    """What a scrubber has replaced, by `KIND/LABEL`."""
    counts = scrubber.counts if scrubber is not None else {}
    return [Figure("scrubbed", f"{kind}/{label}", n) for (kind, label), n in counts.items()]


@runtime_checkable
class Counting(Protocol):
    """A stage that counts what it refuses or decides."""

    def figures(self) -> Iterable[Figure]:
        """Counts since the start of the process."""
        ...


@runtime_checkable
class Scrubbing(Protocol):
    """A stage that knows what is not to be shown of its input."""

    @property
    def scrubber(self) -> Scrubber | None:
        """What replaces personal data; None where nothing is replaced."""
        ...


@runtime_checkable
class Knowing(Protocol):
    """A stage that knows series and forgets the silent ones."""

    @property
    def series(self) -> int:
        """How many it knows now."""
        ...


@runtime_checkable
class Resuming(Protocol):
    """A stage that wants to know how long nobody has done its work."""

    def resumed(self, away_ms: int) -> None:
        """It goes on from a snapshot that was written so long ago."""
        ...


class Deferring(ABC):
    """A stage that can take in a chunk at once, and do what time asks for a little later."""

    @property
    @abstractmethod
    def behind(self) -> bool:
        """Whether there is something to catch up with."""

    @abstractmethod
    def arrive(self, chunk: Chunk) -> list[Outgoing]:
        """Take in a chunk; what is to be sent at once because of it."""

    @abstractmethod
    def catch_up(self) -> list[Outgoing]:
        """Do the rest; what is to be sent because of that."""

    def apply(self, chunk: Chunk) -> list[Outgoing]:
        """Both; what is to be sent because of a chunk."""
        return [*self.arrive(chunk), *self.catch_up()]


@runtime_checkable
class Freezing(Protocol):
    """A stage whose snapshot would hold up the event loop: it does what must be done at once."""

    def freeze(self) -> Sealing:
        """The whole state as it is now."""
        ...


class Stage(Protocol):
    """One stage for one input partition."""

    def apply(self, chunk: Chunk) -> list[Outgoing]:
        """Take in a chunk; what is to be sent because of it."""
        ...

    def apply_event(self, event: object) -> list[Outgoing]:
        """Take in what the stage's own shell reports, such as the outcome of a delivery."""
        ...

    def snapshot(self) -> bytes:
        """The whole state."""
        ...

    def restore(self, blob: bytes) -> None:
        """Continue from a snapshot.

        Raises:
            CheckpointError: the snapshot is not of this stage, or of a version that it cannot read.

        """
        ...
