"""Pipeline: the pure stages joined by topics in memory, so that history runs through the code that runs live.

A topic here is what Kafka's is to a stage: partitions of records with offsets. Nothing is kept but what a stage has
not read yet.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

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


class Pipeline:
    """Stages by input topic, driven until nothing is left to read."""

    def __init__(self, readers: dict[str, NewStage], *, partitions: int) -> None:
        self._readers = readers
        self._partitions = partitions
        self._stages: dict[tuple[str, int], Stage] = {}
        self._next: dict[tuple[str, int], int] = defaultdict(int)
        self._waiting: dict[tuple[str, int], list[Outgoing]] = {}

    def feed(self, records: Iterable[Recorded]) -> list[Outgoing]:
        """Put source records through, one chunk for each source partition; what went to topics that no stage reads."""
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
            )
            self._next[place] = chunk.next_offset
            out += self._route(self._stage(place).apply(chunk))
        return out + self._drain()

    def _stage(self, place: tuple[str, int]) -> Stage:
        if place not in self._stages:
            self._stages[place] = self._readers[place[0]](*place)
        return self._stages[place]

    def _route(self, sent: list[Outgoing]) -> list[Outgoing]:
        """Queue what a stage reads; give back the rest."""
        out = []
        for record in sent:
            if record.topic in self._readers:
                place = (record.topic, record.partition or 0)
                self._waiting.setdefault(place, []).append(record)
            else:
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
