"""Shop: the simulated shop without a fault, a fortnight by the minute: every alarm in it is false.

Each service of each tenant gives its requests, its errors, its mean seconds and its memory, over all its instances.
Refuses faults: those are the demo's.
"""

from collections.abc import Iterator

import numpy as np

from benchmarks.accuracy.kinds import FAST_LIMIT, MINUTE_MS, Series
from streams.produce.shop.graph import NAMES, TENANTS
from streams.produce.shop.shop import Shop

STEPS = 20_160
# A Monday.
START_MS = 1_767_571_200_000


def series(steps: int = STEPS, seed: int = 0) -> Iterator[Series]:
    """The series of one seed, so many minutes long."""
    shop = Shop(seed, START_MS, MINUTE_MS, kinds=())
    ticks = [shop.advance() for _ in range(steps)]
    requests = np.array([tick.requests.sum(axis=2) for tick in ticks], np.float64)
    seconds = np.array([tick.seconds.sum(axis=2) for tick in ticks])
    every = requests.sum(axis=3)
    told = {
        "requests": every,
        "errors": requests[:, :, :, -1],
        "seconds": seconds / np.maximum(every, 1.0),
        "memory_bytes": np.array([tick.memory_bytes.sum(axis=2) for tick in ticks]),
    }
    times = START_MS + np.arange(steps, dtype=np.int64) * MINUTE_MS
    for what, values in told.items():
        for tenant, tenant_name in enumerate(TENANTS):
            for service, name in enumerate(NAMES):
                title = f"{what}/{tenant_name}/{name}"
                yield Series(title, times, values[:, tenant, service], (), FAST_LIMIT)
