"""Stats: what a runner counts."""

from dataclasses import dataclass


@dataclass
class RunnerStats:
    """Counters since the start of the runner."""

    chunks: int = 0
    records: int = 0
    outputs: int = 0
    events: int = 0
    lost_records: int = 0
