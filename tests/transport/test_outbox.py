import asyncio
from collections.abc import Callable
from typing import Any, Never

import pytest
from aiokafka.errors import KafkaTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from streams.stage import Outgoing
from streams.transport.outbox import Outbox


class Producer:
    """Takes everything at once and delivers when told."""

    def __init__(self) -> None:
        self.sent = []
        self.futures = []

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
        headers: list[tuple[str, bytes]] | None = None,
    ) -> asyncio.Future[object]:
        self.sent.append((topic, value, key, partition, timestamp_ms, headers))
        self.futures.append(asyncio.get_running_loop().create_future())
        return self.futures[-1]


def outputs(count: int) -> list[Outgoing]:
    return [Outgoing("t", b"%d" % i) for i in range(count)]


async def until(condition: Callable[[], Any]) -> None:
    """Let the loop run until a condition holds."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0)


@given(st.permutations(range(8)), st.integers(0, 8))
def test_delivered_means_all_of_the_first(order: list[int], wanted: int) -> None:
    """Whatever order deliveries come in, `delivered(n)` is done exactly when the first n are."""

    async def scenario() -> None:
        producer = Producer()
        outbox = Outbox(producer)
        sender = asyncio.create_task(outbox.run())
        outbox.put(outputs(8))
        waiting = asyncio.create_task(outbox.delivered(wanted))
        await until(lambda: len(producer.futures) == 8)
        arrived = set()
        for number in order:
            await asyncio.sleep(0)
            assert (set(range(wanted)) <= arrived) == waiting.done()
            producer.futures[number].set_result(None)
            arrived.add(number)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        await waiting
        assert (8, 0, False) == (outbox.position, outbox.pending, outbox.full)
        sender.cancel()

    asyncio.run(scenario())


async def test_outputs_leave_in_the_order_they_came() -> None:
    """Key, partition, headers and time go along, and nothing overtakes."""
    producer = Producer()
    outbox = Outbox(producer)
    sender = asyncio.create_task(outbox.run())
    outbox.put([Outgoing("a", b"1", b"k", 3, (("h", b"v"),), 99)])
    outbox.put([Outgoing("b", None, b"gone")])
    await until(lambda: len(producer.sent) == 2)
    assert [
        ("a", b"1", b"k", 3, 99, [("h", b"v")]),
        ("b", None, b"gone", None, None, []),
    ] == producer.sent
    sender.cancel()


@pytest.mark.parametrize("limits", [{"max_records": 3}, {"max_bytes": 3}])
async def test_a_full_outbox_makes_the_stage_wait(limits: dict[str, int]) -> None:
    """At its limit of records or bytes it is full, until a delivery makes room."""
    producer = Producer()
    outbox = Outbox(producer, **limits)
    sender = asyncio.create_task(outbox.run())
    outbox.put(outputs(3))
    assert outbox.full
    waiting = asyncio.create_task(outbox.room())
    await until(lambda: len(producer.futures) == 3)
    assert not waiting.done()
    producer.futures[1].set_result(None)
    await waiting
    assert (2, False) == (outbox.pending, outbox.full)
    sender.cancel()


async def test_a_failed_delivery_ends_everything() -> None:
    """The sender, who waits for a delivery and who waits for room all get the error."""
    producer = Producer()
    outbox = Outbox(producer, max_records=1)
    sender = asyncio.create_task(outbox.run())
    outbox.put(outputs(1))
    delivered = asyncio.create_task(outbox.delivered(1))
    room = asyncio.create_task(outbox.room())
    await until(lambda: producer.futures)
    producer.futures[0].set_exception(OSError("broker said no"))
    for task in (sender, delivered, room):
        with pytest.raises(OSError, match="broker said no"):
            await task
    with pytest.raises(OSError, match="broker said no"):
        await outbox.delivered(1)


async def test_a_producer_that_refuses_ends_the_sender() -> None:
    """An error of `send` itself is a failed delivery too."""

    class Refusing(Producer):
        async def send(self, *_args: object) -> Never:
            raise ValueError("too large")

    outbox = Outbox(Refusing())
    outbox.put(outputs(1))
    with pytest.raises(ValueError, match="too large"):
        await outbox.run()
    with pytest.raises(ValueError, match="too large"):
        await outbox.delivered(1)


async def test_a_producer_without_room_is_offered_the_output_again() -> None:
    """The client gives up waiting for room after a while; the output was not taken, so none is lost or doubled."""

    class Crowded(Producer):
        refusals = 3

        async def send(self, *args: Any) -> asyncio.Future[object]:
            if self.sent and self.refusals:
                self.refusals -= 1
                raise KafkaTimeoutError
            return await super().send(*args)

    producer = Crowded()
    outbox = Outbox(producer)
    sender = asyncio.create_task(outbox.run())
    outbox.put(outputs(3))
    await until(lambda: len(producer.futures) == 3)
    assert [b"0", b"1", b"2"] == [value for _, value, *_ in producer.sent]
    for future in producer.futures:
        future.set_result(None)
    await outbox.delivered(3)
    assert 0 == producer.refusals
    assert (3, 0) == (outbox.delivered_count, outbox.pending)
    sender.cancel()
