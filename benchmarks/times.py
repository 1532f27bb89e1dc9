"""Times: when things were sent and when they arrived, by one clock, and what share of them waited how long.

Refuses to guess: what did not arrive has no wait, and is seen in the count.
"""

import asyncio
import struct
from dataclasses import dataclass, field

import msgspec
import numpy as np

ECHO_TIME = struct.Struct("<d")
"""An echo holds the time at which it was sent."""


@dataclass
class Times:
    """When each breach was sent, its alert on its topic, and somebody paged: seconds by service.

    An echo is a pair: when it was sent, and how many milliseconds it took. What was sent before `since` is warm-up.
    """

    expected: int
    since: float = 0.0
    sent: dict[str, float] = field(default_factory=dict)
    alerted: dict[str, float] = field(default_factory=dict)
    paged: dict[str, float] = field(default_factory=dict)
    echoes: list[tuple[float, float]] = field(default_factory=list)
    longest_pause_ms: float = 0.0
    all_paged: asyncio.Event = field(default_factory=asyncio.Event)
    all_alerted: asyncio.Event = field(default_factory=asyncio.Event)

    def page(self, service: str, now: float) -> None:
        """Somebody was paged for a service; only the first time counts."""
        self.paged.setdefault(service, now)
        if len(self.paged) == self.expected:
            self.all_paged.set()

    def alert(self, value: bytes, now: float) -> None:
        """A record of tocsin.alerts arrived; ticks have no labels."""
        service = msgspec.json.decode(value).get("labels", {}).get("service")
        if service is not None:
            self.alerted.setdefault(service, now)
        if len(self.alerted) == self.expected:
            self.all_alerted.set()

    def echo(self, value: bytes, now: float) -> None:
        """A message to this process itself arrived."""
        (at,) = ECHO_TIME.unpack(value)
        self.echoes.append((at, (now - at) * 1000.0))

    def waits_ms(self, arrived: dict[str, float]) -> list[float]:
        """Milliseconds from sending to arrival; nothing for what did not arrive."""
        return [
            (arrived[service] - at) * 1000.0
            for service, at in self.sent.items()
            if at >= self.since and service in arrived
        ]

    def echoes_ms(self) -> list[float]:
        """Milliseconds of each echo."""
        return [wait_ms for at, wait_ms in self.echoes if at >= self.since]


def quantile(waits: list[float], share: float) -> float:
    """The least wait that this share of the waits does not exceed; a wait that was measured, never one between two."""
    return float(np.quantile(waits, share, method="inverted_cdf"))
