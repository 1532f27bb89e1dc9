"""A small shop for the tests of ranking: frontend calls checkout and cart, cart and checkout call db."""

import numpy as np

from streams.correlate.topology import Topology
from streams.rank import Column, Table

MINUTE = 60_000
BEGUN = 180
CALLS = Topology({"frontend": ["checkout", "cart"], "checkout": ["db"], "cart": ["db"]})
NODES = ("cart", "checkout", "db", "frontend")
LATENCY, CPU = "latency", "cpu"


def shop(
    *added: tuple[str, str, int, float],
    rows: int = 184,
    seed: int = 0,
    metrics: tuple[str, ...] = (LATENCY, CPU),
) -> Table:
    """Calm metrics around 1, to which (node, metric, row, size) is added from a row on."""
    noise = np.random.default_rng(seed)
    columns = tuple(Column(node, metric) for node in NODES for metric in metrics)
    values = 1 + 0.05 * noise.standard_normal((rows, len(columns)))
    for node, metric, row, size in added:
        values[row:, columns.index(Column(node, metric))] += size
    return Table(MINUTE * np.arange(rows, dtype=np.int64), values, columns)
