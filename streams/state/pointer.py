"""The pointer: where the parts of a snapshot lie, as it is stored beside a committed offset.

The metadata of one offset commit holds the pointer to the current snapshot and to the one before. Kafka
stores offset and metadata together, so the input position and the state that belongs to it change at the
same instant, and a member that the group has fenced out can change neither.

It refuses metadata that it did not write. An empty one means that an offset was set by hand, by something that knows
of no snapshots; `FORGOTTEN` means that the state is to be forgotten too.
"""

import msgspec

from schemas.errors import CheckpointError

VERSION = 1
FORGOTTEN = "forgotten"
"""Metadata of an offset at which a stage begins anew."""
SLOTS = 3
"""Two snapshots are needed, the current one and the one before; the third slot is the one being written."""


class Pointer(msgspec.Struct, frozen=True, array_like=True):
    """Where the snapshot that covers input up to `offset` lies: `first` to `last` are offsets of its parts."""

    offset: int
    partition: int
    first: int
    last: int
    parts: int
    slot: int
    checksum: int


class Position(msgspec.Struct, frozen=True, array_like=True):
    """What one commit points to; `previous` is for the case that `current` cannot be read."""

    version: int
    current: Pointer
    previous: Pointer | None = None

    def to_text(self) -> str:
        """The commit's metadata: JSON of at most some 200 characters; Kafka allows 4,096."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_text(cls, text: str) -> "Position | None":
        """The position in a commit's metadata, None if it has none.

        Raises:
            CheckpointError: somebody else wrote it, or a later version.

        """
        if text in ("", FORGOTTEN):
            return None
        try:
            position = msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError as error:
            raise CheckpointError(
                f"commit metadata cannot be read: {error}: {text[:80]!r}"
            ) from error
        if position.version != VERSION:
            raise CheckpointError(f"commit metadata is of unknown version {position.version}")
        return position

    def followed_by(self, pointer: Pointer) -> "Position":
        """The position after the next checkpoint."""
        return Position(VERSION, pointer, self.current)


def next_slot(position: Position | None) -> int:
    """A slot that neither of the position's snapshots uses."""
    return 0 if position is None else (position.current.slot + 1) % SLOTS
