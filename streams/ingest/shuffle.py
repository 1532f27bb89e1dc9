"""Shuffle: samples of a source partition to batches, one for each detect partition.

All samples of one record that go to one partition go in one batch, and those of them that came late in another one, so
that a reader can skip what it has by source offset alone.
"""

import numpy as np
from numpy.typing import NDArray

from schemas.handles import pick
from schemas.samples import SampleBatch
from schemas.wire.interner import Interner
from streams.ingest.reader import Samples, parted
from streams.time.watermark import BEFORE_ALL


def make_batches(
    samples: Samples,
    interner: Interner,
    *,
    topic: str,
    partition: int,
    watermark: int,
    record_time: int,
    partitions: int,
) -> list[tuple[int, SampleBatch]]:
    """Detect partition and batch for each of the `partitions` that gets samples, in their order.

    Late ones come first, in batches that do not say how far the source has come: the others must come before that.
    """
    return [
        each
        for part in parted(samples)
        for each in _batches(
            part,
            interner,
            (topic, partition, watermark if part.late_at is None else BEFORE_ALL, record_time),
            partitions,
        )
    ]


def _batches(
    samples: Samples, interner: Interner, facts: tuple[str, int, int, int], partitions: int
) -> list[tuple[int, SampleBatch]]:
    ids, index = _distinct(samples.ids, len(interner))
    homes = interner.partitions(ids) if partitions > 1 else np.zeros(len(ids), np.int32)
    targets = sorted(set(homes.tolist()))
    out = []
    for target in targets:
        mine = homes == target
        if len(targets) == 1:
            chosen, local, which = ids, index, np.arange(len(index))
        else:
            chosen = ids[mine]
            picked = np.flatnonzero(mine[index])
            local = (np.cumsum(mine) - 1)[index[picked]]
            which = picked
        values, histograms = samples.values[which], samples.histograms
        if histograms:
            values, histograms = pick(values, histograms)
        batch = SampleBatch(
            *facts,
            interner.fingerprints(chosen),
            interner.label_bytes.gather(chosen),
            local.astype(np.uint32),
            samples.times[which],
            values,
            samples.offsets[which],
            histograms=histograms,
            late_at=None if samples.late_at is None else samples.late_at[which],
        )
        out.append((target, batch))
    return out


def _distinct(ids: NDArray[np.intp], below: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Each of these ids once, in the order of its last place, and for each place the index of its id there.

    What `np.unique` does, without a sort: ids are dense.
    """
    at = np.arange(len(ids))
    scratch = np.empty(below, np.intp)
    scratch[ids] = at
    once = ids[scratch[ids] == at]
    scratch[once] = np.arange(len(once))
    return once, scratch[ids]
