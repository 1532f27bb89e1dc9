"""How a stage is run: when it saves, how it fetches, how much may wait."""

from dataclasses import dataclass

from schemas.topics import STATE
from streams.transport.inquiry import Ask

GATHER_MS = 5


@dataclass(frozen=True)
class RunnerOptions:
    """How a stage is run; the defaults keep the way from produce to output at a few milliseconds."""

    checkpoint_interval_seconds: float = 5.0
    session_timeout_seconds: float = 6.0
    fetch_max_wait_ms: int = 50
    gather_ms: int = GATHER_MS
    fetch_bytes: int = 1_048_576
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
