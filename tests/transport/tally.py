"""A stage whose every output betrays its whole history, and a worker process that runs it.

For each key it keeps the number of records and a hash over their order. An output tells key, number and
hash, so a lost, doubled or reordered record changes every output after it.
"""

import asyncio
import hashlib
import sys
from collections.abc import Callable

from streams.stage import Deferring, Outgoing
from streams.state.codec import decode, encode
from streams.transport.broker import Broker
from streams.transport.chunk import Chunk
from streams.transport.host import Host
from streams.transport.options import RunnerOptions

PARTITIONS = 4
LONG_SECONDS = 600.0
"""A session that outlasts the patience of any test."""


class Tally:
    """Counts and hashes the values of each key."""

    def __init__(self, output_topic: str) -> None:
        self.output_topic = output_topic
        self.seen: dict[str, tuple[int, str]] = {}

    def apply(self, chunk: Chunk) -> list[Outgoing]:
        """One output for each record."""
        return [self._count(value.decode()) for value in chunk.values if value is not None]

    def apply_event(self, event: object) -> list[Outgoing]:
        """An event counts as a value."""
        return [self._count(str(event))]

    def snapshot(self) -> bytes:
        return encode({}, kind="tally", version=1, meta={"seen": self.seen})

    def restore(self, blob: bytes) -> None:
        seen = decode(blob, kind="tally", version=1).meta["seen"]
        self.seen = {key: (count, trail) for key, (count, trail) in seen.items()}

    def _count(self, value: str) -> Outgoing:
        if value == "poison":
            self.seen = {"half": (0, "applied")}
            raise ValueError("poison")
        key = value.partition(":")[0]
        count, trail = self.seen.get(key, (0, ""))
        trail = hashlib.sha256(f"{trail}{value}".encode()).hexdigest()[:16]
        self.seen[key] = (count + 1, trail)
        return Outgoing(self.output_topic, f"{key} {count + 1} {trail}".encode(), key.encode())


class LateTally(Deferring, Tally):
    """Takes values in, and counts them a little later."""

    def __init__(self, output_topic: str) -> None:
        super().__init__(output_topic)
        self.put_off: list[str] = []

    @property
    def behind(self) -> bool:
        return bool(self.put_off)

    def arrive(self, chunk: Chunk) -> list[Outgoing]:
        self.put_off += [value.decode() for value in chunk.values if value is not None]
        return []

    def catch_up(self) -> list[Outgoing]:
        values, self.put_off = self.put_off, []
        return [self._count(value) for value in values]

    def snapshot(self) -> bytes:
        assert not self.put_off, "what is put off would be lost"
        return super().snapshot()


def expected(values: list[str]) -> list[bytes]:
    """Outputs for values that are applied once, in this order."""
    stage = Tally("t")
    return [stage._count(value).value or b"" for value in values]


def host(
    bootstrap: str,
    prefix: str,
    retired: Callable[[Tally], None] = lambda _: None,
    *,
    instance: str = "",
    kind: type[Tally] = Tally,
) -> Host:
    """A process that tallies `<prefix>-in` to `<prefix>-out`; one with a name is missed by nobody for minutes."""
    made = Host(Broker(bootstrap))
    made.add(
        prefix,
        [f"{prefix}-in"],
        lambda _topic, _partition: kind(f"{prefix}-out"),
        RunnerOptions(
            checkpoint_interval_seconds=0.5,
            session_timeout_seconds=LONG_SECONDS if instance else 6,
            instance=instance,
            look_again_seconds=1.0,
            state_topic=f"{prefix}-state",
        ),
        retired,
    )
    return made


if __name__ == "__main__":
    asyncio.run(host(*sys.argv[1:3], instance="".join(sys.argv[3:])).serve())
