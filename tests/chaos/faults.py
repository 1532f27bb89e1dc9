"""What is done to a run, in which order: drawn by a seed, so that the same seed does the same."""

import random
from collections.abc import Collection
from enum import StrEnum
from itertools import cycle, islice
from typing import NamedTuple


class Kind(StrEnum):
    """A kind of fault; the value is how reports name it."""

    WORKER_KILLED = "worker killed (-9)"
    KILLED_IN_REBALANCE = "worker killed in a rebalance"
    KILLED_IN_CHECKPOINT = "worker killed in a checkpoint"
    KILLED_AT_START = "worker killed while it starts"
    ALL_KILLED = "all workers killed at once"
    WORKER_FROZEN = "worker frozen past its session"
    CLOCK_JUMPED = "clock of a worker jumps"
    RECEIVER_FAILING = "receiver answers 503"
    BROKER_RESTARTED = "broker restarted"
    BROKER_KILLED = "broker killed (-9)"
    BROKER_GONE = "one of three brokers gone"
    BROKER_FROZEN = "broker frozen"
    DISK_FULL = "broker's disk full"
    DISK_SLOW = "broker's disk hangs"
    LINE_CUT = "network cut"
    LINE_SLOW = "network slow"
    LINE_SILENT = "network swallows all"


WEIGHTS = {
    Kind.WORKER_KILLED: 8,
    Kind.KILLED_IN_REBALANCE: 4,
    Kind.KILLED_IN_CHECKPOINT: 4,
    Kind.KILLED_AT_START: 4,
    Kind.ALL_KILLED: 2,
    Kind.WORKER_FROZEN: 3,
    Kind.CLOCK_JUMPED: 2,
    Kind.RECEIVER_FAILING: 2,
    Kind.BROKER_RESTARTED: 2,
    Kind.BROKER_KILLED: 2,
    Kind.BROKER_GONE: 1,
    Kind.BROKER_FROZEN: 1,
    Kind.DISK_FULL: 1,
    Kind.DISK_SLOW: 1,
    Kind.LINE_CUT: 2,
    Kind.LINE_SLOW: 1,
    Kind.LINE_SILENT: 1,
}
"""How often each is in a deck; a deck holds every kind."""
ON_DISKS = frozenset({Kind.DISK_FULL, Kind.DISK_SLOW})
GAP_SECONDS = 2.5
BURST = 8
"""After so many faults the storm waits until the workers get on again, or nothing would be half done in the next."""


class Fault(NamedTuple):
    """One fault, so long after the one before; `pick` (0 to 1) says whom it meets, `span` (0 to 1) how long or far."""

    gap_seconds: float
    kind: Kind
    pick: float
    span: float


def draw(seed: str, count: int, without: Collection[Kind] = ()) -> list[Fault]:
    """So many faults in their order; no kind a second time before each had its turn, where they suffice."""
    chance = random.Random(f"faults {seed}")
    kinds = [kind for kind in Kind if kind not in without]
    chance.shuffle(kinds)
    rest = [kind for kind in kinds for _ in range(WEIGHTS[kind] - 1)]
    chance.shuffle(rest)
    chosen = list(islice(cycle(kinds + rest), count))
    if count > len(kinds):
        chance.shuffle(chosen)
    return [
        Fault(round(chance.expovariate(1 / GAP_SECONDS), 2), kind, chance.random(), chance.random())
        for kind in chosen
    ]
