import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable

import pytest

from streams.produce.host import Reading, Usage
from streams.produce.shell import Sender, Sent, partition_of, producing, send_all, watch
from streams.produce.telemetry import Record


class FakeProducer:
    """Confirms when told to, or by itself."""

    def __init__(self, *, prompt: bool = True, error: Exception | None = None) -> None:
        self.prompt, self.error = prompt, error
        self.taken: list[tuple[int | None, bytes | None, int | None]] = []
        self.waiting: list[asyncio.Future[object]] = []

    async def partitions_for(self, topic: str) -> set[int]:
        return {2, 0, 1}

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> asyncio.Future[object]:
        self.taken.append((partition, value, timestamp_ms))
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        if self.error is not None:
            future.set_exception(self.error)
        elif self.prompt:
            future.set_result(None)
        self.waiting.append(future)
        return future


async def flow(records: Iterable[Record]) -> AsyncIterator[Record]:
    for record in records:
        yield record


def numbered(count: int) -> list[Record]:
    return [Record(None, b"%d" % n, 1_000 + n) for n in range(count)]


async def test_records_without_a_key_go_round() -> None:
    """Partitions take turns, and value and event time arrive as they were."""
    producer = FakeProducer()

    sent = await send_all(producer, "telemetry", flow(numbered(4)))

    assert Sent(4, 4) == sent
    assert [(0, b"0", 1000), (1, b"1", 1001), (2, b"2", 1002), (0, b"3", 1003)] == producer.taken


def test_a_key_always_goes_to_the_same_partition() -> None:
    """A key's partition is that of Kafka's own clients, whoever's turn it is."""
    # "foobar" is one of the cases of Kafka's UtilsTest: murmur2 gives -790332482.
    expected = (-790_332_482 & 0x7FFFFFFF) % 7

    assert {expected} == {partition_of(b"foobar", turn, 7) for turn in range(5)}


async def test_what_is_on_its_way_is_bounded() -> None:
    """With the bound reached, the next record waits until the oldest is confirmed."""
    producer = FakeProducer(prompt=False)
    sender = Sender(producer, "telemetry", in_flight=2)
    for record in numbered(2):
        await sender.send(record)

    third = asyncio.create_task(sender.send(numbered(3)[2]))
    for _ in range(5):
        await asyncio.sleep(0)
    assert (2, Sent(0, 0)) == (len(producer.taken), sender.sent)

    producer.waiting[0].set_result(None)
    await third
    assert (3, Sent(1, 1)) == (len(producer.taken), sender.sent)


async def test_an_error_of_the_brokers_goes_out() -> None:
    """A message that was not stored raises, and is not counted as sent."""
    sender = Sender(FakeProducer(error=ConnectionError("gone")), "telemetry")
    await sender.send(numbered(1)[0])

    with pytest.raises(ConnectionError, match="gone"):
        await sender.drain()

    assert Sent(0, 0) == sender.sent


async def test_after_an_error_nothing_is_left_to_wait_for() -> None:
    """The first error is told; the others are heard, so that no interpreter reports them at its end."""
    producer = FakeProducer(error=ConnectionError("gone"))
    sender = Sender(producer, "telemetry")
    for record in numbered(3):
        await sender.send(record)

    with pytest.raises(ConnectionError, match="gone"):
        await sender.drain()

    assert Sent(0, 0) == await sender.drain()
    assert [False] * 3 == [future._log_traceback for future in producer.waiting]


def test_a_bound_of_none_is_refused() -> None:
    """No message on its way would mean no message at all."""
    with pytest.raises(ValueError, match="at least one"):
        Sender(FakeProducer(), "telemetry", in_flight=0)


async def test_the_host_is_read_at_multiples_of_the_interval() -> None:
    """Readings keep to the beat, however long one takes, and the second has ratios."""
    naps: list[float] = []
    clock = [10_300]

    def read(at_ms: int) -> Reading:
        clock[0] += 100
        core = (at_ms / 2000.0, at_ms / 1000.0)
        return Reading(at_ms, [core], Usage(1, 2), Usage(0, 0), (0.0, 0.0, 0.0), {}, {}, [])

    async def sleep(seconds: float) -> None:
        naps.append(seconds)
        clock[0] += round(seconds * 1000)

    found = []
    async for record in watch(read, "h", 1.0, lambda: clock[0], sleep):
        found.append(record)
        if len(found) == 3:
            break

    assert [10_300, 11_000, 12_000] == [record.timestamp_ms for record in found]
    assert [0.6, 0.9] == naps
    assert b'"host_cpu_usage_ratio","value":0.5' in found[1].value


@pytest.mark.embedded
async def test_a_broker_gets_every_record_once() -> None:
    """What is sent stands in the topic, once, with its event time, over all partitions."""
    confluent_kafka = pytest.importorskip("confluent_kafka")
    broker = confluent_kafka.Producer({"test.mock.num.brokers": 1})
    (address,) = {f"{b.host}:{b.port}" for b in broker.list_topics().brokers.values()}
    partitions = broker.list_topics(topic="telemetry").topics["telemetry"].partitions

    async with producing(address) as producer:
        sent = await send_all(producer, "telemetry", flow(numbered(40)))

    reader = confluent_kafka.Consumer(
        {"bootstrap.servers": address, "group.id": "test", "auto.offset.reset": "earliest"}
    )
    reader.assign([confluent_kafka.TopicPartition("telemetry", n, 0) for n in partitions])
    stored = reader.consume(40, timeout=20.0)
    reader.close()

    assert Sent(40, 70) == sent
    assert sorted((r.value, r.timestamp_ms) for r in numbered(40)) == sorted(
        (message.value(), message.timestamp()[1]) for message in stored
    )
    assert dict.fromkeys(partitions, 40 // len(partitions)) == Counter(
        message.partition() for message in stored
    )
