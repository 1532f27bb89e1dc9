"""Search: the newest whole snapshot of a partition on the state topic, where no commit points to one.

A group forgets its offsets when it has been empty for longer than the broker keeps them, and an operator may set them
by hand; either way the pointer is gone while the snapshots lie where they lay. Each part says in its header which
write it belongs to, so a write is whole when the checksum of its parts, in their order, is the one that it names.

Newest is what stands last in the topic, not what covers most: after a reset an older write may cover more.
It refuses nothing: what is not whole is passed over.
"""

import zlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from streams.state.pointer import Pointer

Place = tuple[int, int]
"""Slot and number of a part."""


class Part(NamedTuple):
    """One part as it lies on the topic; `write` is input offset and checksum of the snapshot."""

    at: int
    write: tuple[int, int]
    value: bytes


class Parts:
    """The parts of one partition's snapshots, the last of each key as the topic has them."""

    def __init__(self) -> None:
        self._parts: dict[Place, Part] = {}

    def put(self, slot: int, index: int, part: Part) -> None:
        """Take in a record; no more are kept than there are keys."""
        self._parts[slot, index] = part

    def newest(self, partition: int) -> Pointer | None:
        """The whole snapshot that was written last; `partition` is that of the state topic."""
        writes: dict[tuple[int, tuple[int, int]], dict[int, Part]] = {}
        for (slot, index), part in self._parts.items():
            writes.setdefault((slot, part.write), {})[index] = part
        found = sorted(writes.items(), key=lambda item: max(p.at for p in item[1].values()))
        for (slot, (offset, checksum)), parts in reversed(found):
            if _checksum(parts) == checksum:
                places = [part.at for part in parts.values()]
                ends = min(places), max(places)
                return Pointer(offset, partition, *ends, len(parts), slot, checksum)
        return None


def _checksum(parts: Mapping[int, Part]) -> int:
    found = 0
    for index in sorted(parts):
        found = zlib.crc32(parts[index].value, found)
    return found


def sort_parts(records: Iterable[Any], header: str, wanted: Mapping[bytes, Parts]) -> None:
    """Give each record of the state topic to whom its key names; `wanted` by the key without slot and number."""
    for record in records:
        prefix, slot, index = (record.key or b"").rsplit(b"/", 2)
        parts = wanted.get(prefix)
        write = dict(record.headers).get(header)
        if parts is not None and write is not None:
            offset, checksum = write.split(b":")
            part = Part(record.offset, (int(offset), int(checksum)), record.value or b"")
            parts.put(int(slot), int(index), part)
