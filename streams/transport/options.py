"""How a stage is run: when it saves, how it fetches, how much may wait."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from schemas.topics import STATE
from schemas.wire.asking import Answers

Ask = Callable[[str, Collection[int]], Awaitable[Answers]]
"""Finds out about these ids for a topic, however long it takes."""


@dataclass(frozen=True)
class RunnerOptions:
    """How a stage is run; the defaults keep the way from produce to output at a few milliseconds."""

    checkpoint_interval_seconds: float = 5.0
    session_timeout_seconds: float = 6.0
    fetch_max_wait_ms: int = 50
    gather_ms: int | None = None
    """How long a fetch gathers records; without it a few milliseconds, the fewer the less there is to do."""
    fetch_bytes: int = 2_097_152
    """Of a partition with a backlog: half of it costs a fifth more processor time, twice of it saves nothing."""
    queue_fetches: int = 1
    outbox_records: int = 20_000
    outbox_bytes: int = 67_108_864
    chunk_keys: bool = False
    chunk_headers: bool = False
    state_topic: str = STATE
    look_again_seconds: float = 30.0
    """How often a member asks whether its topics have got more partitions, which are dealt then."""
    instance: str = ""
    """Name of this worker in its groups, the same after a restart; without one a killed worker is waited for."""
    ask: Ask | None = None
