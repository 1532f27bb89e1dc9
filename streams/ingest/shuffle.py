"""Shuffle: samples of a source partition to batches, one for each detect partition.

All samples of one record that go to one partition go in one batch, so that a reader can skip what it has by source
offset alone. A partition that gets no sample still learns the watermark.
"""

import numpy as np

from schemas.samples import SampleBatch
from schemas.wire.interner import Interner
from streams.ingest.reader import Samples


def make_batches(
    samples: Samples,
    interner: Interner,
    *,
    topic: str,
    partition: int,
    watermark: int,
    record_time: int,
    targets: int,
) -> list[SampleBatch]:
    """A batch for each of the `targets` detect partitions, in their order; without samples where it gets none."""
    ids, index = np.unique(samples.ids, return_inverse=True)
    homes = interner.partitions(ids)
    out = []
    for target in range(targets):
        mine = homes == target
        if targets == 1 or mine.all():
            chosen, local, which = ids, index, np.arange(len(index))
        else:
            chosen = ids[mine]
            picked = np.flatnonzero(mine[index])
            local = (np.cumsum(mine) - 1)[index[picked]]
            which = picked
        out.append(
            SampleBatch(
                topic,
                partition,
                watermark,
                record_time,
                interner.fingerprints(chosen),
                [interner.label_bytes[i] for i in chosen.tolist()],
                local.astype(np.uint32),
                samples.times[which],
                samples.values[which],
                samples.offsets[which],
            )
        )
    return out
