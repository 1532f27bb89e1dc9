"""The runner on a real log: on the embedded broker and on Kafka."""

import asyncio
from collections import Counter
from collections.abc import Collection

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from faust.types import TP

from schemas.dead_letters import DeadLetter
from schemas.errors import BrokerError
from schemas.records import decode_record
from schemas.topics import DEAD_LETTERS, Topic
from streams.transport.admin import create_topics
from streams.transport.broker import Broker
from tests.kafka.reading import PATIENCE_SECONDS
from tests.transport.tally import PARTITIONS, LateTally, Tally, expected, host


async def make_topics(bootstrap: str, prefix: str, partitions: int = PARTITIONS) -> None:
    """Input, output and state topic of one test."""
    topics = [
        Topic(f"{prefix}-{name}", "", "", partitions, settings)
        for name, settings in (("in", {}), ("out", {}), ("state", {"cleanup.policy": "compact"}))
    ]
    await create_topics(Broker(bootstrap), topics)


async def produce(bootstrap: str, prefix: str, values: list[str]) -> None:
    """Values `key:...` go to the partition of their key, in order."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        for value in values:
            key = value.partition(":")[0]
            partition = sum(key.encode()) % PARTITIONS
            await producer.send(f"{prefix}-in", value.encode(), partition=partition)
    finally:
        await producer.stop()


async def collect(
    bootstrap: str, prefix: str, wanted: Collection[bytes], partitions: int = PARTITIONS
) -> Counter[bytes]:
    """Outputs so far, as soon as all wanted ones are among them, as often as they are wanted."""
    needed = Counter(wanted)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    seen: Counter[bytes] = Counter()
    try:
        consumer.assign([TopicPartition(f"{prefix}-out", p) for p in range(partitions)])
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not needed <= seen:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    seen.update(record.value for record in records)
    finally:
        await consumer.stop()
    return seen


async def read_letters(bootstrap: str, topic: str) -> list[DeadLetter]:
    """Dead letters about a topic, one at least."""
    consumer = AIOKafkaConsumer(
        DEAD_LETTERS, bootstrap_servers=bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    found: dict[str, DeadLetter] = {}
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not found:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    letters = [decode_record(record.value, DeadLetter) for record in records]
                    found |= {letter.id: letter for letter in letters if letter.topic == topic}
    finally:
        await consumer.stop()
    return list(found.values())


def values(start: int, end: int) -> list[str]:
    """Numbered values of 23 keys."""
    return [f"{'abcdefghijklmnopqrstuvw'[n % 23]}:{n}" for n in range(start, end)]


@pytest.mark.parametrize("kind", [Tally, LateTally])
async def test_each_record_is_applied_once_and_each_output_sent(
    bootstrap: str, prefix: str, kind: type[Tally]
) -> None:
    """Four partitions of records give exactly the outputs of an undisturbed run, put off or not."""
    await make_topics(bootstrap, prefix)
    await produce(bootstrap, prefix, values(0, 3000))
    wanted = expected(values(0, 3000))
    async with host(bootstrap, prefix, kind=kind) as running:
        seen = await collect(bootstrap, prefix, set(wanted))
        stats = running.runners[prefix].stats
    assert Counter(wanted) == seen
    assert (3000, 3000, 0) == (stats.records, stats.outputs, stats.lost_records)


@pytest.mark.slow
async def test_a_graceful_restart_goes_on_without_a_trace(bootstrap: str, prefix: str) -> None:
    """Stopping saves everything, so after a restart there is no duplicate and no hole."""
    await make_topics(bootstrap, prefix)
    wanted = expected(values(0, 2000))
    await produce(bootstrap, prefix, values(0, 1000))
    async with host(bootstrap, prefix):
        await collect(bootstrap, prefix, set(wanted[:1000]))
    await produce(bootstrap, prefix, values(1000, 2000))
    async with host(bootstrap, prefix) as running:
        seen = await collect(bootstrap, prefix, set(wanted))
        restores = running.runners[prefix].checkpointer.restores
    assert Counter(wanted) == seen
    assert PARTITIONS == restores


@pytest.mark.slow
async def test_an_injected_event_is_part_of_the_state(bootstrap: str, prefix: str) -> None:
    """An event changes the state like a record, is saved, and survives a restart."""
    await make_topics(bootstrap, prefix)
    await produce(bootstrap, prefix, ["a:1"])
    wanted = expected(["a:1", "a:event", "a:2"])
    home = TP(f"{prefix}-in", sum(b"a") % PARTITIONS)
    async with host(bootstrap, prefix) as running:
        await collect(bootstrap, prefix, set(wanted[:1]))
        assert running.runners[prefix].inject(home, "a:event")
        assert not running.runners[prefix].inject(TP("elsewhere", 0), "a:event")
    await produce(bootstrap, prefix, ["a:2"])
    async with host(bootstrap, prefix):
        assert Counter(wanted) == await collect(bootstrap, prefix, set(wanted))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Tally, LateTally])
async def test_a_record_that_makes_a_stage_raise_is_set_aside_alone(
    bootstrap: str, prefix: str, kind: type[Tally]
) -> None:
    """What stands around it goes through as if it were not there, and one letter names its place and the error's."""
    await make_topics(bootstrap, prefix)
    await create_topics(Broker(bootstrap), [Topic(DEAD_LETTERS, "", "", 1, {})])
    before, after = ["a:1", "b:1"], ["a:2", "b:2", "a:3"]
    home = sum(b"a") % PARTITIONS
    async with host(bootstrap, prefix, kind=kind):
        await produce(bootstrap, prefix, before)
        await collect(bootstrap, prefix, set(expected(before)))
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    for value in ("a:2", "poison", "a:3"):
        await producer.send_and_wait(f"{prefix}-in", value.encode(), partition=home)
    await producer.stop()
    await produce(bootstrap, prefix, ["b:2"])
    async with host(bootstrap, prefix, kind=kind) as running:
        wanted = expected(before + after)
        # what was sent before the stage raised may have been sent again
        assert set(wanted) == (await collect(bootstrap, prefix, set(wanted))).keys()
        assert 1 == running.runners[prefix].rereading.poisoned
    letters = await read_letters(bootstrap, f"{prefix}-in")
    assert [("stage_failed", home, b"poison")] == [
        (letter.reason, letter.partition, letter.head) for letter in letters
    ]
    assert letters[0].detail.startswith("ValueError at tally.py:")


async def test_partitions_move_between_workers_with_their_state(
    kafka_bootstrap: str, prefix: str
) -> None:
    """A second worker takes half of the partitions and gives them back; no output is lost, doubled or wrong."""
    await make_topics(kafka_bootstrap, prefix)
    wanted = expected(values(0, 3000))
    gone: list[object] = []
    async with host(kafka_bootstrap, prefix, gone.append) as first:
        await produce(kafka_bootstrap, prefix, values(0, 1000))
        await collect(kafka_bootstrap, prefix, set(wanted[:1000]))
        async with host(kafka_bootstrap, prefix) as second:
            await produce(kafka_bootstrap, prefix, values(1000, 2000))
            await collect(kafka_bootstrap, prefix, set(wanted[:2000]))
            shares = [
                {tp.partition for tp in h.runners[prefix].checkpointer.partitions}
                for h in (first, second)
            ]
            moved = len(gone)
        await produce(kafka_bootstrap, prefix, values(2000, 3000))
        seen = await collect(kafka_bootstrap, prefix, set(wanted))
    assert Counter(wanted) == seen
    assert ([2, 2], set(range(4)), 2) == ([len(s) for s in shares], shares[0] | shares[1], moved)


async def test_a_worker_without_a_partition_waits_its_turn(
    kafka_bootstrap: str, prefix: str
) -> None:
    """More workers than partitions is no fault: the spare one starts, and takes over later."""
    await make_topics(kafka_bootstrap, prefix, partitions=1)
    wanted = expected(["d:1", "d:2"])
    first = await host(kafka_bootstrap, prefix).__aenter__()
    try:
        await produce(kafka_bootstrap, prefix, ["d:1"])
        await collect(kafka_bootstrap, prefix, set(wanted[:1]), 1)
        async with host(kafka_bootstrap, prefix) as second:
            await first.__aexit__(None, None, None)
            await produce(kafka_bootstrap, prefix, ["d:2"])
            assert Counter(wanted) == await collect(kafka_bootstrap, prefix, set(wanted), 1)
            assert 1 == second.runners[prefix].checkpointer.restores
    finally:
        await first.__aexit__(None, None, None)


async def test_a_missing_topic_is_named_at_the_start(bootstrap: str, prefix: str) -> None:
    """Nobody waits for a topic that is not there."""
    with pytest.raises(BrokerError, match=f"no such topics: {prefix}-in, {prefix}-state"):
        await host(bootstrap, prefix).__aenter__()
