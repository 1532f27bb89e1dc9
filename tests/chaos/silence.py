"""What a run's tocsin.samples says of silence: which source partitions were found idle while they were written to.

Of the log alone, by its order: neither a worker's clock nor the machine's speed changes what is found.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from schemas.samples import SampleBatch, decode_batch
from streams.replay.pipeline import Recorded

Place = tuple[int, int]
"""A detect partition, and the source partition that it is told of."""


class Heard(NamedTuple):
    """A batch, and where it stands."""

    place: Place
    offset: int
    batch: SampleBatch


def heard(samples: Iterable[Recorded]) -> list[Heard]:
    """The batches of these records, in the order of each partition of them."""
    found = []
    for record in sorted(samples, key=lambda r: (r.partition, r.offset)):
        batch = decode_batch(record.value or b"")
        found.append(Heard((record.partition, batch.partition), record.offset, batch))
    return found


def all_awake(batches: Iterable[Heard], places: Collection[Place]) -> bool:
    """Whether the last that was said of each of these places is not that it is idle."""
    last = {each.place: each.batch.idle for each in batches}
    return all(last.get(place) is False for place in places)


def ends(batches: Iterable[Heard]) -> dict[int, int]:
    """The offset of the last batch of each detect partition."""
    return {each.place[0]: each.offset for each in batches}


def silences(batches: Iterable[Heard], places: Collection[Place], since: Mapping[int, int]) -> int:
    """How often a source partition was found idle, behind these offsets, and brought something new later."""
    newest: dict[Place, int] = {}
    found = set()
    for place, offset, batch in reversed(list(batches)):
        if place not in places or offset <= since.get(place[0], -1):
            continue
        if not batch.idle:
            newest[place] = max(batch.watermark, newest.get(place, batch.watermark))
        elif newest.get(place, batch.watermark) > batch.watermark:
            found.add((batch.partition, batch.record_time))
    return len(found)
