"""The chunk: every record that one fetch brought from one partition.

A chunk covers the offsets `fetch_offset` up to, but not including, `next_offset`, without a hole between
one chunk and the next: `fetch_offset` equals the `next_offset` of the chunk before. It may hold fewer
records than offsets (compaction, transaction markers) and even none.

It refuses to interpret a record: a null value (a tombstone) stays None.
"""

from bisect import bisect_left
from collections.abc import Sequence

from schemas.records import Headers


class Chunk:
    """Records of one partition as parallel sequences, oldest first; `timestamps` are milliseconds since the epoch.

    `read_at_ms` is when they were read, by the reader's clock; None where no clock is to be asked, as in a replay.
    """

    __slots__ = (
        "fetch_offset",
        "headers",
        "highwater",
        "keys",
        "next_offset",
        "offset",
        "offsets",
        "partition",
        "read_at_ms",
        "timestamps",
        "topic",
        "values",
    )

    def __init__(
        self,
        topic: str,
        partition: int,
        *,
        fetch_offset: int,
        next_offset: int,
        values: Sequence[bytes | None],
        timestamps: Sequence[int],
        keys: list[bytes | None] | None = None,
        headers: list[Headers] | None = None,
        offsets: Sequence[int] | None = None,
        highwater: int | None = None,
        read_at_ms: int | None = None,
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.fetch_offset = fetch_offset
        self.next_offset = next_offset
        self.values = values
        self.timestamps = timestamps
        self.keys = keys
        self.headers = headers
        self.offset = offsets[0] if offsets else fetch_offset
        dense = not offsets or offsets[-1] - offsets[0] + 1 == len(offsets)
        self.offsets: Sequence[int] | None = None if dense else offsets
        self.highwater = highwater
        self.read_at_ms = read_at_ms

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        covered = f"[{self.fetch_offset}, {self.next_offset})"
        return f"<Chunk {self.topic}-{self.partition} {covered} records={len(self)}>"

    def offset_of(self, row: int) -> int:
        """Offset of the record in `row`."""
        return self.offset + row if self.offsets is None else self.offsets[row]

    def split(self, row: int) -> tuple["Chunk", "Chunk"]:
        """What lies before a row, and the rest."""
        at = self.offset_of(row)
        return self._rows(0, row, self.fetch_offset, at), self._rows(
            row, len(self), at, self.next_offset
        )

    def _rows(self, first: int, last: int, fetch_offset: int, next_offset: int) -> "Chunk":
        offsets = self.offsets
        if offsets is None:
            offsets = range(self.offset, self.offset + len(self))
        return Chunk(
            self.topic,
            self.partition,
            fetch_offset=fetch_offset,
            next_offset=next_offset,
            values=self.values[first:last],
            timestamps=self.timestamps[first:last],
            keys=None if self.keys is None else self.keys[first:last],
            headers=None if self.headers is None else self.headers[first:last],
            offsets=offsets[first:last],
            read_at_ms=self.read_at_ms,
        )

    def drop_before(self, offset: int) -> "Chunk":
        """The rest of this chunk from `offset` on; what lies before has been applied already."""
        if offset <= self.fetch_offset:
            return self
        if self.offsets is None:
            first = min(max(offset - self.offset, 0), len(self.values))
        else:
            first = bisect_left(self.offsets, offset)
        return self._rows(first, len(self), min(offset, self.next_offset), self.next_offset)
