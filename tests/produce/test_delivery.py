"""The sender's thread against brokers that are slow, gone or unwilling."""

import asyncio
import threading
from collections.abc import Awaitable, Sequence

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    TopicAuthorizationFailedError,
)

from schemas.reasons import ProduceReason as Why
from streams.produce import delivery
from streams.produce.buffer import Buffer
from streams.produce.delivery import Delivery, Plan
from tests.produce.test_buffer import NOW, dropped, new_buffer

PATIENCE_SECONDS = 20.0


class FakeLink:
    """Brokers that fail when told to; `let` holds back every answer until it is set."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.refusals = 0
        self.let = threading.Event()
        self.let.set()
        self.stored: list[tuple[int | None, int | None]] = []
        self.started = self.stopped = 0

    def _fail(self) -> None:
        if self.faults:
            raise self.faults.pop(0)

    async def start(self) -> None:
        self.started += 1
        self._fail()

    async def stop(self) -> None:
        self.stopped += 1

    async def partitions_for(self, topic: str) -> set[int]:
        self._fail()
        return {0, 1}

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        *,
        partition: int | None = None,
        timestamp_ms: int | None = None,
        headers: Sequence[tuple[str, bytes]] | None = None,
    ) -> Awaitable[object]:
        self._fail()
        if self.refusals:
            self.refusals -= 1
            raise TopicAuthorizationFailedError(topic)

        async def answer() -> None:
            while not self.let.is_set():
                await asyncio.sleep(0.001)
            self._fail()
            self.stored.append((partition, timestamp_ms))

        return answer()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses that a test can wait for."""
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(delivery, "LONGEST_PAUSE_SECONDS", 0.002)


def started(link: FakeLink, **bounds: int) -> tuple[Delivery, Buffer]:
    buffer = new_buffer(**bounds)
    sender = Delivery(buffer, lambda: link, Plan("telemetry", "samples", 0.01, 900_000))
    sender.start()
    return sender, buffer


def put(buffer: Buffer, count: int, at_ms: int = NOW) -> None:
    for number in range(count):
        buffer.put("m", {"service": "cart"}, at_ms + number, 1.0)


def test_what_fails_for_now_is_tried_until_it_is_stored() -> None:
    """Neither a failed connection nor a lost answer loses a sample."""
    link = FakeLink(
        OSError("no route"),
        KafkaConnectionError("gone"),
        TopicAuthorizationFailedError("may not ask for partitions yet"),
        KafkaConnectionError("gone"),
        KafkaTimeoutError("slow"),
    )
    sender, buffer = started(link)
    put(buffer, 3)
    sender.close(PATIENCE_SECONDS)

    assert [NOW + 2] == [time_ms for _, time_ms in link.stored]
    assert (3, 0, {}) == (*buffer.stats()[:2], dropped(buffer))
    assert link.started == link.stopped


def test_what_is_refused_for_good_is_dropped_and_the_next_goes_through() -> None:
    """An answer that trying again cannot change drops the record and counts its samples."""
    link = FakeLink()
    sender, buffer = started(link)
    put(buffer, 1)
    assert buffer.wait(PATIENCE_SECONDS)
    link.refusals = 1
    put(buffer, 2)
    assert buffer.wait(PATIENCE_SECONDS)
    put(buffer, 3)
    sender.close(PATIENCE_SECONDS)

    assert 4 == buffer.stats().sent
    assert {Why.REFUSED: 2} == dropped(buffer)


def test_brokers_that_do_not_answer_fill_the_buffer_and_no_more() -> None:
    """While nothing is confirmed the newest is dropped; what was taken in goes out in order afterwards."""
    link = FakeLink()
    link.let.clear()
    sender, buffer = started(link, most_samples=10)
    put(buffer, 30)

    assert (0, 10) == buffer.stats()[:2]
    assert {Why.BUFFER_FULL: 20} == dropped(buffer)

    link.let.set()
    assert buffer.wait(PATIENCE_SECONDS)
    put(buffer, 5, NOW + 1_000)
    sender.close(PATIENCE_SECONDS)

    assert (15, 0) == buffer.stats()[:2]
    times = [time_ms or 0 for _, time_ms in link.stored]
    assert sorted(times) == times


def test_the_end_does_not_wait_for_ever() -> None:
    """At the deadline what is not stored is counted as dropped, and the thread is gone."""
    link = FakeLink()
    link.let.clear()
    sender, buffer = started(link)
    put(buffer, 4)
    sender.close(0.05)
    put(buffer, 1)

    assert (0, 0) == buffer.stats()[:2]
    assert {Why.CLOSED: 5} == dropped(buffer)
    assert not sender._thread.is_alive()
    assert 1 == link.stopped


def test_a_turn_begins_early_when_the_buffer_fills() -> None:
    """Samples that come fast do not wait for the linger."""
    link = FakeLink()
    buffer = new_buffer(most_samples=80)
    sender = Delivery(buffer, lambda: link, Plan("telemetry", "samples", 3_600.0, 900_000))
    sender.start()
    for number in range(10):
        sender.hint(buffer.put("m", {}, NOW + number, 1.0))
    # the first turn may have come before the first sample, the hint is what makes the next
    stored = buffer.wait(PATIENCE_SECONDS)
    sender.close(PATIENCE_SECONDS)

    assert stored
    assert 10 == buffer.stats().sent
