"""Handover: what a detect partition found of wide rules, as records of tocsin.partials for the second stage.

A tenant's part goes to the partition that its alerts go to. A record comes to every partition whenever time has gone
on, so that nobody is waited for in vain. Offsets are event times: a record that is sent again after a restart brings
nothing new. What late samples have changed goes ahead of it in records of its own, and is late where it comes. Refuses
nothing; what is too much for one record is sent in several.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from schemas import topics
from schemas.partials import Partials, encode_partials
from schemas.samples import SampleBatch
from streams.rules.partial.cut import Encoded, Found
from streams.stage import Outgoing
from streams.time.watermark import BEFORE_ALL

PIECE_BYTES = 400_000
"""Of label text and values in one record: Kafka's own limit for a record is 1 MB."""
PIECES = 20
"""So many bits of an offset tell the pieces of one event time apart."""
SAMPLE_BYTES = 36


class Sender(NamedTuple):
    """Who sends, and how far it has come.

    Attributes:
        number: of the detect partition.
        reached: event time in ms up to which it has evaluated all.
        record_time: largest record time behind it, ms.
        since: event time in ms from which on it evaluates each cut, by id.

    """

    number: int
    reached: int
    record_time: int
    since: Mapping[str, int]


class _Sample(NamedTuple):
    series: Encoded
    value: float
    t_ms: int
    offset: int


def partial_records(
    sender: Sender, found: Sequence[Found], homes: Mapping[str, int], partitions: int
) -> list[Outgoing]:
    """Records for every partition of the second stage; `homes` tells that of each tenant.

    `found` comes by time, and what has changed of what was found before by step.
    """
    changed = _samples([each for each in found if each.step is not None], homes, partitions)
    out = [
        _record(sender, home, _batch(sender, part, BEFORE_ALL, late=True))
        for home, mine in enumerate(changed)
        for part in _pieces(mine)
    ]
    samples = _samples([each for each in found if each.step is None], homes, partitions)
    for home, mine in enumerate(samples):
        pieces = list(_pieces(mine)) or [[]]
        for at, part in enumerate(pieces):
            last = at + 1 == len(pieces)
            batch = _batch(sender, part, sender.reached + 1 if last else BEFORE_ALL)
            out.append(_record(sender, home, batch))
    return out


def _record(sender: Sender, home: int, batch: SampleBatch) -> Outgoing:
    value = encode_partials(Partials(sender.since, batch))
    return Outgoing(topics.PARTIALS, value, None, home, timestamp_ms=sender.record_time)


def _samples(
    found: Sequence[Found], homes: Mapping[str, int], partitions: int
) -> list[list[_Sample]]:
    """What goes to each partition of the second stage."""
    samples: list[list[_Sample]] = [[] for _ in range(partitions)]
    size_bytes = [0] * partitions
    piece = [0] * partitions
    latest = BEFORE_ALL
    for each in found:
        told_at = each.t_ms if each.step is None else each.step
        if told_at != latest:
            latest = told_at
            size_bytes, piece = [0] * partitions, [0] * partitions
        for series, value in zip(each.series, each.values.tolist(), strict=True):
            home = homes[series.tenant]
            offset = (latest << PIECES) + piece[home]
            samples[home].append(_Sample(series, value, each.t_ms, offset))
            size_bytes[home] += len(series.label_bytes) + SAMPLE_BYTES
            if size_bytes[home] > PIECE_BYTES:
                piece[home] += 1
                size_bytes[home] = 0
    return samples


def _pieces(samples: Sequence[_Sample]) -> Iterator[Sequence[_Sample]]:
    """What goes in one record each: all of an offset, as long as there is room."""
    start, size_bytes = 0, 0
    for at, sample in enumerate(samples):
        if size_bytes > PIECE_BYTES and sample.offset != samples[at - 1].offset:
            yield samples[start:at]
            start, size_bytes = at, 0
        size_bytes += len(sample.series.label_bytes) + SAMPLE_BYTES
    if start < len(samples):
        yield samples[start:]


def _batch(
    sender: Sender, samples: Sequence[_Sample], watermark: int, *, late: bool = False
) -> SampleBatch:
    index: dict[int, int] = {}
    series = [index.setdefault(each.series.fingerprint, len(index)) for each in samples]
    offsets = np.array([each.offset for each in samples], np.int64)
    texts = {each.series.fingerprint: each.series.label_bytes for each in samples}
    return SampleBatch(
        topics.SAMPLES,
        sender.number,
        watermark,
        sender.record_time,
        np.array(list(index), np.uint64),
        [texts[print_] for print_ in index],
        np.array(series, np.uint32),
        np.array([each.t_ms for each in samples], np.int64),
        np.array([each.value for each in samples], np.float64),
        offsets,
        # a correction comes just behind its step, whatever else the sender had found by then
        late_at=(offsets >> PIECES) + 1 if late else None,
    )
