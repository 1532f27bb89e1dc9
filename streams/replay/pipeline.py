"""Pipeline: the pure stages joined by topics in memory, so that history runs through the code that runs live.

A topic here is what Kafka's is to a stage: partitions of records with offsets. Nothing is kept but what a stage has
not read yet.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from schemas.records import Headers
from streams.stage import Outgoing, Stage
from streams.transport.chunk import Chunk

NewStage = Callable[[str, int], Stage]


class Recorded(NamedTuple):
    """One record of a source topic as it stood there."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    value: bytes | None
    headers: Headers = ()


class Pipeline:
    """Stages by input topic, driven until nothing is left to read."""

    def __init__(self, readers: Mapping[str, NewStage], *, watch: Collection[str]) -> None:
        self._readers = readers
        self._watch = watch
        self.stages: dict[tuple[str, int], Stage] = {}
        self._next: dict[tuple[str, int], int] = defaultdict(int)
        self._waiting: dict[tuple[str, int], list[Outgoing]] = {}

    def feed(self, records: Iterable[Recorded]) -> list[Outgoing]:
        """Put source records through, one chunk for each source partition; what went to the watched topics."""
        by_place: dict[tuple[str, int], list[Recorded]] = {}
        for record in records:
            by_place.setdefault((record.topic, record.partition), []).append(record)
        out: list[Outgoing] = []
        for place, found in by_place.items():
            chunk = Chunk(
                *place,
                fetch_offset=self._next[place],
                next_offset=found[-1].offset + 1,
                values=[r.value for r in found],
                timestamps=[r.timestamp_ms for r in found],
                offsets=[r.offset for r in found],
                headers=[r.headers for r in found] if any(r.headers for r in found) else None,
            )
            self._next[place] = chunk.next_offset
            out += self._route(self._stage(place).apply(chunk))
        return out + self._drain()

    def inject(self, records: Iterable[Outgoing]) -> list[Outgoing]:
        """Put records on topics between the stages; what went to the watched topics."""
        return [*self._route(records), *self._drain()]

    def _stage(self, place: tuple[str, int]) -> Stage:
        if place not in self.stages:
            self.stages[place] = self._readers[place[0]](*place)
        return self.stages[place]

    def _route(self, sent: Iterable[Outgoing]) -> list[Outgoing]:
        """Queue what a stage reads; give back what is watched."""
        out = []
        for record in sent:
            if record.topic in self._readers:
                place = (record.topic, record.partition or 0)
                self._waiting.setdefault(place, []).append(record)
            if record.topic in self._watch:
                out.append(record)
        return out

    def _drain(self) -> list[Outgoing]:
        out: list[Outgoing] = []
        while self._waiting:
            waiting, self._waiting = self._waiting, {}
            for place, records in waiting.items():
                first = self._next[place]
                chunk = Chunk(
                    *place,
                    fetch_offset=first,
                    next_offset=first + len(records),
                    values=[r.value for r in records],
                    timestamps=[r.timestamp_ms or 0 for r in records],
                )
                self._next[place] = chunk.next_offset
                out += self._route(self._stage(place).apply(chunk))
        return out
