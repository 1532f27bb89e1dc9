"""Detector: our bank of running means and variances against one of river's for each series.

Both judge each sample by what came before it, then learn it; figures are samples in a second of CPU time on one core.
"""

from collections.abc import Iterator

import numpy as np

from benchmarks import workload
from benchmarks.measure import per_cpu_second
from benchmarks.peers.faust_river import ZScores
from benchmarks.row import Row
from detectors import registry

PEER_SAMPLES = 20_000


def measure(seconds: float, command: str) -> Iterator[Row]:
    """Rows of the benchmark; each figure takes about `seconds`."""
    rows = np.tile(np.arange(workload.SERIES, dtype=np.int64), 2)
    values = np.random.default_rng(1).normal(300.0, workload.NOISE, rows.size)
    times = np.zeros(rows.size, np.int64)
    bank = registry.create("gaussian", {"warm_up_samples": workload.WARM_UP_SAMPLES})
    bank.grow(workload.SERIES)

    def ours() -> int:
        bank.update(rows, times, values)
        return int(rows.size)

    peer = ZScores()
    samples = [
        {
            "metric": workload.METRIC,
            "labels": {"service": f"service-{n % workload.SERIES}"},
            "value": v,
        }
        for n, v in enumerate(np.resize(values, PEER_SAMPLES).tolist())
    ]

    def theirs() -> int:
        for sample in samples:
            peer.score(sample)
        return len(samples)

    yield Row(
        "detector.gaussian",
        per_cpu_second(ours, seconds),
        "samples/s/core",
        command,
        "river's mean and variance, one a series",
        per_cpu_second(theirs, seconds),
    )
