"""How the input of a run is sent while brokers are away."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.chaos import sending
from tests.chaos.sending import LEAD_STEPS, RunError, Sending
from tests.chaos.story import STEPS, Sent
from tests.kafka.reading import until

RECORDS = [Sent(step / STEPS, place, b"", step) for step in range(8) for place in (0, 1)]


class Brokers:
    """A client whose brokers take what comes to the partitions that are there."""

    def __init__(self, _: dict[str, Any]) -> None:
        self.there = {0}
        self.error: str | None = None
        self.steps: list[int] = []
        self._waiting: list[tuple[int, Callable[..., None]]] = []

    def produce(
        self, _topic: str, _value: bytes, *, partition: int, timestamp: int, on_delivery: Any
    ) -> None:
        self.steps.append(timestamp)
        self._waiting.append((partition, on_delivery))

    def poll(self, _seconds: float) -> None:
        for partition, done in [each for each in self._waiting if each[0] in self.there]:
            self._waiting.remove((partition, done))
            done(self.error, SimpleNamespace(partition=lambda found=partition: found))

    def flush(self, _seconds: float) -> int:
        self.poll(0)
        return len(self._waiting)


async def test_no_partition_runs_ahead_of_one_whose_broker_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its telemetry waits after a step or two, and all of it comes once the broker is there again."""
    monkeypatch.setattr(sending, "Producer", Brokers)
    sent = Sending("", "telemetry")
    brokers: Any = sent._producer
    task = asyncio.create_task(sent.send(RECORDS))
    await until(lambda: len(brokers.steps) == 2 * LEAD_STEPS)
    for _ in range(5):
        await asyncio.sleep(sending.POLL_SECONDS)
        assert LEAD_STEPS - 1 == max(brokers.steps)
    brokers.there.add(1)
    await task
    assert [sent.timestamp_ms for sent in RECORDS] == brokers.steps


async def test_what_a_client_gives_up_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that is missing would be taken for one that was lost behind the broker."""
    monkeypatch.setattr(sending, "Producer", Brokers)
    sent = Sending("", "telemetry")
    brokers: Any = sent._producer
    brokers.there, brokers.error = {0, 1}, "refused"
    with pytest.raises(RunError, match="16 records of telemetry were given up: refused"):
        await sent.send(RECORDS)
