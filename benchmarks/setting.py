"""Setting: what a run of the benchmarks is told."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """Options of a run.

    Attributes:
        quick: fewer messages, each figure once.
        now_ms: time of the run; the telemetry is written for a stretch before it.
        say: takes a line about what goes on.
        minutes: how long a soak lasts.
        per_second: messages of a soak; 0 for half of what the workers can do.

    """

    quick: bool
    now_ms: int
    say: Callable[[str], None]
    minutes: float = 30.0
    per_second: int = 0

    @property
    def seconds(self) -> float:
        """How long what runs in this process is to be measured."""
        return 0.6 if self.quick else 2.0
